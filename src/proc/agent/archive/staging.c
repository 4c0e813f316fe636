#include "staging.h"

#include "base/descriptor.h"
#include "proc/agent/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX ".croft-import-"
enum { FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* ---- making it ---- */

static int open_target(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && mkdir(path, 0777) == 0)
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void remove_if_stale(int target, const char *name)
{
	int fd ATTR_DESCRIPTOR = openat(target, name, FOLDER_FLAGS);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		walk_remove(target, name);
}

static void remove_stale(int target)
{
	DIR *listing = fdopendir(openat(target, ".", FOLDER_FLAGS));
	struct dirent *entry;
	while (listing && (entry = readdir(listing)))
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0)
			remove_if_stale(target, entry->d_name);
	if (listing)
		closedir(listing);
}

static int make_folder(struct staging *staging)
{
	uint64_t random;
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	snprintf(staging->name, sizeof(staging->name), PREFIX "%016llx",
		 (unsigned long long)random);
	if (mkdirat(staging->target, staging->name, 0700) < 0)
		return -errno;
	staging->folder = openat(staging->target, staging->name, FOLDER_FLAGS);
	if (staging->folder < 0 || flock(staging->folder, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	return 0;
}

int staging_open(struct staging *staging, const char *target)
{
	*staging = (struct staging){open_target(target), -1, ""};
	if (staging->target < 0)
		return staging->target;
	remove_stale(staging->target);
	int r = make_folder(staging);
	if (r < 0)
		staging_close(staging);
	return r;
}

void staging_close(struct staging *staging)
{
	if (staging->target >= 0 && staging->name[0])
		walk_remove(staging->target, staging->name);
	descriptor_close(&staging->folder);
	descriptor_close(&staging->target);
}

/* ---- to its place ---- */

struct move {
	char *blocked;
	size_t size;
	/* What is done with one name that is in `from`; `is_folder` says whether it is a folder in
	 * both. */
	int (*one)(struct move *move, int from, int to, const char *name, bool is_folder);
};

static int each(struct move *move, int from, int to);

static int below(struct move *move, int from, int to, const char *name)
{
	int from_below ATTR_DESCRIPTOR = openat(from, name, FOLDER_FLAGS);
	int to_below ATTR_DESCRIPTOR = openat(to, name, FOLDER_FLAGS);
	if (from_below < 0 || to_below < 0)
		return -errno;
	return each(move, from_below, to_below);
}

static bool is_folder_at(int folder, const char *name)
{
	struct stat status;
	return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

static int each(struct move *move, int from, int to)
{
	DIR *listing = fdopendir(openat(from, ".", FOLDER_FLAGS));
	struct dirent *entry;
	int r = listing ? 0 : -errno;
	while (r == 0 && (errno = 0, entry = readdir(listing))) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		bool is_folder = is_folder_at(from, name) && is_folder_at(to, name);
		r = move->one(move, from, to, name, is_folder);
		if (r == 0 && is_folder)
			r = below(move, from, to, name);
	}
	if (listing)
		closedir(listing);
	return r;
}

static int check_one(struct move *move, int from, int to, const char *name, bool is_folder)
{
	bool new_is_folder = is_folder_at(from, name), old_is_folder = is_folder_at(to, name);
	if (is_folder || (!old_is_folder && !new_is_folder))
		return 0;
	if (!old_is_folder && faccessat(to, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	snprintf(move->blocked, move->size, "%s", name);
	return old_is_folder ? -EISDIR : -ENOTDIR;
}

static int move_one(struct move *move, int from, int to, const char *name, bool is_folder)
{
	if (is_folder || renameat(from, name, to, name) == 0)
		return 0;
	int r = -errno;
	snprintf(move->blocked, move->size, "%s", name);
	return r;
}

int staging_commit(struct staging *staging, char *blocked, size_t size)
{
	struct move check = {blocked, size, check_one}, move = {blocked, size, move_one};
	int r = each(&check, staging->folder, staging->target);
	if (r == 0 && syncfs(staging->folder) < 0)
		r = -errno;
	if (r == 0)
		r = each(&move, staging->folder, staging->target);
	if (r == 0 && syncfs(staging->target) < 0)
		r = -errno;
	return r;
}
