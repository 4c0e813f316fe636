#include "pack.h"

#include "base/descriptor.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	COPY_SIZE = 64 << 10,
	UNPACK_FLAGS = ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_PERM |
		       ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
		       ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS
};

/* In the child an error is said and ends it: the parent sees the status. */
ATTR_NORETURN static void give_up(const char *what, const char *why)
{
	fprintf(stderr, "croft: %s: %s\n", what, why ? why : "unknown error");
	_exit(1);
}

static void write_content(struct archive *out, const char *path)
{
	uint8_t piece[COPY_SIZE];
	int fd ATTR_DESCRIPTOR = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		give_up(path, strerror(errno));
	for (ssize_t n; (n = read(fd, piece, sizeof(piece))) != 0;) {
		if (n < 0)
			give_up(path, strerror(errno));
		if (archive_write_data(out, piece, (size_t)n) < 0)
			give_up(path, archive_error_string(out));
	}
}

static void write_entry(struct archive *out, struct archive *disk, const char *path)
{
	struct archive_entry *entry = archive_entry_new();
	struct stat status;
	if (lstat(path, &status) < 0)
		give_up(path, strerror(errno));
	archive_entry_copy_pathname(entry, path);
	archive_entry_copy_sourcepath(entry, path);
	if (archive_read_disk_entry_from_file(disk, entry, -1, &status) < ARCHIVE_WARN)
		give_up(path, archive_error_string(disk));
	if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISLNK(status.st_mode)) {
		if (archive_write_header(out, entry) < ARCHIVE_WARN)
			give_up(path, archive_error_string(out));
		if (S_ISREG(status.st_mode))
			write_content(out, path);
	}
	archive_entry_free(entry);
}

static void write_all_entries(struct archive *out, struct archive *disk)
{
	struct archive *walk = archive_read_disk_new();
	struct archive_entry *entry;
	archive_read_disk_set_symlink_physical(walk);
	archive_read_disk_set_behavior(walk, ARCHIVE_READDISK_NO_XATTR | ARCHIVE_READDISK_NO_ACL);
	if (archive_read_disk_open(walk, ".") != ARCHIVE_OK)
		give_up(".", archive_error_string(walk));
	for (int r; (entry = archive_entry_new(), r = archive_read_next_header2(walk, entry)) !=
		    ARCHIVE_EOF;
	     archive_entry_free(entry)) {
		if (r < ARCHIVE_WARN)
			give_up(archive_entry_pathname(entry), archive_error_string(walk));
		archive_read_disk_descend(walk);
		if (strcmp(archive_entry_pathname(entry), ".") != 0)
			write_entry(out, disk, archive_entry_pathname(entry));
	}
	archive_entry_free(entry);
	archive_read_free(walk);
}

ATTR_NORETURN static void pack(const char *folder, const struct transfer_names *names, int fd)
{
	struct archive *out = archive_write_new(), *disk = archive_read_disk_new();
	if (chdir(folder) < 0)
		give_up(folder, strerror(errno));
	archive_write_set_format_pax_restricted(out);
	archive_read_disk_set_behavior(disk, ARCHIVE_READDISK_NO_XATTR | ARCHIVE_READDISK_NO_ACL);
	if (archive_write_open_fd(out, fd) != ARCHIVE_OK)
		give_up(folder, archive_error_string(out));
	if (!names)
		write_all_entries(out, disk);
	for (size_t i = 0; names && i < names->count; i++)
		write_entry(out, disk, names->names[i]);
	if (archive_write_close(out) != ARCHIVE_OK)
		give_up(folder, archive_error_string(out));
	_exit(0);
}

static void unpack_content(struct archive *in, struct archive *disk, const char *name)
{
	const void *piece;
	size_t size;
	la_int64_t offset;
	for (int r; (r = archive_read_data_block(in, &piece, &size, &offset)) != ARCHIVE_EOF;)
		if (r < ARCHIVE_WARN || archive_write_data_block(disk, piece, size, offset) < 0)
			give_up(name, r < ARCHIVE_WARN ? archive_error_string(in)
						       : archive_error_string(disk));
}

ATTR_NORETURN static void unpack(const char *folder, int fd)
{
	struct archive *in = archive_read_new(), *disk = archive_write_disk_new();
	struct archive_entry *entry;
	if ((mkdir(folder, 0777) < 0 && errno != EEXIST) || chdir(folder) < 0)
		give_up(folder, strerror(errno));
	archive_read_support_format_tar(in);
	archive_write_disk_set_options(disk, UNPACK_FLAGS);
	if (archive_read_open_fd(in, fd, COPY_SIZE) != ARCHIVE_OK)
		give_up(folder, archive_error_string(in));
	for (int r; (r = archive_read_next_header(in, &entry)) != ARCHIVE_EOF;) {
		const char *name = archive_entry_pathname(entry);
		if (r < ARCHIVE_WARN)
			give_up(folder, archive_error_string(in));
		if (archive_write_header(disk, entry) < ARCHIVE_WARN)
			give_up(name, archive_error_string(disk));
		unpack_content(in, disk, name);
		if (archive_write_finish_entry(disk) < ARCHIVE_WARN)
			give_up(name, archive_error_string(disk));
	}
	if (archive_write_close(disk) < ARCHIVE_WARN)
		give_up(folder, archive_error_string(disk));
	_exit(0);
}

pid_t pack_start(const char *folder, const struct transfer_names *names, int *fd)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		signal(SIGPIPE, SIG_DFL);
		pack(folder, names, ends[1]);
	}
	close(ends[1]);
	*fd = ends[0];
	return pid < 0 ? -errno : pid;
}

pid_t unpack_start(const char *folder, int *fd)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[1]);
		unpack(folder, ends[0]);
	}
	close(ends[0]);
	*fd = ends[1];
	return pid < 0 ? -errno : pid;
}

int pack_finish(pid_t pid)
{
	int status;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}
