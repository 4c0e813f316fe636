#include "archive.h"
#include "base/descriptor.h"
#include "entry_name.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	ENTRIES_MAX = 1000000,
	READ_SIZE = 256 << 10,
	MAGIC_SIZE = 2, /* of a zip */
	/* What grows more than this is a bomb; a small one is let off. */
	GROWTH_MAX = 200,
};
static const uint64_t CONTENT_MAX = UINT64_C(64) << 30;
static const uint64_t GROWTH_CHECKED_FROM = UINT64_C(256) << 20;

struct unpack {
	struct staging *staging;
	struct archive *in;
	struct archive_report *report;
	int parent; /* of the last entry, with its name: the next one's is mostly the same */
	char parent_name[PATH_MAX];
	int spool;          /* of a zip */
	ssize_t first_size; /* of what lies in `piece` and was only looked at */
	uint8_t piece[READ_SIZE];
};

static int refuse(struct unpack *unpack, const char *name, const char *why)
{
	return archive_fail(unpack->report, 0, "the entry \"%.200s\" %s", name, why);
}

static int refuse_verdict(struct unpack *unpack, enum entry_verdict verdict)
{
	return archive_fail(unpack->report, 0, "entry %llu of the archive %s",
			    (unsigned long long)unpack->report->entries, entry_verdicts[verdict]);
}

static int fail_on(struct unpack *unpack, const char *name)
{
	int error = errno;
	return archive_fail(unpack->report, error, "cannot unpack \"%.200s\": %s", name,
			    strerror(error));
}

static int fail_archive(struct unpack *unpack)
{
	const char *why = archive_error_string(unpack->in);
	return archive_fail(unpack->report, 0, "the archive cannot be read: %s",
			    why ? why : "unknown error");
}

/* ---- folders ---- */

static int open_below(int folder, const char *name)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	return (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));
}

static int make_folders(int folder, char *path)
{
	for (char *slash = strchr(path, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		int r = mkdirat(folder, path, 0777);
		if (slash)
			*slash = '/';
		if (r < 0 && errno != EEXIST)
			return -1;
		if (!slash)
			return 0;
	}
}

/* The folder of the entry, made if the archive has not named it; its last component in *base. */
static int open_parent(struct unpack *unpack, char *name, const char **base)
{
	char *slash = strrchr(name, '/');
	*base = slash ? slash + 1 : name;
	if (!slash)
		return unpack->staging->folder;
	size_t size = (size_t)(slash - name);
	if (unpack->parent >= 0 && strlen(unpack->parent_name) == size &&
	    memcmp(unpack->parent_name, name, size) == 0)
		return unpack->parent;
	descriptor_close(&unpack->parent);
	memcpy(unpack->parent_name, name, size);
	unpack->parent_name[size] = '\0';
	unpack->parent = open_below(unpack->staging->folder, unpack->parent_name);
	if (unpack->parent < 0 && errno == ENOENT &&
	    make_folders(unpack->staging->folder, unpack->parent_name) == 0)
		unpack->parent = open_below(unpack->staging->folder, unpack->parent_name);
	return unpack->parent;
}

/* ---- one entry ---- */

static int count_content(struct unpack *unpack, uint64_t size)
{
	struct archive_report *report = unpack->report;
	report->content_bytes += size;
	if (report->content_bytes > CONTENT_MAX)
		return archive_fail(report, EFBIG, "the archive unpacks to more than %llu bytes",
				    (unsigned long long)CONTENT_MAX);
	if (report->content_bytes > GROWTH_CHECKED_FROM &&
	    report->content_bytes / GROWTH_MAX > report->archive_bytes)
		return archive_fail(report, 0, "the archive grows to more than %d times its size",
				    GROWTH_MAX);
	return 0;
}

static int write_block(int fd, const uint8_t *data, size_t size, off_t offset)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, data, size, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		size -= (size_t)n;
		offset += n;
	}
	return 0;
}

static int write_content(struct unpack *unpack, int fd, const char *name)
{
	const void *block;
	size_t size;
	la_int64_t offset;
	int r;
	while ((r = archive_read_data_block(unpack->in, &block, &size, &offset)) == ARCHIVE_OK) {
		if (offset < 0)
			return refuse(unpack, name, "has a hole before its beginning");
		if (count_content(unpack, size) < 0)
			return -1;
		if (write_block(fd, block, size, offset) < 0)
			return fail_on(unpack, name);
	}
	return r == ARCHIVE_EOF ? 0 : fail_archive(unpack);
}

