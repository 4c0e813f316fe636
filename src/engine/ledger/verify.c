#include "engine/ledger/verify.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "engine/ledger/report.h"
#include "engine/ledger/tile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The largest bundle, and room to see that nothing follows it. */
enum { FILE_LIMIT = TILE_WIDTH * (TILE_ENTRY_PREFIX + TILE_ENTRY_MAX) + (64 << 10) };

enum { GROWTHS_MAX = 16 }; /* of a log, while it is read, until it is told as what it looks like */

/* What is known so far of one log. Entries decide: the tree is built from them alone, and the
 * published hashes serve to say where something is wrong. */
struct walk {
	const struct verify_reader *reader;
	struct verify_report *report;
	struct checkpoint known;
	struct ledger_frontier frontier;
	struct tile_edge edge;
	struct buffer file;

	/* The first entry that does not fit its published hash. */
	bool suspect;
	uint64_t suspect_position;
	enum verify_outcome suspect_outcome;

	/* The first published hash that does not fit the entries. */
	bool tile_suspect;
	uint64_t tile_position;
	char tile_path[TILE_PATH_SIZE];
};

static int read_file(struct walk *walk, const char *name)
{
	buffer_clear(&walk->file);
	int r = walk->reader->read(walk->reader, name, &walk->file);
	if (r == -ENOMEM)
		return error_trace(r);
	if (r >= 0)
		return r;
	report_set(walk->report, VERIFY_UNREADABLE, "%s: %s", name, strerror(-r));
	return 2;
}

/* By the layout's rule a full tile may stand in for one of its parts. */
static int read_tile(struct walk *walk, struct tile_name name, char path[TILE_PATH_SIZE])
{
	tile_format(&name, path);
	int r = read_file(walk, path);
	if (r != 1 || name.width == TILE_WIDTH)
		return r;
	name.width = TILE_WIDTH;
	tile_format(&name, path);
	return read_file(walk, path);
}

static int open_checkpoint(struct walk *walk, const struct checkpoint_key *key, struct text known)
{
	if (known.size > 0 && report_open_checkpoint(walk->report, known, key, &walk->known))
		return 1;
	int r = read_file(walk, "checkpoint");
	if (r == 1)
		report_set(walk->report, VERIFY_CHECKPOINT_BAD, "there is no checkpoint");
	if (r)
		return r;
	if (report_open_checkpoint(walk->report, buffer_text(&walk->file), key,
				   &walk->report->checkpoint))
		return 1;
	if (walk->known.size > walk->report->checkpoint.size) {
		report_set(walk->report, VERIFY_ROLLED_BACK,
			   "the known checkpoint has %" PRIu64 " entries", walk->known.size);
		report_at(walk->report, walk->report->checkpoint.size);
		return 1;
	}
	return 0;
}

static void suspect_entry(struct walk *walk, uint64_t position, enum verify_outcome outcome)
{
	if (walk->suspect && walk->suspect_position <= position)
		return;
	walk->suspect = true;
	walk->suspect_position = position;
	walk->suspect_outcome = outcome;
}

static void suspect_tile(struct walk *walk, uint64_t position, const char *path)
{
	if (walk->tile_suspect)
		return;
	walk->tile_suspect = true;
	walk->tile_position = position;
	snprintf(walk->tile_path, sizeof(walk->tile_path), "%s", path);
}

/* A published tile and how many of its hashes the entries read so far can be held against. */
struct comparison {
	struct tile_name tile;
	unsigned count;
	bool differs;
	uint64_t position; /* the first entry under the first hash that differs */
};

static int compare_tile(struct walk *walk, struct comparison *comparison)
{
	char path[TILE_PATH_SIZE];
	const struct tile_name *tile = &comparison->tile;
	int r = read_tile(walk, *tile, path);
	if (r < 0 || r == 2)
		return r;
	for (unsigned i = 0; i < comparison->count; i++) {
		size_t at = (size_t)i * DIGEST_SIZE;
		bool there = r == 0 && walk->file.size >= at + DIGEST_SIZE;
		if (there && memcmp(walk->file.data + at, walk->edge.hashes[tile->level][i].b,
				    DIGEST_SIZE) == 0)
			continue;
		comparison->differs = true;
		comparison->position = (tile->index * TILE_WIDTH + i) << (8 * tile->level);
		suspect_tile(walk, comparison->position, path);
		return 0;
	}
	return 0;
}

static int compare_upper_tile(struct walk *walk, unsigned level, uint64_t index, unsigned width)
{
	struct comparison comparison = {{false, level, index, width}, width, false, 0};
	return compare_tile(walk, &comparison);
}

static bool is_known_root(const struct walk *walk)
{
	struct digest_value root = ledger_frontier_root(&walk->frontier);
	return digest_equal(&root, &walk->known.root);
}

static int take_entry(struct walk *walk, struct bytes entry)
{
	uint64_t position = walk->frontier.size;
	struct digest_value leaf = ledger_leaf_hash(entry);
	if (!report_entry_has_seq(bytes_text(entry), position))
		suspect_entry(walk, position, VERIFY_ENTRY_MISPLACED);
	ledger_frontier_append(&walk->frontier, &leaf);
	unsigned full = tile_edge_append(&walk->edge, &leaf);
	walk->report->entries = walk->frontier.size;
	if (walk->frontier.size == walk->known.size && !is_known_root(walk)) {
		report_set(walk->report, VERIFY_HISTORY_CHANGED,
			   "the first %" PRIu64 " entries are not those that were signed",
			   walk->known.size);
		return 1;
	}
	for (unsigned level = 1; level < full; level++) {
		uint64_t index = (position >> (8 * level)) / TILE_WIDTH;
		int r = compare_upper_tile(walk, level, index, TILE_WIDTH);
		if (r)
			return r;
	}
	return 0;
}

