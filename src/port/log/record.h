/* A record as it lies in a segment: little-endian, starting at a multiple of eight bytes, padded
 * with zeros.
 *
 *   u32 checksum   CRC-32C of all that follows, up to the end of the data
 *   u32 size       of the data
 *   u64 position   xor the log's salt
 *   i64 time_ms
 *   u32 back       how far before this record its batch begins, in units of eight bytes
 *   u8  tag
 *   u8  subjects
 *   u16 zero
 *   u64 subject    as many as `subjects` says
 *   data
 *
 * The salt is random and never leaves the log: it begins the checksum and hides the position, so
 * that nothing a tenant prints can pass for a record when recovery searches for the next whole one.
 *
 * `back` is what lets recovery tell a torn tail from damage: a batch is written only after the
 * batch before it is durable, so a whole record of a later batch proves that everything before that
 * batch had been acknowledged. */
#pragma once

#include "base/buffer.h"
#include "port/log/log.h"

enum { RECORD_HEADER = 32, RECORD_ALIGN = 8 };

struct record {
	uint64_t position;
	int64_t time_ms;
	uint32_t back;
	uint8_t tag;
	uint8_t n_subjects;
	uint64_t subjects[LOG_SUBJECTS_MAX];
	struct bytes data;
	size_t size; /* on disk, with header and padding */
};

/* Appends the record; `back` is where it stands in `out`. -ENOMEM, -EMSGSIZE. */
int record_encode(struct buffer *out, uint64_t salt, uint64_t position,
		  const struct log_append *append) ATTR_MUST_CHECK;

enum record_outcome {
	RECORD_DAMAGED = 1, /* it is none */
	RECORD_SHORT, /* it may be one, but `bytes` ends too early: `size` says how much is needed
		       */
};

/* The record at the start of `bytes`. */
int record_decode(struct bytes bytes, uint64_t salt, struct record *record) ATTR_MUST_CHECK;
