/* One file of the segment log, and its index.
 *
 *   header, twice: "CROFTLOG", u32 version, u32 checksum of the rest of the header, u64 first
 * position, u64 salt, zeros records (record.h), one behind the other zeros, where space was taken
 * in advance
 *
 * A segment is written by one process from its making to its sealing; what a process that died left
 * behind is recovered, sealed and never written again. Files are named by a serial number; a later
 * segment's first position ends the one before it. */
#pragma once

#include "port/log/disk.h"
#include "port/log/index_file.h"

enum {
	SEGMENT_HEADER = 128,
	SEGMENT_EXTENT =
	    4 << 20, /* taken in advance, so that a full disk is found before a batch is begun */
	SEGMENT_RESERVE =
	    16 << 20, /* left free, for indexes and for the other roles' small writes */
	SEGMENT_BYTES_MAX = 1 << 30,
	SEGMENT_NAME = 24,
};

struct segment {
	uint32_t serial;
	uint64_t salt;
	struct index_summary summary;
	struct index *index; /* in memory while it is not on disk; owned */
	int fd;              /* -1 while closed */
	int index_fd;        /* -1 while closed */
	bool index_checked;
	uint64_t allocated;
	uint64_t used; /* when it was last needed, in the log's own count */
};

void segment_name(uint32_t serial, const char *suffix, char name[SEGMENT_NAME]);

void segment_free(struct segment *segment); /* NULL is fine; closes, removes nothing */
#define ATTR_SEGMENT ATTR_CLEANUP(segment_cleanup)
static inline void segment_cleanup(struct segment **segment)
{
	segment_free(*segment);
}

struct segment_place {
	int directory;
	const struct disk *disk;
};

/* A new one with an empty index. 0, LOG_NO_SPACE, negative. */
int segment_create(const struct segment_place *place, const struct segment *like,
		   struct segment **segment) ATTR_MUST_CHECK;

enum segment_outcome {
	SEGMENT_UNUSABLE = 8, /* its header is damaged, twice */
	SEGMENT_UNBORN, /* its header never reached the disk, so nothing in it was acknowledged */
};

/* An existing one: from its index, or recovered up to, not including, position `limit`. */
int segment_open(const struct segment_place *place, uint32_t serial, uint64_t limit,
		 struct segment **segment) ATTR_MUST_CHECK;

struct segment_batch {
	struct bytes records;
	uint32_t count;
};

/* Writes the batch behind the records, durably. 0; LOG_NO_SPACE: nothing was written; negative:
 * anything may have been. */
int segment_write(struct segment *segment, const struct disk *disk,
		  const struct segment_batch *batch) ATTR_MUST_CHECK;

/* Takes a batch that segment_write() has written into the index. Cannot fail: room was reserved
 * before the batch was written. */
void segment_accept(struct segment *segment, const struct segment_batch *batch);

/* Writes the index and gives back what was taken in advance. On failure the index stays in memory.
 */
int segment_seal(struct segment *segment, int directory) ATTR_MUST_CHECK;

/* Positions up to, not including, `end` belong to the segment and are lost where it has no records
 * for them. */
void segment_extend_lost(struct segment *segment, uint64_t end);

int segment_open_files(struct segment *segment, int directory) ATTR_MUST_CHECK;
void segment_close_files(struct segment *segment);

int segment_find(struct segment *segment, int directory, const struct index_query *query,
		 struct index_entry *found, size_t *count) ATTR_MUST_CHECK;
int segment_find_last(struct segment *segment, int directory, uint64_t subject, uint32_t from,
		      struct index_entry *found) ATTR_MUST_CHECK; /* INDEX_FILE_NONE */