/* The first `count` entries of a bundle of `width` against their hashes in tile/0. */
static int compare_leaves(struct walk *walk, uint64_t index, unsigned width, unsigned count)
{
	struct comparison comparison = {{false, 0, index, width}, count, false, 0};
	int r = compare_tile(walk, &comparison);
	if (r == 0 && comparison.differs)
		suspect_entry(walk, comparison.position, VERIFY_ENTRY_ALTERED);
	return r;
}

static int take_bundle(struct walk *walk, uint64_t index, unsigned width)
{
	char path[TILE_PATH_SIZE];
	struct tile_name name = {true, 0, index, width};
	struct bytes entry;
	int r = read_tile(walk, name, path);
	if (r < 0 || r == 2)
		return r;
	struct buffer bundle ATTR_BUFFER = {0};
	if (r == 0) {
		bundle = walk->file;
		walk->file = (struct buffer){.limit = FILE_LIMIT};
	}
	struct bytes rest = buffer_bytes(&bundle);
	for (unsigned i = 0; i < width; i++) {
		r = tile_next_entry(&rest, &entry);
		if (r) {
			suspect_entry(walk, walk->frontier.size,
				      r == 1 ? VERIFY_ENTRY_MISSING : VERIFY_ENTRY_ALTERED);
			r = compare_leaves(walk, index, width, i);
			return r ? r : 1;
		}
		r = take_entry(walk, entry);
		if (r)
			return r;
	}
	bool exact = width == TILE_WIDTH || strstr(path, ".p/");
	if (exact && rest.size > 0)
		suspect_entry(walk, walk->frontier.size, VERIFY_ENTRY_MISPLACED);
	return compare_leaves(walk, index, width, width);
}

static int take_entries(struct walk *walk)
{
	uint64_t size = walk->report->checkpoint.size;
	while (walk->frontier.size < size) {
		uint64_t index = walk->frontier.size / TILE_WIDTH;
		int r = take_bundle(walk, index, tile_width(size, 0, index));
		if (r)
			return r;
	}
	for (unsigned level = 1; level < TILE_LEVELS; level++) {
		uint64_t index = (size >> (8 * level)) / TILE_WIDTH;
		unsigned width = tile_width(size, level, index);
		int r = width > 0 && width < TILE_WIDTH
			    ? compare_upper_tile(walk, level, index, width)
			    : 0;
		if (r)
			return r;
	}
	return 0;
}

static void conclude(struct walk *walk)
{
	struct verify_report *report = walk->report;
	struct digest_value root = ledger_frontier_root(&walk->frontier);
	bool same = walk->frontier.size == report->checkpoint.size &&
		    digest_equal(&root, &report->checkpoint.root);
	if (walk->suspect && (!same || walk->suspect_outcome != VERIFY_ENTRY_ALTERED)) {
		report_set(report, walk->suspect_outcome, "entry %" PRIu64, walk->suspect_position);
		report_at(report, walk->suspect_position);
	} else if (walk->tile_suspect) {
		report_set(report, same ? VERIFY_TILE_WRONG : VERIFY_ENTRY_ALTERED, "%s",
			   walk->tile_path);
		report_at(report, walk->tile_position);
	} else if (!same) {
		report_set(report, VERIFY_ROOT_DIFFERS,
			   "the signed root is not that of the entries");
	}
}

static int verify_once(const struct verify_reader *reader, const struct checkpoint_key *key,
		       struct text known, struct verify_report *report)
{
	*report = (struct verify_report){0};
	struct walk *walk = calloc(1, sizeof(*walk));
	if (!walk)
		return error_origin(-ENOMEM);
	walk->reader = reader;
	walk->report = report;
	walk->file.limit = FILE_LIMIT;
	int r = open_checkpoint(walk, key, known);
	if (r == 0)
		r = take_entries(walk);
	if (r >= 0 && report->outcome == VERIFY_SOUND)
		conclude(walk);
	buffer_free(&walk->file);
	free(walk);
	return r < 0 ? error_trace(r) : 0;
}

static bool has_grown(const struct verify_reader *reader, const struct checkpoint_key *key,
		      uint64_t size)
{
	struct buffer note ATTR_BUFFER = {.limit = CHECKPOINT_SIZE_LIMIT};
	struct checkpoint newest;
	return reader->read(reader, "checkpoint", &note) == 0 &&
	       checkpoint_open(buffer_text(&note), key, &newest) == 0 && newest.size > size;
}

/* A log that is written to replaces its partial tiles: those of the checkpoint that was read may be
 * gone when they are wanted. Then the newer checkpoint counts, and everything is proven anew. */
int verify_log(const struct verify_reader *reader, const struct checkpoint_key *key,
	       struct text known, struct verify_report *report)
{
	for (unsigned i = 0;; i++) {
		int r = verify_once(reader, key, known, report);
		if (r < 0 || report->outcome == VERIFY_SOUND || i == GROWTHS_MAX ||
		    !has_grown(reader, key, report->checkpoint.size))
			return error_trace(r);
	}
}

static int folder_read(const struct verify_reader *reader, const char *name, struct buffer *out)
{
	const struct verify_folder *folder =
	    container_of(reader, const struct verify_folder, reader);
	int r = file_read(folder->directory, name, out);
	return r == -ENOENT || r == -ENOTDIR ? 1 : r;
}

void verify_folder_init(struct verify_folder *folder, int directory)
{
	*folder = (struct verify_folder){{folder_read}, directory};
}
