#include "archive.h"
#include "base/descriptor.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_SIZE = 256 << 10 };

struct pack {
	struct archive *out, *disk;
	struct archive_report *report;
	uint8_t piece[COPY_SIZE];
};

static int fail_on(struct pack *pack, const char *name)
{
	int error = errno;
	return archive_fail(pack->report, error, "cannot pack \"%.200s\": %s", name,
			    strerror(error));
}

/* The client that takes the archive may leave: EPIPE. */
static int fail_archive(struct pack *pack, struct archive *which)
{
	const char *why = archive_error_string(which);
	int error = archive_errno(which);
	return archive_fail(pack->report, error > 0 ? error : EIO,
			    "the archive cannot be written: %s", why ? why : "unknown error");
}

static int write_content(struct pack *pack, struct archive_entry *entry)
{
	const char *path = archive_entry_sourcepath(entry);
	int64_t left = archive_entry_size(entry);
	int fd ATTR_DESCRIPTOR = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return fail_on(pack, path);
	while (left > 0) {
		ssize_t n = read(fd, pack->piece, left < COPY_SIZE ? (size_t)left : COPY_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_on(pack, path);
		if (n == 0)
			return archive_fail(pack->report, ESTALE,
					    "\"%.200s\" was cut while it was packed", path);
		if (archive_write_data(pack->out, pack->piece, (size_t)n) < 0)
			return fail_archive(pack, pack->out);
		left -= n;
		pack->report->content_bytes += (uint64_t)n;
	}
	return 0;
}

static bool is_packed(const struct archive_entry *entry)
{
	switch (archive_entry_filetype((struct archive_entry *)entry)) {
	case AE_IFREG:
	case AE_IFDIR:
	case AE_IFLNK:
		return true;
	default:
		return false; /* sockets, fifos: nothing that could be kept */
	}
}

/* Nothing of this instance's users goes along. */
static void make_anonymous(struct archive_entry *entry)
{
	const char *path = archive_entry_pathname(entry);
	if (strncmp(path, "./", 2) == 0 && path[2]) {
		char name[PATH_MAX];
		snprintf(name, sizeof(name), "%s", path + 2);
		archive_entry_set_pathname(entry, name);
	}
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	archive_entry_set_uname(entry, NULL);
	archive_entry_set_gname(entry, NULL);
}

static int pack_entry(struct pack *pack, struct archive_entry *entry)
{
	if (!is_packed(entry))
		return 0;
	make_anonymous(entry);
	pack->report->entries++;
	if (archive_write_header(pack->out, entry) < ARCHIVE_WARN)
		return fail_archive(pack, pack->out);
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_size(entry) == 0)
		return 0;
	return write_content(pack, entry);
}

static int pack_below(struct pack *pack, const char *name)
{
	int r = archive_read_disk_open(pack->disk, name);
	while (r == ARCHIVE_OK) {
		struct archive_entry *entry = archive_entry_new();
		if (!entry)
			return archive_fail(pack->report, ENOMEM, "out of memory");
		r = archive_read_next_header2(pack->disk, entry);
		if (r == ARCHIVE_OK || r == ARCHIVE_WARN)
			r = pack_entry(pack, entry) < 0 ? -1 : ARCHIVE_OK;
		else if (r != ARCHIVE_EOF)
			fail_archive(pack, pack->disk);
		archive_entry_free(entry);
		if (r == ARCHIVE_OK)
			archive_read_disk_descend(pack->disk);
	}
	if (r == ARCHIVE_EOF && archive_write_close(pack->out) != ARCHIVE_OK)
		return fail_archive(pack, pack->out);
	return r == ARCHIVE_EOF ? 0 : -1;
}

/* From within the folder, so that names are those below it. A single file keeps its name. */
static int enter(struct pack *pack, const char *path, const char **name)
{
	char folder[PATH_MAX];
	struct stat status;
	*name = ".";
	if (stat(path, &status) < 0)
		return fail_on(pack, path);
	if (S_ISDIR(status.st_mode))
		return chdir(path) < 0 ? fail_on(pack, path) : 0;
	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	*name = slash ? path + (slash - folder) + 1 : path;
	if (!slash)
		return 0;
	slash[slash == folder] = '\0';
	return chdir(folder) < 0 ? fail_on(pack, folder) : 0;
}

static int open_both(struct pack *pack, const struct archive_format *format)
{
	enum {
		LIKE_A_STRANGER = ARCHIVE_READDISK_NO_ACL | ARCHIVE_READDISK_NO_XATTR |
				  ARCHIVE_READDISK_NO_FFLAGS | ARCHIVE_READDISK_NO_TRAVERSE_MOUNTS
	};
	pack->out = archive_write_new();
	pack->disk = archive_read_disk_new();
	if (!pack->out || !pack->disk)
		return archive_fail(pack->report, ENOMEM, "out of memory");
	archive_read_disk_set_symlink_physical(pack->disk);
	archive_read_disk_set_behavior(pack->disk, LIKE_A_STRANGER);
	if (format->write_container(pack->out) != ARCHIVE_OK ||
	    format->write_compression(pack->out) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(pack->out, 1) != ARCHIVE_OK ||
	    archive_write_open_fd(pack->out, STDOUT_FILENO) != ARCHIVE_OK)
		return fail_archive(pack, pack->out);
	return 0;
}

int archive_pack(const char *path, const struct archive_format *format,
		 struct archive_report *report)
{
	struct pack *pack = calloc(1, sizeof(*pack));
	const char *name;
	if (!pack)
		return archive_fail(report, ENOMEM, "out of memory");
	pack->report = report;
	int r = enter(pack, path, &name);
	if (r == 0)
		r = open_both(pack, format);
	if (r == 0)
		r = pack_below(pack, name);
	if (pack->out)
		report->archive_bytes = (uint64_t)archive_filter_bytes(pack->out, -1);
	archive_read_free(pack->disk);
	archive_write_free(pack->out);
	free(pack);
	return r;
}
