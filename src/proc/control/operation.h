/* Operations that are not over, or whose end the event log does not have yet. The orchestrator
 * (engine/orchestrator) decides; here its orders are carried out: rows in the store, entries in the
 * audit log, events to the stream role, messages to the worker.
 *
 *   admit: row and idempotency key in one transaction, the audit entry beside it
 *     both durable   -> on_accepted; the `queued` event goes to the log when the row is durable
 *     all gates open -> RUN
 *     FINISHED       -> the row's end; durable -> on_ended, FORGET, audit entry, terminal event
 *     the log has it -> the row is `told`, the operation leaves memory
 *
 * After a crash the rows that are not told are found again and go on from where they stand; an
 * event that was appended before is appended again, which the log tells. */
#pragma once

#include "engine/orchestrator/orchestrator.h"
#include "port/store/operations.h"
#include "proc/control/request.h"
#include "proc/control/worker_link.h"

struct operations;

struct operation_settings {
	struct orchestrator_limits limits;
	uint64_t timeout_ms, timeout_limit_ms; /* 0: none */
	uint64_t memory_bytes, cpu_percent, pids, output_bytes;
};

/* Somebody who waits for an operation; embedded in its state, idle when zeroed or told. Each
 * function may be NULL. `refused` and `ended` are the last. */
struct operation_watch {
	struct list node;
	void (*on_accepted)(struct operation_watch *watch, const struct store_operation *row);
	void (*on_refused)(struct operation_watch *watch, int outcome, enum problem_code code);
	void (*on_opened)(struct operation_watch *watch,
			  const struct control_worker_opened *opened);
	void (*on_ended)(struct operation_watch *watch, const struct store_operation *row);
	bool under_way;
};

/* What is asked for. Everything is copied. */
struct operation_order {
	struct uuid id;
	enum operation_kind kind;
	const struct operation_input *input;
	struct text json; /* the same, as it is stored and shown */
	struct text correlation;
	uint64_t timeout_ms;
	const struct store_replay *replay; /* or NULL */
	bool ephemeral;                    /* `json` is not all of it: it cannot run later */
	enum body_direction body;
	int pipe; /* taken, also on failure */
	uint64_t body_size;
};

int operations_new(struct control *control, const struct operation_settings *settings,
		   struct operations **operations) ATTR_MUST_CHECK;
int operations_restore(struct operations *operations) ATTR_MUST_CHECK;
void operations_free(struct operations *operations);
const struct operation_settings *operations_settings(const struct operations *operations);
struct orchestrator_counts operations_count(const struct operations *operations);
/* Nothing more is started. */
void operations_stop(struct operations *operations);
/* Nothing runs, and the event log has every end. What the worker was lost with does not count. */
bool operations_are_quiet(const struct operations *operations);

/* The watch is told later, never from inside. 0; 1 the queue is full; negative. */
int operations_admit(struct control_request *request, const struct operation_order *order,
		     struct operation_watch *watch) ATTR_MUST_CHECK;
void operation_watch_detach(struct operation_watch *watch);
/* 0: `ended` will be told; 1: it is over. */
int operations_watch(struct operations *operations, struct uuid id, struct operation_watch *watch);
/* 1: it is over. */
int operations_cancel(struct operations *operations, struct uuid id);
void operations_cancel_project(struct operations *operations, struct uuid project);
/* The end of an upload through the pipe. */
void operations_body_end(struct operations *operations, struct uuid id, bool whole, uint64_t size);
/* Fills in what the store does not know yet: that it has started. */
void operations_refresh(struct operations *operations, struct store_operation *row);

/* From the worker. */
void operations_on_worker_up(struct operations *operations);
void operations_on_worker_down(struct operations *operations);
void operations_on_started(struct operations *operations,
			   const struct control_worker_started *started);
void operations_on_opened(struct operations *operations,
			  const struct control_worker_opened *opened);
int operations_on_finished(struct operations *operations,
			   const struct control_worker_finished *finished);
void operations_on_holding(struct operations *operations,
			   const struct control_worker_holding *holding);
