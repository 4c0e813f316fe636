#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

void walk_names_free(struct walk_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct walk_names){0};
}

int walk_names_add(struct walk_names *names, const char *prefix, const char *name)
{
	char *whole;
	if (names->count == WALK_NAMES_MAX)
		return -E2BIG;
	if (names->count == names->capacity) {
		size_t capacity = names->capacity ? names->capacity * 2 : 64;
		char **grown = realloc(names->names, capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		names->names = grown;
		names->capacity = capacity;
	}
	if (asprintf(&whole, "%s%s%s", prefix, *prefix ? "/" : "", name) < 0)
		return -ENOMEM;
	names->names[names->count++] = whole;
	return 0;
}

/* The next entry but "." and ".."; NULL at the end, with errno 0, or at an error. */
static struct dirent *next_entry(DIR *stream)
{
	struct dirent *entry;
	do {
		errno = 0;
		entry = readdir(stream);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry;
}

static DIR *open_stream(int folder, const char *name)
{
	int fd = openat(folder, name, FOLDER);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (fd >= 0 && !stream)
		close(fd);
	return stream;
}

static bool is_folder(int folder, const struct dirent *entry)
{
	struct stat status;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(status.st_mode);
}

static int gather(int folder, const char *name, const char *prefix, bool recursive, int depth,
		  struct walk_names *names)
{
	char below[PATH_MAX];
	DIR *stream = open_stream(folder, name);
	struct dirent *entry;
	int r = 0;
	if (!stream)
		return -errno;
	while (r == 0 && (entry = next_entry(stream))) {
		r = walk_names_add(names, prefix, entry->d_name);
		if (r == 0 && recursive && depth < WALK_DEPTH_MAX &&
		    is_folder(dirfd(stream), entry)) {
			snprintf(below, sizeof(below), "%s%s%s", prefix, *prefix ? "/" : "",
				 entry->d_name);
			int inner =
			    gather(dirfd(stream), entry->d_name, below, true, depth + 1, names);
			r = inner == -ENOENT || inner == -EACCES ? 0 : inner;
		}
	}
	closedir(stream);
	return r;
}

int walk_gather(int folder, bool recursive, struct walk_names *names)
{
	return gather(folder, ".", "", recursive, 0, names);
}

static int remove_inside(int folder, const char *name, int depth)
{
	DIR *stream = open_stream(folder, name);
	struct dirent *entry;
	int r = 0;
	if (!stream)
		return -errno;
	if (depth == WALK_DEPTH_MAX)
		r = -ELOOP;
	while (r == 0 && (entry = next_entry(stream))) {
		bool deep = is_folder(dirfd(stream), entry);
		if (deep)
			r = remove_inside(dirfd(stream), entry->d_name, depth + 1);
		if (r == 0 && unlinkat(dirfd(stream), entry->d_name, deep ? AT_REMOVEDIR : 0) < 0 &&
		    errno != ENOENT)
			r = -errno;
	}
	closedir(stream);
	return r;
}

int walk_remove(int folder, const char *name)
{
	if (unlinkat(folder, name, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	int r = remove_inside(folder, name, 0);
	if (r == 0 && unlinkat(folder, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

static int copy_content(int from, int to, uint64_t *bytes)
{
	for (;;) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, 1 << 26, 0);
		if (n < 0 &&
		    (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
			n = sendfile(to, from, NULL, 1 << 26);
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		*bytes += (uint64_t)n;
	}
}

static int copy_file(int from, const char *name, int to, const char *to_name,
		     const struct stat *status, uint64_t *bytes)
{
	struct timespec times[2] = {status->st_atim, status->st_mtim};
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (in < 0)
		return -errno;
	int out = openat(to, to_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = out < 0 ? -errno : copy_content(in, out, bytes);
	if (r == 0 && (fchmod(out, status->st_mode & 0777) < 0 || futimens(out, times) < 0))
		r = -errno;
	if (out >= 0)
		close(out);
	close(in);
	return r;
}

static int copy_link(int from, const char *name, int to, const char *to_name)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(from, name, target, sizeof(target) - 1);
	if (size < 0)
		return -errno;
	target[size] = '\0';
	return symlinkat(target, to, to_name) < 0 ? -errno : 0;
}

static int copy_entry(int from, const char *name, int to, const char *to_name, int depth,
		      uint64_t *bytes);

static int copy_folder(int from, const char *name, int to, const char *to_name,
		       const struct stat *status, int depth, uint64_t *bytes)
{
	if (depth == WALK_DEPTH_MAX)
		return -ELOOP;
	if (mkdirat(to, to_name, 0700) < 0)
		return -errno;
	int target = openat(to, to_name, FOLDER);
	DIR *stream = target < 0 ? NULL : open_stream(from, name);
	struct dirent *entry;
	int r = stream ? 0 : -errno;
	while (r == 0 && (entry = next_entry(stream)))
		r = copy_entry(dirfd(stream), entry->d_name, target, entry->d_name, depth + 1,
			       bytes);
	if (r == 0 && fchmod(target, status->st_mode & 0777) < 0)
		r = -errno;
	if (stream)
		closedir(stream);
	if (target >= 0)
		close(target);
	return r;
}

static int copy_entry(int from, const char *name, int to, const char *to_name, int depth,
		      uint64_t *bytes)
{
	struct stat status;
	if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISREG(status.st_mode))
		return copy_file(from, name, to, to_name, &status, bytes);
	if (S_ISLNK(status.st_mode))
		return copy_link(from, name, to, to_name);
	return S_ISDIR(status.st_mode) ? copy_folder(from, name, to, to_name, &status, depth, bytes)
				       : 0;
}

int walk_copy(int from, const char *name, int to, const char *to_name, uint64_t *bytes)
{
	return copy_entry(from, name, to, to_name, 0, bytes);
}
