/* The state of operations that are not over (operation.h), for the files that carry out the
 * orchestrator's orders: operation.c its life and who waits for it, operation_admission.c how it
 * comes in, operation_orders.c what is done with it, operation_worker.c what the worker says,
 * operation_events.c what the logs are told. */
#pragma once

#include "proc/control/operation.h"
#include "proc/control/stream_link.h"

struct operation {
	struct map_node node;
	struct operations *operations;
	struct arena arena; /* of the row's texts */
	struct store_operation row;
	struct buffer input; /* encoded; empty: to be read from the store */
	struct buffer result;
	enum body_direction body;
	int pipe;
	uint64_t body_size;
	struct store_write stored, marked, ended;
	struct list told_node; /* of `untold` or `being_told` */
	struct audit_wait recorded;
	struct stream_append queued, terminal;
	struct list watches;
	struct loop_timer retry; /* of a write of the end that the store could not take */
	struct control_worker_body_end body_end;
	bool is_stored, is_recorded, is_running, has_body_end, has_finished, is_over;
};

struct operations {
	struct control *control;
	struct operation_settings settings;
	struct orchestrator *engine;
	struct orchestrator_orders orders;
	struct map live;
	struct loop_timer tick;
	struct list untold; /* the log has their end, the store does not know */
	struct list being_told;
	struct store_write told;
	struct loop_timer tell;
	bool carrying_out, stopping;
};

struct operation *operations_live(struct operations *operations, struct uuid id); /* or NULL */
int operation_new(struct operations *operations, const struct store_operation *row,
		  struct operation **operation) ATTR_MUST_CHECK;
void operation_free(struct operation *operation);

/* An event for the orchestrator, whose orders are then carried out; its verdict. */
int operations_step(struct operations *operations, struct orchestrator_event event);
int operation_step(struct operation *operation, struct orchestrator_event event);
void operation_open_gate(struct operation *operation, unsigned gates);
void operation_deny(struct operation *operation);
void operations_carry_out(struct operations *operations);
void operation_send_body_end(struct operation *operation);

void operation_watch_begin(struct operation *operation, struct operation_watch *watch);
void operation_tell_refused(struct operation *operation, int outcome, enum problem_code code);
void operation_tell_accepted(struct operation *operation);
void operation_tell_ended(struct operation *operation);

void operation_append_queued(struct operation *operation);
void operation_append_terminal(struct operation *operation);
/* An audit entry about the operation itself, apart from the request that brought it. */
void operation_record(const struct operation *operation, struct text state, struct text code,
		      struct audit_wait *wait);
/* The store notes of many at once that the log has their end. */
void operations_tell_later(struct operations *operations);
