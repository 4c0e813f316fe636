/* The data folder: made and owned right, locked against a second croftd, with the administrator's
 * key. */
#pragma once

#include "proto/roles.h"

#include <sys/types.h>

struct data_user {
	uid_t uid;
	gid_t gid;
};

struct data {
	int directory;
	int lock; /* held by every process of this croftd: the folder is free when the last has gone
		   */
	int role_directories[ROLE_KINDS];
	struct data_user users[ROLE_KINDS];
	char admin_key_hash[7 + 64 + 1]; /* "sha256:" and hex */
};

/* Says on standard error why, when it fails. */
int data_open(struct data *data, const char *path) ATTR_MUST_CHECK;
