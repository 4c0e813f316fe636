#include "proc/audit/audit_log.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "proc/audit/entry.h"
#include "proc/audit/publish.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int audit_log_break(struct audit_log *log, const char *format, ...)
{
	va_list args;
	if (log->broken)
		return AUDIT_LOG_BROKEN;
	va_start(args, format);
	vsnprintf(log->reason, sizeof(log->reason), format, args);
	va_end(args);
	log->broken = true;
	log_error(
	    "THE AUDIT LOG IS BROKEN and takes no more entries, so nothing privileged will run: %s",
	    log->reason);
	return AUDIT_LOG_BROKEN;
}

/* EFBIG is a limit of the process or the file system, which an operator raises as one makes room on
 * a disk. */
static bool passes_by_itself(int error)
{
	static const int temporary[] = {ENOSPC, EDQUOT, EFBIG, ENOMEM, EMFILE, ENFILE};
	for (size_t i = 0; i < ARRAY_SIZE(temporary); i++)
		if (error == -temporary[i])
			return true;
	return false;
}

int audit_log_failed(struct audit_log *log, const char *what, int error)
{
	if (!passes_by_itself(error))
		return audit_log_break(log, "%s: %s", what, strerror(-error));
	log_warning("%s: %s", what, strerror(-error));
	return AUDIT_LOG_NO_SPACE;
}

static uint64_t next_seq(const struct audit_log *log)
{
	return log->edge.size + log->n_staged;
}

/* The growing bundle is full until it is published: then the next journal has begun. */
static bool is_unpublished(const struct audit_log *log)
{
	return log->edge.size / TILE_WIDTH > log->journal_number;
}

bool audit_log_is_full(const struct audit_log *log)
{
	return next_seq(log) / TILE_WIDTH > log->journal_number;
}

int audit_log_stage(struct audit_log *log, const struct control_audit_append *append, uint64_t *seq)
{
	struct buffer entry ATTR_BUFFER = {.limit = JOURNAL_ENTRY_MAX};
	uint64_t place = next_seq(log);
	if (repeats_find(&log->repeats, append->entry, seq))
		return AUDIT_LOG_REPEATED;
	if (log->broken)
		return AUDIT_LOG_BROKEN;
	if (is_unpublished(log)) {
		int r = publish_bundle(log);
		if (r)
			return r;
	}
	entry_write(append, place, &entry);
	size_t before = log->staged.size;
	struct journal_frame frame = {append->entry, buffer_text(&entry)};
	int r = buffer_check(&entry);
	if (r == 0) {
		journal_append_frame(&log->staged, place, &frame);
		r = buffer_check(&log->staged);
	}
	if (r == 0)
		r = repeats_add(&log->repeats, append->entry, place);
	if (r < 0) {
		log->staged.size = before;
		log->staged.failed = 0;
		return audit_log_failed(log, "staging an entry", r);
	}
	log->n_staged++;
	*seq = place;
	return 0;
}

static int write_staged(struct audit_log *log)
{
	if (log->journal_dirty && ftruncate(log->journal, (off_t)log->journal_size) < 0)
		return error_origin(-errno);
	log->journal_dirty = true;
	if (lseek(log->journal, (off_t)log->journal_size, SEEK_SET) < 0)
		return error_origin(-errno);
	int r = descriptor_write_all(log->journal, buffer_bytes(&log->staged));
	if (r < 0)
		return error_trace(r);
	if (fdatasync(log->journal) < 0)
		return error_origin(-errno);
	log->journal_dirty = false;
	log->journal_size += log->staged.size;
	return 0;
}

static void drop_staged(struct audit_log *log)
{
	for (unsigned i = 0; i < log->n_staged; i++)
		repeats_undo(&log->repeats);
	buffer_clear(&log->staged);
	log->n_staged = 0;
}

void audit_log_take_frame(struct audit_log *log, const struct journal_frame *frame)
{
	uint8_t prefix[TILE_ENTRY_PREFIX];
	struct digest_value leaf = ledger_leaf_hash(text_bytes(frame->entry));
	tile_edge_append(&log->edge, &leaf);
	tile_put_entry_size(prefix, frame->entry.size);
	buffer_append(&log->bundle, prefix, sizeof(prefix));
	buffer_append_text(&log->bundle, frame->entry);
}

/* Memory for the bundle is taken before anything is written, so that nothing can fail once entries
 * are durable. */
static int take_staged(struct audit_log *log)
{
	struct bytes rest = buffer_bytes(&log->staged);
	struct journal_frame frame;
	while (journal_next_frame(&rest, log->edge.size, &frame) == 0)
		audit_log_take_frame(log, &frame);
	log->staged.size = 0;
	log->n_staged = 0;
	return buffer_check(&log->bundle);
}

int audit_log_commit(struct audit_log *log)
{
	if (log->n_staged == 0)
		return 0;
	int r = log->broken ? AUDIT_LOG_BROKEN : 0;
	if (r == 0 && !buffer_reserve(&log->bundle, log->staged.size)) {
		log->bundle.failed = 0;
		r = audit_log_failed(log, "committing entries", -ENOMEM);
	}
	if (r == 0) {
		r = write_staged(log);
		r = r < 0 ? audit_log_failed(log, "writing the audit journal", r) : 0;
	}
	if (r) {
		drop_staged(log);
		return r;
	}
	if (take_staged(log) < 0)
		return audit_log_break(log, "an entry was lost on its way into the tree");
	/* The entries are durable, whatever becomes of their publication: staging tries it again.
	 */
	if (is_unpublished(log))
		(void)!publish_bundle(log);
	return 0;
}

