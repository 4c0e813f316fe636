/* Requests per minute of each key and each workspace, as token buckets (tenant/bucket.h). Lives in
 * control; bounded: when more tenants are active than it has room for, the one unused for longest
 * starts afresh. */
#pragma once

#include "base/id.h"
#include "loop/loop.h"

struct limiter;

struct limiter_limits {
	uint64_t key_per_minute; /* 0: no limit */
	uint64_t workspace_per_minute;
};

/* What the answer's RateLimit fields say: of the two buckets the one with less left. */
struct limiter_state {
	const char *policy; /* "key" or "workspace"; NULL: no limit applies */
	uint64_t quota;
	uint64_t left;
	uint64_t reset_s; /* until all of it is there again */
	uint64_t retry_s; /* until one request is */
};

int limiter_new(struct limiter_limits limits, struct limiter **limiter) ATTR_MUST_CHECK;
void limiter_free(struct limiter *limiter);

/* Takes one request off both buckets. True if it may go on. `subject` is the key or user,
 * `workspace` may be zero. */
bool limiter_admit(struct limiter *limiter, struct uuid subject, struct uuid workspace,
		   uint64_t now_ms, struct limiter_state *state);

/* Denials of nobody in particular that may be written to the audit log: whoever floods us with
 * wrong keys does not fill the disk. */
enum { LIMITER_DENIALS_PER_MINUTE = 3000 };
bool limiter_admit_denial(struct limiter *limiter, uint64_t now_ms);
