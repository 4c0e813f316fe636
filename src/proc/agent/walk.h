/* Walks below a folder without following links and without leaving it: by descriptors, never by
 * paths put together. */
#pragma once

#include "base/text.h"

#include <sys/stat.h>

enum { WALK_NAMES_MAX = 1000000, WALK_DEPTH_MAX = 256 };

struct walk_names {
	char **names; /* relative to the folder */
	size_t count, capacity;
};

/* Adds the names of what lies in `folder`, and below it if asked. 0 or -errno. */
int walk_gather(int folder, bool recursive, struct walk_names *names);
void walk_names_free(struct walk_names *names);
int walk_names_add(struct walk_names *names, const char *prefix, const char *name);

/* Removes `name` in `folder`, and if it is a folder all below it. 0 or -errno. */
int walk_remove(int folder, const char *name);

/* Copies `name` in one folder to `to_name` in another, with mode and times; links as links. Not
 * fifos, sockets or devices: passed over. 0 or -errno. */
int walk_copy(int from, const char *name, int to, const char *to_name, uint64_t *bytes);
