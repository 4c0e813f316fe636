/* How an operation comes in: from a client, or out of the store at the start. */
#include "proc/control/operation_state.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "proc/control/metrics.h"
#include "proc/control/operation_view.h"

#include <errno.h>
#include <stdlib.h>

enum { RESTORE_PAGE = 256 };

static void on_recorded(struct audit_wait *wait, enum audit_outcome outcome)
{
	struct operation *operation = container_of(wait, struct operation, recorded);
	if (outcome == AUDIT_RECORDED) {
		operation->is_recorded = true;
		operation_tell_accepted(operation);
		operation_open_gate(operation, ORCHESTRATOR_RECORDED);
		return;
	}
	operation_tell_refused(operation, 0, PROBLEM_AUDIT_UNAVAILABLE);
	operation_deny(operation);
}

static void withdraw(struct operation *operation, enum store_outcome outcome)
{
	operation_tell_refused(operation, (int)outcome, PROBLEM_INTERNAL);
	operation_step(operation, (struct orchestrator_event){.type = ORCHESTRATOR_WITHDRAW});
	operation_free(operation);
}

static void on_stored(struct store_write *write, enum store_outcome outcome)
{
	struct operation *operation = container_of(write, struct operation, stored);
	unsigned gates = ORCHESTRATOR_STORED;
	if (outcome != STORE_DONE) {
		withdraw(operation, outcome);
		return;
	}
	operation->is_stored = true;
	metrics_add(operation->operations->control->metrics, METRIC_OPERATIONS_ADMITTED, 1);
	if (!uuid_is_zero(operation->row.worker))
		gates |= ORCHESTRATOR_MARKED;
	operation_append_queued(operation);
	if (stream_link_is_up(operation->operations->control->stream))
		gates |= ORCHESTRATOR_ANNOUNCED;
	operation_tell_accepted(operation);
	operation_open_gate(operation, gates);
}

static int copy_text(struct arena *arena, struct text *text)
{
	*text = arena_text(arena, *text);
	return text->data ? 0 : error_origin(-ENOMEM);
}

static int copy_row(struct operation *operation, const struct store_operation *row)
{
	struct store_operation copy = *row;
	struct text *texts[] = {&copy.correlation, &copy.actor_type, &copy.actor,
				&copy.input,       &copy.detail,     &copy.result};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int r = copy_text(&operation->arena, texts[i]);
		if (r < 0)
			return r;
	}
	operation->row = copy;
	return 0;
}

int operation_new(struct operations *operations, const struct store_operation *row,
		  struct operation **out)
{
	struct operation *operation = calloc(1, sizeof(*operation));
	if (!operation)
		return error_origin(-ENOMEM);
	operation->operations = operations;
	operation->pipe = -1;
	list_init(&operation->watches);
	list_init(&operation->told_node);
	int r = copy_row(operation, row);
	if (r == 0)
		r = map_insert(&operations->live, &operation->node,
			       (struct bytes){operation->row.id.b, sizeof(operation->row.id.b)});
	if (r != 0) {
		arena_free(&operation->arena);
		free(operation);
		return error_origin(r < 0 ? r : -EEXIST);
	}
	*out = operation;
	return 0;
}

static struct store_operation row_of(const struct control_request *request,
				     const struct operation_order *order)
{
	return (struct store_operation){
	    .id = order->id,
	    .workspace = request->workspace_id,
	    .project = request->project_id,
	    .kind = order->kind,
	    .ephemeral = order->ephemeral,
	    .correlation = order->correlation,
	    .actor_type = text_of(request->caller.type),
	    .actor = request->caller.name,
	    .input = order->json,
	    .timeout_ms = order->timeout_ms,
	    .created_ms = request->received_ms,
	};
}

static int engine_admit(struct operation *operation)
{
	struct operations *operations = operation->operations;
	struct store_operation *row = &operation->row;
	int verdict = operation_step(operation, (struct orchestrator_event){
						    .type = ORCHESTRATOR_ADMIT,
						    .workspace = row->workspace,
						    .project = row->project,
						    .timeout_ms = row->timeout_ms,
						    .ephemeral = row->ephemeral,
						});
	if (verdict == ORCHESTRATOR_RESERVED)
		row->worker = orchestrator_worker(operations->engine);
	row->position = orchestrator_position(operations->engine, row->workspace);
	return verdict == ORCHESTRATOR_FULL ? 1 : verdict < 0 ? verdict : 0;
}

