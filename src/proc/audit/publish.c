#include "proc/audit/publish.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "proc/audit/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0644, DIRECTORY_MODE = 0755 };

void journal_path(uint64_t number, char path[JOURNAL_PATH_SIZE])
{
	snprintf(path, JOURNAL_PATH_SIZE, "journal/%010" PRIu64, number);
}

static int sync_directory(int parent, const char *path)
{
	int fd ATTR_DESCRIPTOR = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? error_origin(-errno) : 0;
}

/* The folders above `path`. A new one must be durable in its parent before a file in it can be. */
static int make_folders(struct audit_log *log, const char *path)
{
	char folder[TILE_PATH_SIZE], parent[TILE_PATH_SIZE] = ".";
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
		if (mkdirat(log->directory, folder, DIRECTORY_MODE) < 0) {
			if (errno != EEXIST)
				return error_origin(-errno);
		} else {
			int r = sync_directory(log->directory, parent);
			if (r < 0)
				return error_trace(r);
		}
		memcpy(parent, folder, sizeof(parent));
	}
	return 0;
}

static int write_durable(struct audit_log *log, const char *path, struct bytes content)
{
	int r = make_folders(log, path);
	if (r == 0)
		r = file_replace(log->directory, path, content, FILE_MODE);
	return error_trace(r);
}

/* For what is written again after a crash. */
static int write_plain(struct audit_log *log, const char *path, struct bytes content)
{
	int r = make_folders(log, path);
	if (r < 0)
		return error_trace(r);
	int fd ATTR_DESCRIPTOR = openat(
	    log->directory, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0)
		return error_origin(-errno);
	return error_trace(descriptor_write_all(fd, content));
}

