/* The index of one segment: for each subject, where its records lie. Two forms of the same entries:
 *
 *   in memory, of the segment that is written: sorted runs, each as long as its neighbours' sum or
 * longer, merged as they come to be equal, and an unsorted tail of INDEX_RUN entries at most. Runs
 * cover ascending ranges of positions. on disk, of a sealed segment: one sorted run with a
 * checksum, searched with reads of a few bytes, so that it costs no memory whatever the length of
 * the log.
 *
 * The file can always be made again from the segment. */
#pragma once

#include "base/buffer.h"
#include "port/log/record.h"

enum {
	INDEX_RUN = 4096,
	INDEX_RUNS_MAX = 32,
	INDEX_HOLES_MAX = 16, /* more damage than this makes one hole of the rest */
};

struct index_entry {
	uint64_t subject;
	uint32_t ordinal; /* position within the segment */
	uint32_t where;   /* tag in the top four bits, offset / RECORD_ALIGN below */
};

static inline uint32_t index_entry_offset(const struct index_entry *entry)
{
	return (entry->where & 0x0fffffff) * RECORD_ALIGN;
}

static inline uint8_t index_entry_tag(const struct index_entry *entry)
{
	return (uint8_t)(entry->where >> 28);
}

/* Positions that are lost: ordinals from `start` up to, not including, `end`. */
struct index_hole {
	uint32_t start;
	uint32_t end;
};

struct index {
	struct index_entry *entries;
	struct index_entry *scratch; /* as large, for merging */
	size_t count;
	size_t capacity;
	size_t runs[INDEX_RUNS_MAX]; /* their lengths; the tail follows */
	size_t n_runs;
	size_t sorted; /* entries in runs */
};

void index_free(struct index *index);
int index_reserve(struct index *index, size_t more) ATTR_MUST_CHECK; /* -ENOMEM */

/* Room must have been reserved. Ordinals ascend. */
void index_add(struct index *index, const struct record *record, uint32_t ordinal, uint32_t offset);

/* Which entries of a subject: from an ordinal on. */
struct index_query {
	uint64_t subject;
	uint32_t from;
	size_t max;
};

size_t index_find(const struct index *index, const struct index_query *query,
		  struct index_entry *found);
bool index_find_last(const struct index *index, uint64_t subject, uint32_t from,
		     struct index_entry *found);

/* Makes one run of all, for the file. */
void index_finish(struct index *index);