static void record_and_store(struct control_request *request, struct operation *operation,
			     const struct store_replay *replay)
{
	struct store *store = request->control->store;
	struct audit_note note = {
	    .action = operation_types[operation->row.kind].name,
	    .allow = true,
	    .result_state = "accepted",
	    .operation = operation->row.id,
	    .correlation = operation->row.correlation,
	    .input_digest = control_input_digest(request),
	};
	operation->recorded.on_recorded = on_recorded;
	operation->stored.on_written = on_stored;
	control_audit(request, &note, &operation->recorded);
	store->operations->insert(store, &operation->row, replay, &operation->stored);
}

int operations_admit(struct control_request *request, const struct operation_order *order,
		     struct operation_watch *watch)
{
	struct operations *operations = request->control->operations;
	int pipe ATTR_DESCRIPTOR = order->pipe;
	struct store_operation row = row_of(request, order);
	struct operation *operation;
	int r = operation_new(operations, &row, &operation);
	if (r < 0)
		return error_trace(r);
	r = wire_encode(&operation_input_struct, order->input, &operation->input);
	if (r == 0)
		r = engine_admit(operation);
	if (r != 0) {
		operation_free(operation);
		return r;
	}
	operation->body = order->body;
	operation->body_size = order->body_size;
	operation->pipe = descriptor_take(&pipe);
	if (uuid_is_zero(operation->row.worker) && !order->ephemeral)
		buffer_free(&operation->input); /* it waits: the store keeps it */
	operation_watch_begin(operation, watch);
	record_and_store(request, operation, order->replay);
	return 0;
}

/* ---- at the start ---- */

static int restore_ended(struct operation *operation)
{
	struct store *store = operation->operations->control->store;
	int r =
	    store->operations->get(store, operation->row.id, &operation->arena, &operation->row);
	if (r != 0)
		return error_origin(r < 0 ? r : -EIO);
	operation->is_over = true;
	operation_append_terminal(operation);
	return 0;
}

/* Its audit entry was durable when it was accepted, or the client was never told of it; whether it
 * was, cannot be told here, so it is recorded again before it runs. */
static int restore_open(struct operation *operation)
{
	struct store_operation *row = &operation->row;
	struct orchestrator_event event = {
	    .type = ORCHESTRATOR_RESTORE,
	    .workspace = row->workspace,
	    .project = row->project,
	    .worker = row->worker,
	    .timeout_ms = row->timeout_ms,
	    .ephemeral = row->ephemeral,
	};
	operation->is_stored = true;
	if (operation_step(operation, event) < 0)
		return error_origin(-ENOMEM);
	operation->recorded.on_recorded = on_recorded;
	operation_record(operation, TEXT("accepted"), TEXT(""), &operation->recorded);
	operation_append_queued(operation);
	return 0;
}

static int restore_page(struct operations *operations, struct uuid *after, size_t *count)
{
	struct store *store = operations->control->store;
	struct arena arena ATTR_ARENA = {0};
	struct store_operation *rows;
	int r = store->operations->list_untold(store, *after, RESTORE_PAGE, &arena, &rows, count);
	for (size_t i = 0; r == 0 && i < *count; i++) {
		struct operation *operation;
		*after = rows[i].id;
		r = operation_new(operations, &rows[i], &operation);
		if (r == 0)
			r = rows[i].state == STORE_OPERATION_OPEN ? restore_open(operation)
								  : restore_ended(operation);
	}
	return r > 0 ? error_origin(-EIO) : error_trace(r);
}

int operations_restore(struct operations *operations)
{
	struct uuid after = {0};
	size_t count = RESTORE_PAGE;
	int r = 0;
	while (r == 0 && count == RESTORE_PAGE)
		r = restore_page(operations, &after, &count);
	return error_trace(r);
}