int publish_journal(struct audit_log *log, uint64_t number)
{
	char path[JOURNAL_PATH_SIZE];
	journal_path(number, path);
	int r = make_folders(log, path);
	if (r < 0)
		return error_trace(r);
	int fd = openat(log->directory, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_origin(-errno);
	r = sync_directory(log->directory, "journal");
	if (r < 0) {
		descriptor_close(&fd);
		return error_trace(r);
	}
	descriptor_close(&log->journal);
	log->journal = fd;
	log->journal_number = number;
	log->journal_size = 0;
	log->journal_dirty = false;
	return 0;
}

static struct bytes hashes_of(const struct audit_log *log, unsigned level, unsigned width)
{
	return (struct bytes){log->edge.hashes[level][0].b, (size_t)width * DIGEST_SIZE};
}

/* The hash tiles that the last entry completed, lowest first. */
static int write_full_tiles(struct audit_log *log)
{
	uint64_t hashes = log->edge.size;
	for (unsigned level = 0; level < TILE_LEVELS && hashes % TILE_WIDTH == 0; level++) {
		char path[TILE_PATH_SIZE];
		hashes /= TILE_WIDTH;
		struct tile_name name = {false, level, hashes - 1, TILE_WIDTH};
		tile_format(&name, path);
		int r = write_durable(log, path, hashes_of(log, level, TILE_WIDTH));
		if (r < 0)
			return error_trace(r);
	}
	return 0;
}

static int summarise(struct audit_log *log)
{
	struct bytes rest = buffer_bytes(&log->bundle), entry;
	struct entry_view view;
	size_t bundle = log->journal_number;
	int r = summaries_grow(&log->summaries, bundle + 1);
	if (r < 0)
		return error_trace(r);
	struct summary summary = {0};
	while (tile_next_entry(&rest, &entry) == 0)
		if (entry_read(bytes_text(entry), &view) == 0)
			summary_add(&summary, view.fields[ENTRY_WORKSPACE]);
	log->summaries.items[bundle] = summary;
	return 0;
}

/* The journal begins last: as long as it does not exist, recovery finds the full one and does all
 * of this again. */
static int write_bundle(struct audit_log *log)
{
	char path[TILE_PATH_SIZE], old[JOURNAL_PATH_SIZE];
	uint64_t number = log->journal_number;
	struct tile_name name = {true, 0, number, TILE_WIDTH};
	tile_format(&name, path);
	int r = write_durable(log, path, buffer_bytes(&log->bundle));
	if (r == 0)
		r = write_full_tiles(log);
	if (r == 0)
		r = summarise(log);
	if (r == 0)
		r = publish_journal(log, number + 1);
	if (r < 0)
		return error_trace(r);
	if (number + 1 >= AUDIT_LOG_JOURNALS) {
		journal_path(number + 1 - AUDIT_LOG_JOURNALS, old);
		unlinkat(log->directory, old, 0); /* one too many does no harm */
	}
	buffer_clear(&log->bundle);
	return 0;
}

int publish_bundle(struct audit_log *log)
{
	if (log->broken)
		return AUDIT_LOG_BROKEN;
	int r = write_bundle(log);
	return r < 0 ? audit_log_failed(log, "publishing audit entries", r) : 0;
}

/* The partial tiles of a tree of `size` entries, one after the other; false at the end. */
static bool next_partial(uint64_t size, struct tile_name *name)
{
	if (name->entries) {
		*name = (struct tile_name){.level = 0};
	} else if (name->width) {
		name->level++;
	} else {
		name->entries = true;
	}
	for (; name->level < TILE_LEVELS; name->level++) {
		uint64_t hashes = size >> (8 * name->level);
		name->width = (unsigned)(hashes % TILE_WIDTH);
		name->index = hashes / TILE_WIDTH;
		if (name->width)
			return true;
		name->entries = false;
	}
	return false;
}

static int write_partials(struct audit_log *log)
{
	struct tile_name name = {0};
	while (next_partial(log->edge.size, &name)) {
		char path[TILE_PATH_SIZE];
		tile_format(&name, path);
		int r = write_plain(log, path,
				    name.entries ? buffer_bytes(&log->bundle)
						 : hashes_of(log, name.level, name.width));
		if (r < 0)
			return error_trace(r);
	}
	return 0;
}

/* Those that no checkpoint on disk needs any more. What cannot be removed does no harm. */
static void remove_partials(struct audit_log *log, uint64_t old_size)
{
	struct tile_name name = {0};
	while (next_partial(old_size, &name)) {
		char path[TILE_PATH_SIZE];
		uint64_t hashes = log->edge.size >> (8 * name.level);
		if (hashes == name.index * TILE_WIDTH + name.width)
			continue;
		tile_format(&name, path);
		unlinkat(log->directory, path, 0);
		*strrchr(path, '/') = '\0';
		unlinkat(log->directory, path, AT_REMOVEDIR); /* refused while others lie in it */
	}
}

static int write_checkpoint(struct audit_log *log)
{
	struct buffer note ATTR_BUFFER = {0};
	struct checkpoint checkpoint = {log->edge.size, tile_edge_root(&log->edge)};
	int r = checkpoint_sign(&checkpoint, &log->key, log->secret, &note);
	if (r == 0)
		r = file_replace(log->directory, "checkpoint", buffer_bytes(&note), FILE_MODE);
	if (r < 0)
		return error_trace(r);
	uint64_t old_size = log->signed_root.size;
	buffer_free(&log->note);
	log->note = note;
	note = (struct buffer){0};
	log->signed_root = checkpoint;
	remove_partials(log, old_size);
	return 0;
}

int publish_partial_tiles(struct audit_log *log)
{
	int r = write_partials(log);
	return r < 0 ? audit_log_failed(log, "writing partial tiles", r) : 0;
}

int publish_checkpoint(struct audit_log *log)
{
	int r = log->broken ? AUDIT_LOG_BROKEN : publish_partial_tiles(log);
	if (r)
		return r;
	r = write_checkpoint(log);
	return r < 0 ? audit_log_failed(log, "writing the checkpoint", r) : 0;
}