int audit_log_checkpoint(struct audit_log *log)
{
	if (log->broken)
		return AUDIT_LOG_BROKEN;
	if (log->signed_root.size == log->edge.size && log->note.size > 0)
		return 0;
	return publish_checkpoint(log);
}

/* ---- reading ---- */

int audit_log_load_tile(struct audit_log *log, unsigned level, uint64_t index)
{
	char path[TILE_PATH_SIZE];
	struct buffer file ATTR_BUFFER = {.limit = 2 * TILE_BYTES + (64 << 10)};
	struct tile_name name = {false, level, index, TILE_WIDTH};
	if (log->cache[level].valid && log->cache[level].index == index)
		return 0;
	tile_format(&name, path);
	int r = file_read(log->directory, path, &file);
	if (r < 0)
		return error_trace(r);
	if (file.size != TILE_BYTES)
		return error_origin(-EBADMSG);
	memcpy(log->cache[level].hashes, file.data, TILE_BYTES);
	log->cache[level].index = index;
	log->cache[level].valid = true;
	return 0;
}

/* Whether a tile's hashes are in the edge: it grows, or it is full and not published yet. */
static bool is_in_edge(const struct audit_log *log, unsigned level, uint64_t tile)
{
	uint64_t hashes = log->edge.size >> (8 * level);
	if (tile == hashes / TILE_WIDTH)
		return true;
	return is_unpublished(log) && hashes % TILE_WIDTH == 0 && tile + 1 == hashes / TILE_WIDTH;
}

int audit_log_hash(const struct ledger_source *source, unsigned level, uint64_t index,
		   struct digest_value *hash)
{
	const struct audit_log *reader = container_of(source, const struct audit_log, source);
	struct audit_log *log =
	    (struct audit_log *)reader; /* the cache is not part of what it says */
	uint64_t tile = index / TILE_WIDTH;
	if (level >= TILE_LEVELS)
		return error_origin(-EINVAL);
	if (is_in_edge(log, level, tile)) {
		*hash = log->edge.hashes[level][index % TILE_WIDTH];
		return 0;
	}
	int r = audit_log_load_tile(log, level, tile);
	if (r == 0)
		*hash = log->cache[level].hashes[index % TILE_WIDTH];
	return error_trace(r);
}

int audit_log_read_bundle(struct audit_log *log, uint64_t bundle, struct buffer *out)
{
	char path[TILE_PATH_SIZE];
	struct tile_name name = {true, 0, bundle, TILE_WIDTH};
	if (bundle == log->journal_number) {
		buffer_append_text(out, buffer_text(&log->bundle));
		return error_trace(buffer_check(out));
	}
	tile_format(&name, path);
	return error_trace(file_read(log->directory, path, out));
}

static int read_published(struct audit_log *log, const char *path, struct buffer *out)
{
	int r = file_read(log->directory, path, out);
	return r == -ENOENT || r == -ENOTDIR ? 1 : r;
}

/* The first entries of a bundle. */
static int read_entries(struct audit_log *log, const struct tile_name *name, struct buffer *out)
{
	struct bytes entry;
	int r = audit_log_read_bundle(log, name->index, out);
	if (r < 0)
		return r;
	struct bytes rest = buffer_bytes(out);
	for (unsigned i = 0; i < name->width; i++)
		if (tile_next_entry(&rest, &entry) != 0)
			return error_origin(-EBADMSG);
	out->size -= rest.size;
	return 0;
}

static int read_tile(struct audit_log *log, const struct tile_name *name, struct buffer *out)
{
	char path[TILE_PATH_SIZE];
	unsigned width = tile_width(log->edge.size, name->level, name->index);
	if (name->width > width)
		return 1;
	if (name->entries)
		return read_entries(log, name, out);
	if (is_in_edge(log, name->level, name->index)) {
		buffer_append(out, log->edge.hashes[name->level],
			      (size_t)name->width * DIGEST_SIZE);
		return error_trace(buffer_check(out));
	}
	struct tile_name full = *name;
	full.width = TILE_WIDTH;
	tile_format(&full, path);
	int r = read_published(log, path, out);
	if (r == 0 && out->size != TILE_BYTES)
		return error_origin(-EBADMSG);
	if (r == 0)
		out->size = (size_t)name->width * DIGEST_SIZE;
	return r;
}

int audit_log_read(struct audit_log *log, struct text name, struct buffer *out)
{
	struct tile_name tile;
	if (text_equal(name, TEXT("checkpoint"))) {
		buffer_append_text(out, buffer_text(&log->note));
		return error_trace(buffer_check(out));
	}
	if (text_equal(name, TEXT("key")) || text_equal(name, TEXT("key.pub")))
		return read_published(log, "key.pub", out);
	if (tile_parse(name, &tile))
		return 1;
	return read_tile(log, &tile, out);
}

void audit_log_close(struct audit_log *log)
{
	if (!log)
		return;
	sign_key_free(log->secret);
	descriptor_close(&log->journal);
	buffer_free(&log->bundle);
	buffer_free(&log->note);
	buffer_free(&log->staged);
	repeats_free(&log->repeats);
	summaries_free(&log->summaries);
	free(log);
}
