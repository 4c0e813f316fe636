/* Operations in the store. A row is written when the operation is admitted, marked when it is
 * handed to a worker process, and completed with its end.
 *
 * The outbox. What the event log must learn of an operation, its `queued` event and its end, can be
 * written from the row at any time; so the outbox is not a second copy of it but one column: a row
 * is `told` once the log has acknowledged its terminal event. Rows that are not told are what a
 * start finds to append again (the log tells repeats), and they are never purged. */
#pragma once

#include "port/store/store.h"
#include "proto/operation.h"
#include "proto/outcome.h"

enum store_operation_state {
	STORE_OPERATION_OPEN,  /* not over */
	STORE_OPERATION_ENDED, /* over; the log may not have its terminal event yet */
	STORE_OPERATION_TOLD,  /* and the log has it */
};

struct store_operation {
	struct uuid id;
	struct uuid workspace;
	struct uuid project;
	enum store_operation_state state;
	enum operation_kind kind;
	bool ephemeral;     /* its body came with the request: it cannot run later */
	struct uuid worker; /* the process that it was marked for; zero: none */
	struct text correlation;
	struct text actor_type, actor;
	struct text input; /* JSON */
	uint32_t position; /* in the queue, when it was admitted */
	uint64_t timeout_ms;
	int64_t created_ms;
	/* from here on written with the end */
	int64_t started_ms; /* 0: it never did */
	int64_t ended_ms;
	struct uuid runtime;
	enum outcome outcome;
	struct text detail;
	struct text result; /* JSON, or empty */
	struct outcome_usage usage;
};

struct store_usage;

struct store_operations {
	/* With its idempotency key in one write: EXISTS if that was used. `worker` not zero:
	 * admitted with its mark. */
	void (*insert)(struct store *store, const struct store_operation *row,
		       const struct store_replay *replay, struct store_write *write);
	void (*mark)(struct store *store, struct uuid id, struct uuid worker,
		     struct store_write *write);
	/* OPEN to ENDED, and what was used is added to the workspace's sums. CONFLICT if it is not
	 * open. */
	void (*end)(struct store *store, const struct store_operation *row,
		    const struct store_usage *used, struct store_write *write);
	/* ENDED to TOLD, of all that are. */
	void (*tell)(struct store *store, const struct uuid *ids, size_t count,
		     struct store_write *write);

	int (*get)(struct store *store, struct uuid id, struct arena *arena,
		   struct store_operation *row);
	/* Of a project, the newest first, from before `before` (zero: from the newest). */
	int (*list)(struct store *store, struct uuid project, struct uuid before, size_t limit,
		    struct arena *arena, struct store_operation **rows, size_t *count);
	/* Those not told, the oldest first, from behind `after`; without input and result. */
	int (*list_untold)(struct store *store, struct uuid after, size_t limit,
			   struct arena *arena, struct store_operation **rows, size_t *count);
	/* Removes at most `limit` of those that were told and ended before then. */
	void (*purge)(struct store *store, int64_t before_ms, size_t limit,
		      struct store_write *write);
};
