/* What the tests of the log share: a scratch directory, logs in it, and records that tell their own
 * position. */
#pragma once

#include "base/buffer.h"
#include "port/log/segment_log.h"

struct scratch {
	char path[64];
	int directory;
};

void scratch_make(struct scratch *scratch);
void scratch_empty(struct scratch *scratch); /* removes the files */
void scratch_remove(struct scratch *scratch);

struct log *open_log(const struct scratch *scratch, const struct disk *disk,
		     uint64_t segment_bytes);

/* A record whose data are made from `number` alone, with subjects 1 (all) and 100 + number % 7. */
int append_number(struct log *log, uint64_t number, size_t size);
void expect_record(struct log *log, const struct log_place *place, uint64_t number, size_t size);

/* All records of the log are there, from `first` up to `end`, and are what was appended as those
 * numbers. */
void expect_numbers(struct log *log, uint64_t first, uint64_t end, size_t size);