static int finish_file(struct unpack *unpack, struct archive_entry *entry, int fd, const char *name)
{
	const struct timespec times[2] = {
	    {0, UTIME_OMIT}, {archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)}};
	/* A file may end with a hole, which no block tells. */
	if (archive_entry_size_is_set(entry) && ftruncate(fd, archive_entry_size(entry)) < 0)
		return fail_on(unpack, name);
	if (fchmod(fd, archive_entry_perm(entry) & 0777) < 0)
		return fail_on(unpack, name);
	if (archive_entry_mtime_is_set(entry) && futimens(fd, times) < 0)
		return fail_on(unpack, name);
	return 0;
}

static int make_file(struct unpack *unpack, struct archive_entry *entry, const char *name,
		     int parent, const char *base)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd ATTR_DESCRIPTOR = openat(parent, base, flags, 0600);
	if (fd < 0)
		return fail_on(unpack, name);
	if (write_content(unpack, fd, name) < 0)
		return -1;
	return finish_file(unpack, entry, fd, name);
}

static int make_folder(struct unpack *unpack, struct archive_entry *entry, const char *name,
		       int parent, const char *base)
{
	mode_t mode = (archive_entry_perm(entry) & 0777) | 0700;
	if (mkdirat(parent, base, mode) < 0 && errno != EEXIST)
		return fail_on(unpack, name);
	return fchmodat(parent, base, mode, 0) < 0 ? fail_on(unpack, name) : 0;
}

static int make_symlink(struct unpack *unpack, struct archive_entry *entry, const char *name,
			int parent, const char *base)
{
	const char *target = archive_entry_symlink(entry);
	enum entry_verdict verdict = entry_link_check(name, text_of(target ? target : ""));
	if (verdict != ENTRY_FINE)
		return refuse(unpack, name, entry_verdicts[verdict]);
	return symlinkat(target, parent, base) < 0 ? fail_on(unpack, name) : 0;
}

static int make_hard_link(struct unpack *unpack, struct archive_entry *entry, const char *name,
			  int parent, const char *base)
{
	char target[PATH_MAX], *slash;
	enum entry_verdict verdict =
	    entry_name_check(text_of(archive_entry_hardlink(entry)), target);
	if (verdict != ENTRY_FINE)
		return refuse(unpack, name, "is a link that leads out of the folder");
	slash = strrchr(target, '/');
	if (slash)
		*slash = '\0';
	int from ATTR_DESCRIPTOR = open_below(unpack->staging->folder, slash ? target : ".");
	if (from < 0 || linkat(from, slash ? slash + 1 : target, parent, base, 0) < 0)
		return refuse(unpack, name, "is a link to what the archive has not brought");
	return 0;
}

/* A later entry of the same name replaces the earlier, as tar does. */
static int make_room(struct unpack *unpack, const char *name, int parent, const char *base,
		     bool for_folder)
{
	struct stat status;
	if (fstatat(parent, base, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail_on(unpack, name);
	if (S_ISDIR(status.st_mode) != for_folder)
		return refuse(unpack, name, "is there twice, once as a folder");
	return for_folder || unlinkat(parent, base, 0) == 0 ? 0 : fail_on(unpack, name);
}

typedef int make_entry(struct unpack *unpack, struct archive_entry *entry, const char *name,
		       int parent, const char *base);

static make_entry *maker_of(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry))
		return make_hard_link;
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return make_file;
	case AE_IFDIR:
		return make_folder;
	case AE_IFLNK:
		return make_symlink;
	default:
		return NULL;
	}
}

static int unpack_entry(struct unpack *unpack, struct archive_entry *entry)
{
	char name[PATH_MAX];
	const char *given = archive_entry_pathname(entry), *base;
	make_entry *make = maker_of(entry);
	if (++unpack->report->entries > ENTRIES_MAX)
		return archive_fail(unpack->report, EFBIG, "the archive has more than %d entries",
				    ENTRIES_MAX);
	if (!given)
		return refuse_verdict(unpack, ENTRY_NOT_TEXT);
	enum entry_verdict verdict = entry_name_check(text_of(given), name);
	if (verdict == ENTRY_IS_FOLDER_ITSELF)
		return 0;
	if (verdict != ENTRY_FINE)
		return refuse_verdict(unpack, verdict);
	if (!make)
		return refuse(unpack, name, "is a device, a fifo or a socket");
	int parent = open_parent(unpack, name, &base);
	if (parent < 0)
		return fail_on(unpack, name);
	if (make_room(unpack, name, parent, base, make == make_folder) < 0)
		return -1;
	return make(unpack, entry, name, parent, base);
}

