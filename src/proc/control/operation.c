#include "proc/control/operation_state.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>

struct operation *operations_live(struct operations *operations, struct uuid id)
{
	return map_object(&operations->live, ((struct bytes){id.b, sizeof(id.b)}), struct operation,
			  node);
}

void operation_free(struct operation *operation)
{
	struct operation_watch *watch;
	list_for_each (watch, &operation->watches, node)
		operation_watch_detach(watch);
	store_write_detach(&operation->stored);
	store_write_detach(&operation->marked);
	store_write_detach(&operation->ended);
	list_remove(&operation->told_node);
	audit_wait_detach(&operation->recorded);
	stream_append_detach(&operation->queued);
	stream_append_detach(&operation->terminal);
	loop_timer_stop(&operation->retry);
	descriptor_close(&operation->pipe);
	map_remove(&operation->operations->live, &operation->node);
	buffer_free(&operation->input);
	buffer_free(&operation->result);
	arena_free(&operation->arena);
	free(operation);
}

int operations_step(struct operations *operations, struct orchestrator_event event)
{
	event.now_ms = loop_now_ms(operations->control->loop);
	int verdict = orchestrator_step(operations->engine, &event, &operations->orders);
	if (verdict < 0)
		log_error("the orchestrator has no memory for an event type=%d", event.type);
	operations_carry_out(operations);
	return verdict;
}

int operation_step(struct operation *operation, struct orchestrator_event event)
{
	event.operation = operation->row.id;
	return operations_step(operation->operations, event);
}

void operation_open_gate(struct operation *operation, unsigned gates)
{
	operation_step(operation,
		       (struct orchestrator_event){.type = ORCHESTRATOR_OPEN_GATE, .gates = gates});
}

void operation_deny(struct operation *operation)
{
	operation_step(operation, (struct orchestrator_event){.type = ORCHESTRATOR_DENY});
}

/* ---- watches ---- */

void operation_watch_detach(struct operation_watch *watch)
{
	if (!watch->under_way)
		return;
	watch->under_way = false;
	list_remove(&watch->node);
}

void operation_watch_begin(struct operation *operation, struct operation_watch *watch)
{
	watch->under_way = true;
	list_append(&operation->watches, &watch->node);
}

int operations_watch(struct operations *operations, struct uuid id, struct operation_watch *watch)
{
	struct operation *operation = operations_live(operations, id);
	if (!operation || operation->is_over)
		return 1;
	operation_watch_begin(operation, watch);
	return 0;
}

void operation_tell_refused(struct operation *operation, int outcome, enum problem_code code)
{
	while (!list_is_empty(&operation->watches)) {
		struct operation_watch *watch =
		    list_first(&operation->watches, struct operation_watch, node);
		operation_watch_detach(watch);
		if (watch->on_refused)
			watch->on_refused(watch, outcome, code);
	}
}

void operation_tell_accepted(struct operation *operation)
{
	struct operation_watch *watch;
	if (!operation->is_stored || !operation->is_recorded)
		return;
	list_for_each (watch, &operation->watches, node)
		if (watch->on_accepted)
			watch->on_accepted(watch, &operation->row);
}

void operation_tell_ended(struct operation *operation)
{
	while (!list_is_empty(&operation->watches)) {
		struct operation_watch *watch =
		    list_first(&operation->watches, struct operation_watch, node);
		operation_watch_detach(watch);
		if (watch->on_ended)
			watch->on_ended(watch, &operation->row);
	}
}

/* ---- what clients ask of one that is under way ---- */

int operations_cancel(struct operations *operations, struct uuid id)
{
	struct orchestrator_event event = {
	    .type = ORCHESTRATOR_CANCEL, .operation = id, .outcome = OUTCOME_CANCELLED};
	return operations_step(operations, event) == ORCHESTRATOR_UNKNOWN_OPERATION;
}

void operations_cancel_project(struct operations *operations, struct uuid project)
{
	operations_step(operations, (struct orchestrator_event){.type = ORCHESTRATOR_CANCEL_PROJECT,
								.project = project});
}

void operations_body_end(struct operations *operations, struct uuid id, bool whole, uint64_t size)
{
	struct operation *operation = operations_live(operations, id);
	if (!operation)
		return;
	operation->body_end = (struct control_worker_body_end){id, whole, size};
	operation->has_body_end = true;
	operation_send_body_end(operation);
}

void operations_refresh(struct operations *operations, struct store_operation *row)
{
	const struct operation *operation = operations_live(operations, row->id);
	if (!operation || row->state != STORE_OPERATION_OPEN)
		return;
	row->started_ms = operation->row.started_ms;
	row->runtime = operation->row.runtime;
}

/* ---- life ---- */

int operations_new(struct control *control, const struct operation_settings *settings,
		   struct operations **out)
{
	struct operations *operations = calloc(1, sizeof(*operations));
	if (!operations)
		return error_origin(-ENOMEM);
	operations->control = control;
	operations->settings = *settings;
	list_init(&operations->untold);
	list_init(&operations->being_told);
	int r = orchestrator_new(&settings->limits, &operations->engine);
	if (r < 0) {
		free(operations);
		return error_trace(r);
	}
	*out = operations;
	return 0;
}

void operations_free(struct operations *operations)
{
	if (!operations)
		return;
	map_for_each (node, &operations->live)
		operation_free(container_of(node, struct operation, node));
	loop_timer_stop(&operations->tick);
	loop_timer_stop(&operations->tell);
	store_write_detach(&operations->told);
	orchestrator_orders_free(&operations->orders);
	orchestrator_free(operations->engine);
	map_free(&operations->live);
	free(operations);
}

const struct operation_settings *operations_settings(const struct operations *operations)
{
	return &operations->settings;
}

struct orchestrator_counts operations_count(const struct operations *operations)
{
	return orchestrator_count(operations->engine);
}

void operations_stop(struct operations *operations)
{
	operations->stopping = true;
	operations_step(operations, (struct orchestrator_event){.type = ORCHESTRATOR_STOP});
	operations_tell_later(operations);
}

bool operations_are_quiet(const struct operations *operations)
{
	struct orchestrator_counts counts = operations_count(operations);
	if (counts.running > 0 || counts.ending > 0)
		return false;
	map_for_each (node, &operations->live)
		if (container_of(node, struct operation, node)->is_over)
			return false;
	return true;
}
