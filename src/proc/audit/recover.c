#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "proc/audit/entry.h"
#include "proc/audit/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

/* What lies in the folder before anything is touched. */
struct found {
	bool key;
	bool note;
	bool journals;
	uint64_t newest; /* journal */
};

static int find_journals(struct audit_log *log, struct found *found)
{
	int fd = openat(log->directory, "journal", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : error_origin(-errno);
	DIR *folder = fdopendir(fd);
	if (!folder) {
		descriptor_close(&fd);
		return error_origin(-ENOMEM);
	}
	for (struct dirent *item = readdir(folder); item; item = readdir(folder)) {
		uint64_t number;
		if (text_parse_u64(text_of(item->d_name), INT64_MAX, &number))
			continue;
		if (!found->journals || number > found->newest)
			found->newest = number;
		found->journals = true;
	}
	closedir(folder);
	return 0;
}

static int read_note(struct audit_log *log, struct found *found)
{
	log->note.limit = 4 * CHECKPOINT_SIZE_LIMIT;
	int r = file_read(log->directory, "checkpoint", &log->note);
	found->note = r == 0;
	return r == -ENOENT ? 0 : error_trace(r);
}

static int take_key(struct audit_log *log, struct found *found, struct text origin)
{
	int r = sign_key_load(log->directory, "signing.key", &log->secret);
	if (r < 0)
		return error_trace(r);
	found->key = r == 0;
	if (!found->key) {
		if (found->note || found->journals)
			return audit_log_break(log,
					       "there are entries, but the signing key is gone");
		r = sign_key_create(log->directory, "signing.key", &log->secret);
		if (r < 0)
			return error_trace(r);
	}
	if (checkpoint_key_make(origin, sign_key_public(log->secret), &log->key))
		return audit_log_break(log, "audit.origin is not a name without blanks and '+'");
	char verifier[CHECKPOINT_KEY_TEXT_SIZE];
	struct buffer line ATTR_BUFFER = {0}, there ATTR_BUFFER = {.limit = 1 << 20};
	checkpoint_key_format(&log->key, verifier);
	buffer_append_format(&line, "%s\n", verifier);
	r = file_read(log->directory, "key.pub", &there);
	if (r == 0 && text_equal(buffer_text(&there), buffer_text(&line)))
		return 0;
	return error_trace(file_replace(log->directory, "key.pub", buffer_bytes(&line), 0644));
}

static int open_note(struct audit_log *log, const struct found *found)
{
	static const char *const reasons[] = {
	    [CHECKPOINT_MALFORMED] = "the checkpoint is malformed",
	    [CHECKPOINT_OTHER_ORIGIN] = "the checkpoint has another origin than audit.origin",
	    [CHECKPOINT_UNSIGNED] = "the checkpoint is not signed by the signing key",
	    [CHECKPOINT_FORGED] = "the checkpoint's signature is forged",
	};
	if (!found->note && found->journals)
		return audit_log_break(log, "there are entries, but the checkpoint is gone");
	if (!found->note)
		return publish_checkpoint(log); /* of the empty tree: the log begins here */
	int r = checkpoint_open(buffer_text(&log->note), &log->key, &log->signed_root);
	if (r)
		return audit_log_break(log, "%s", reasons[r]);
	if (log->signed_root.size > 0 && !found->journals)
		return audit_log_break(log, "%" PRIu64 " entries were signed, none is there",
				       log->signed_root.size);
	return 0;
}

/* The growing tiles above the entries of `bundles` full bundles, from the full tiles below them. */
static int load_edge(struct audit_log *log, uint64_t bundles)
{
	uint64_t hashes = bundles;
	for (unsigned level = 1; level < TILE_LEVELS && hashes > 0; level++, hashes /= TILE_WIDTH) {
		uint64_t first = hashes / TILE_WIDTH * TILE_WIDTH;
		for (uint64_t i = first; i < hashes; i++) {
			int r = audit_log_load_tile(log, level - 1, i);
			if (r == -ENOMEM)
				return error_trace(r);
			if (r < 0)
				return audit_log_break(log, "tile/%u/%" PRIu64 ": %s", level - 1, i,
						       strerror(-r));
			log->edge.hashes[level][i - first] =
			    tile_hash(log->cache[level - 1].hashes);
		}
	}
	log->edge.size = bundles * TILE_WIDTH;
	return 0;
}

static int read_journal(struct audit_log *log, uint64_t number, struct buffer *frames)
{
	char path[JOURNAL_PATH_SIZE];
	journal_path(number, path);
	frames->limit = AUDIT_LOG_BUNDLE_LIMIT + (64 << 10);
	return error_trace(file_read(log->directory, path, frames));
}

/* Identities of older journals. A journal that is gone or damaged only forgets what was
 * acknowledged long ago. */
static int load_repeats(struct audit_log *log, uint64_t newest)
{
	uint64_t first = newest >= AUDIT_LOG_JOURNALS ? newest - AUDIT_LOG_JOURNALS + 1 : 0;
	for (uint64_t number = first; number < newest; number++) {
		struct buffer frames ATTR_BUFFER = {0};
		struct journal_frame frame;
		if (read_journal(log, number, &frames) < 0)
			continue;
		struct bytes rest = buffer_bytes(&frames);
		for (uint64_t seq = number * TILE_WIDTH;
		     journal_next_frame(&rest, seq, &frame) == 0; seq++) {
			int r = repeats_add(&log->repeats, frame.id, seq);
			if (r < 0)
				return error_trace(r);
		}
	}
	return 0;
}

/* Cuts what a crash left half written. It was never acknowledged: that comes after the sync. */
static int cut_tail(struct audit_log *log, size_t left)
{
	if (log->edge.size < log->signed_root.size)
		return audit_log_break(
		    log, "entry %" PRIu64 " is damaged or missing, %" PRIu64 " were signed",
		    log->edge.size, log->signed_root.size);
	if (left == 0)
		return 0;
	log_warning("cut %zu bytes that a crash left behind entry %" PRIu64, left, log->edge.size);
	if (ftruncate(log->journal, (off_t)log->journal_size) < 0 || fdatasync(log->journal) < 0)
		return error_origin(-errno);
	return 0;
}

static int replay(struct audit_log *log, uint64_t number)
{
	struct buffer frames ATTR_BUFFER = {0};
	struct journal_frame frame;
	int r = publish_journal(log, number);
	if (r == 0)
		r = read_journal(log, number, &frames);
	if (r < 0)
		return error_trace(r);
	struct bytes rest = buffer_bytes(&frames);
	while (log->edge.size < (number + 1) * TILE_WIDTH &&
	       journal_next_frame(&rest, log->edge.size, &frame) == 0) {
		r = repeats_add(&log->repeats, frame.id, log->edge.size);
		if (r < 0)
			return error_trace(r);
		audit_log_take_frame(log, &frame);
	}
	log->journal_size = frames.size - rest.size;
	r = buffer_check(&log->bundle);
	return r < 0 ? error_trace(r) : cut_tail(log, rest.size);
}

static int compare_with_signed(struct audit_log *log)
{
	struct digest_value root;
	int r = ledger_range_hash(&log->source, 0, log->signed_root.size, &root);
	if (r == -ENOMEM)
		return error_trace(r);
	if (r < 0)
		return audit_log_break(log, "a tile cannot be read: %s", strerror(-r));
	if (!digest_equal(&root, &log->signed_root.root))
		return audit_log_break(
		    log, "the first %" PRIu64 " entries are not those that were signed",
		    log->signed_root.size);
	return 0;
}

/* 0; AUDIT_LOG_NO_SPACE or AUDIT_LOG_BROKEN; negative where the log can neither be believed nor
 * refused. */
static int recover(struct audit_log *log, struct text origin)
{
	struct found found = {0};
	int r = find_journals(log, &found);
	if (r == 0)
		r = read_note(log, &found);
	if (r == 0)
		r = take_key(log, &found, origin);
	if (r == 0)
		r = open_note(log, &found);
	if (r == 0)
		r = load_edge(log, found.newest);
	if (r == 0)
		r = load_repeats(log, found.newest);
	if (r == 0)
		r = replay(log, found.newest);
	if (r == 0)
		r = summaries_grow(&log->summaries, found.newest);
	if (r == 0)
		r = compare_with_signed(log);
	log->walk_end = found.newest;
	return r;
}

/* A full journal without its tiles, partial tiles that were not synced, a checkpoint that lags
 * behind. What has no room now is done later by the same functions. */
static void complete(struct audit_log *log)
{
	int r = log->edge.size / TILE_WIDTH > log->journal_number ? publish_bundle(log) : 0;
	if (r == 0)
		r = publish_partial_tiles(log);
	if (r == 0)
		r = audit_log_checkpoint(log);
	if (r)
		log_warning("the checkpoint of the audit log is behind its entries");
}

int audit_log_open(struct audit_log **log, int directory, struct text origin)
{
	struct audit_log *made = calloc(1, sizeof(*made));
	if (!made)
		return error_origin(-ENOMEM);
	made->directory = directory;
	made->journal = -1;
	made->source.hash = audit_log_hash;
	made->bundle.limit = AUDIT_LOG_BUNDLE_LIMIT;
	made->staged.limit = AUDIT_LOG_BUNDLE_LIMIT;
	int r = repeats_init(&made->repeats);
	if (r == 0)
		r = recover(made, origin);
	if (r < 0) {
		audit_log_close(made);
		return error_trace(r);
	}
	if (r == 0)
		complete(made);
	*log = made;
	return 0;
}
