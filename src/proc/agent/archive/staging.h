/* Where an archive is unpacked before anything of it is seen: a folder in the target folder, locked
 * while its process lives. What a process that was killed left behind goes with the next import.
 *
 * The move to its place happens name by name: whole folders that are new in one rename, files of
 * folders that exist already in one rename each. What cannot be moved is found before the first
 * rename. A kill between two renames leaves some of the new names beside the old, each whole. */
#pragma once

#include <sys/types.h>

enum { STAGING_NAME_SIZE = 32 };

struct staging {
	int target; /* the folder that is unpacked into */
	int folder; /* the staging folder */
	char name[STAGING_NAME_SIZE];
};

/* The target is made if it is missing. 0 or -errno. */
int staging_open(struct staging *staging, const char *target);

/* Makes all durable, moves it and makes that durable. 0 or -errno; then `blocked` names what stands
 * in the way if something does. */
int staging_commit(struct staging *staging, char *blocked, size_t size);

/* Removes what is left and closes. */
void staging_close(struct staging *staging);
