/* The index of a sealed segment on disk.
 *
 *   header of INDEX_FILE_HEADER bytes: "CROFTIDX", u32 version, u32 checksum of the rest of the
 * header, u64 first position, u32 records, u32 end offset, i64 oldest and newest time, u32 entries,
 * u32 holes, u32 checksum of what follows, zeros holes: u32 start, u32 end entries: u64 subject,
 * u32 ordinal, u32 where; sorted by subject, then ordinal
 *
 * It is written as a whole and renamed into place: it is there and whole, or it is not there. */
#pragma once

#include "port/log/index.h"

enum { INDEX_FILE_HEADER = 96 };

/* What is known of a segment without looking into it. */
struct index_summary {
	uint64_t first;
	uint32_t records;
	uint32_t end; /* offset behind the last record */
	int64_t oldest_ms;
	int64_t newest_ms;
	uint32_t n_entries;
	uint32_t n_holes;
	struct index_hole holes[INDEX_HOLES_MAX];
	uint32_t checksum;
	uint32_t n_filed; /* holes that stand in the file; further ones were found since */
};

/* Past the limit the last hole grows over what lies between: more is called lost than is, never
 * less. */
void index_note_hole(struct index_summary *summary, struct index_hole hole);

enum index_file_outcome {
	INDEX_FILE_UNUSABLE = 1
}; /* damaged or of another version: to be made again */

/* `index` is finished first. */
int index_file_write(int directory, const char *name, const struct index_summary *summary,
		     struct index *index) ATTR_MUST_CHECK;

/* Header and holes; the entries are checked by index_file_check(), which reads them all. */
int index_file_read(int fd, struct index_summary *summary) ATTR_MUST_CHECK;
int index_file_check(int fd, const struct index_summary *summary) ATTR_MUST_CHECK;

int index_file_find(int fd, const struct index_summary *summary, const struct index_query *query,
		    struct index_entry *found, size_t *count) ATTR_MUST_CHECK;

/* 0 and the newest entry at `from` or behind, or INDEX_FILE_NONE. */
enum { INDEX_FILE_NONE = 2 };
int index_file_find_last(int fd, const struct index_summary *summary, uint64_t subject,
			 uint32_t from, struct index_entry *found) ATTR_MUST_CHECK;
