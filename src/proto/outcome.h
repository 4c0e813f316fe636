/* How an operation ended, as worker and agent say it, and the codes that clients see (API.md,
 * "Events", `failed`). */
#pragma once

#include "wire/codec.h"

enum outcome {
	OUTCOME_COMPLETED,
	OUTCOME_TIMEOUT,
	OUTCOME_CANCELLED,
	OUTCOME_OOM,
	OUTCOME_WORKER_LOST,
	OUTCOME_POLICY_DENIED,
	OUTCOME_QUOTA_EXCEEDED,
	OUTCOME_INVALID_INPUT,
	OUTCOME_NOT_FOUND,           /* of a path */
	OUTCOME_ALREADY_EXISTS,      /* of a path */
	OUTCOME_PRECONDITION_FAILED, /* ifMatch */
	OUTCOME_PERMISSION_DENIED,   /* by the file system, inside the instance */
	OUTCOME_INTERNAL,
	OUTCOMES
};

struct outcome_kind {
	const char *code;
	uint16_t status; /* HTTP, where one call stands for the operation */
	const char *title;
	bool retryable;
};

extern const struct outcome_kind outcome_kinds[OUTCOMES];

/* What an operation used, from the instance's cgroup and the agent. */
struct outcome_usage {
	uint64_t cpu_us;
	uint64_t memory_peak_bytes;
	uint64_t output_bytes;
	uint64_t written_bytes;
};
