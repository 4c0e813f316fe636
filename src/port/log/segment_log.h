/* The embedded event log: a directory of segments (segment.h), oldest first, of which the last is
 * written.
 *
 *   0000000001.log 0000000001.idx   sealed
 *   0000000002.log 0000000002.idx   sealed
 *   0000000003.log                  written; its index is in memory and is made again from it after
 * a crash
 *
 * What a failure does:
 *   - a crash leaves a torn tail; at the next opening the segment ends before it and is sealed, and
 * a new one is begun;
 *   - a write or sync that failed is never tried again on the same file, since the kernel may have
 * dropped the pages: the segment is sealed at its last acknowledged record, and the batch is
 * written anew to the next one, with the same positions;
 *   - a full disk is found when space is taken in advance, before anything of the batch is written.
 * A later segment's first position ends the segment before it, so what an abandoned file holds
 * beyond that counts for nothing.
 *
 * Memory: the index of the segment that is written (at most SEGMENT_RECORDS records), one window
 * for reading, and what was gathered; sealed segments cost some hundred bytes each. */
#pragma once

#include "port/log/disk.h"
#include "port/log/log.h"

enum {
	SEGMENT_RECORDS = 64 << 10, /* of one segment at most */
	SEGMENT_FILES = 128,        /* sealed segments open at once */
};

struct segment_log_options {
	int directory; /* the caller's; must stay open as long as the log */
	const struct disk *disk;
	uint64_t segment_bytes; /* a new segment is begun when one has grown past it */
};

/* Recovers what is there. Damage is told in the process's log and does not keep the log from
 * opening; -errno where the directory or a file cannot be read at all. */
int segment_log_open(struct log **log, const struct segment_log_options *options) ATTR_MUST_CHECK;