/* ---- the archive ---- */

static void support(struct archive *in, const struct archive_format *format)
{
	if (format) {
		format->read_container(in);
		format->read_compression(in);
		return;
	}
	archive_read_support_format_tar(in);
	archive_read_support_format_zip_seekable(in);
	archive_read_support_filter_gzip(in);
	archive_read_support_filter_zstd(in);
}

static ssize_t read_piece(struct unpack *unpack, size_t at)
{
	ssize_t n;
	do
		n = read(STDIN_FILENO, unpack->piece + at, sizeof(unpack->piece) - at);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		unpack->report->archive_bytes += (uint64_t)n;
	return n;
}

/* The first piece has been read already, to see what it is. */
static la_ssize_t read_input(struct archive *in, void *owner, const void **block)
{
	struct unpack *unpack = owner;
	ssize_t n = unpack->first_size;
	unpack->first_size = 0;
	if (n == 0)
		n = read_piece(unpack, 0);
	*block = unpack->piece;
	if (n < 0)
		archive_set_error(in, errno, "%s", strerror(errno));
	return n;
}

/* What a zip's entries are stands at its end: it is laid down before it is read. */
static int spool(struct unpack *unpack, int file)
{
	off_t offset = 0;
	for (ssize_t n = unpack->first_size; n != 0; n = read_piece(unpack, 0)) {
		if (n < 0 || write_block(file, unpack->piece, (size_t)n, offset) < 0)
			return fail_on(unpack, "the archive");
		offset += n;
		if ((uint64_t)offset > CONTENT_MAX)
			return archive_fail(unpack->report, EFBIG, "the archive is too large");
	}
	unpack->first_size = 0;
	return 0;
}

static int open_spooled(struct unpack *unpack)
{
	unpack->spool = openat(unpack->staging->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (unpack->spool < 0)
		return fail_on(unpack, "the archive");
	if (spool(unpack, unpack->spool) < 0)
		return -1;
	return archive_read_open_fd(unpack->in, unpack->spool, READ_SIZE) == ARCHIVE_OK
		   ? 0
		   : fail_archive(unpack);
}

static int look_at_first(struct unpack *unpack)
{
	ssize_t n = 1;
	while (n > 0 && unpack->first_size < MAGIC_SIZE) {
		n = read_piece(unpack, (size_t)unpack->first_size);
		unpack->first_size += n > 0 ? n : 0;
	}
	return n < 0 ? fail_on(unpack, "the archive") : 0;
}

static int open_archive(struct unpack *unpack)
{
	if (look_at_first(unpack) < 0)
		return -1;
	if (unpack->first_size == 0)
		return archive_fail(unpack->report, 0, "there is no archive: it has no bytes");
	if (unpack->first_size >= MAGIC_SIZE && memcmp(unpack->piece, "PK", MAGIC_SIZE) == 0)
		return open_spooled(unpack);
	return archive_read_open(unpack->in, unpack, NULL, read_input, NULL) == ARCHIVE_OK
		   ? 0
		   : fail_archive(unpack);
}

static int unpack_all(struct unpack *unpack)
{
	struct archive_entry *entry;
	int r = open_archive(unpack);
	if (r < 0)
		return r;
	while ((r = archive_read_next_header(unpack->in, &entry)) != ARCHIVE_EOF) {
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return fail_archive(unpack);
		if (unpack_entry(unpack, entry) < 0)
			return -1;
	}
	return 0;
}

int archive_unpack(struct staging *staging, const struct archive_format *format,
		   struct archive_report *report)
{
	struct unpack *unpack = calloc(1, sizeof(*unpack));
	int r;
	if (!unpack)
		return archive_fail(report, ENOMEM, "out of memory");
	*unpack = (struct unpack){.staging = staging, .report = report, .parent = -1, .spool = -1};
	unpack->in = archive_read_new();
	if (unpack->in) {
		support(unpack->in, format);
		r = unpack_all(unpack);
		/* To its end, so that an upload that was broken off can be told from a whole one.
		 */
		while (read_piece(unpack, 0) > 0)
			;
		archive_read_free(unpack->in);
	} else {
		r = archive_fail(report, ENOMEM, "out of memory");
	}
	descriptor_close(&unpack->parent);
	descriptor_close(&unpack->spool);
	free(unpack);
	return r;
}
