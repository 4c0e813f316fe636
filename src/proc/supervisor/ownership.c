#include "ownership.h"

#include "base/descriptor.h"
#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 16 }; /* roles nest a few folders */

struct owner {
	uid_t uid;
	gid_t gid;
};

static int take_content(int directory, struct owner owner, unsigned depth);

static int take_entry(int parent, const char *name, struct owner owner, unsigned depth)
{
	struct stat status;
	if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return error_origin(-errno);
	if (S_ISDIR(status.st_mode)) {
		int fd ATTR_DESCRIPTOR =
		    openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return error_origin(-errno);
		int r = take_content(fd, owner, depth + 1);
		if (r < 0)
			return error_trace(r);
	}
	/* A link is given away itself, never what it points at. */
	return fchownat(parent, name, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) < 0
		   ? error_origin(-errno)
		   : 0;
}

static int take_content(int directory, struct owner owner, unsigned depth)
{
	if (depth > DEPTH_MAX)
		return error_origin(-ELOOP);
	int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = again < 0 ? NULL : fdopendir(again);
	if (!entries) {
		int r = error_origin(-errno);
		descriptor_close(&again);
		return r;
	}
	int r = 0;
	for (struct dirent *entry; r == 0 && (entry = readdir(entries));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = take_entry(directory, entry->d_name, owner, depth);
	closedir(entries);
	return error_trace(r);
}

int ownership_take(int directory, uid_t uid, gid_t gid)
{
	struct stat status;
	if (fstat(directory, &status) < 0)
		return error_origin(-errno);
	if (status.st_uid == uid && status.st_gid == gid)
		return 0;
	/* Root's is the worker's, with projects in it that belong to others. */
	int r = uid == 0 ? 0 : take_content(directory, (struct owner){uid, gid}, 0);
	if (r < 0)
		return error_trace(r);
	return fchown(directory, uid, gid) < 0 ? error_origin(-errno) : 0;
}
