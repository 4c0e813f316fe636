#include "base/descriptor.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct operation *operation_find(struct worker *worker, struct uuid id)
{
	return map_object(&worker->operations, ((struct bytes){id.b, sizeof(id.b)}),
			  struct operation, node);
}

/* ---- taking it over ---- */

static int copy_run(struct operation *operation, const struct control_worker_run *run)
{
	struct arena *arena = &operation->input;
	const struct wire_pair *pairs = run->environment.items;
	struct wire_pair *copies = arena_alloc(arena, run->environment.count * sizeof(*copies));
	operation->run = *run;
	operation->run.correlation = arena_text(&operation->arena, run->correlation);
	operation->run.input = text_bytes(arena_text(arena, bytes_text(run->input)));
	if (!operation->run.correlation.data || !operation->run.input.data || !copies)
		return -ENOMEM;
	for (size_t i = 0; i < run->environment.count; i++) {
		copies[i].name = arena_text(arena, pairs[i].name);
		copies[i].value = arena_text(arena, pairs[i].value);
		if (!copies[i].name.data || !copies[i].value.data)
			return -ENOMEM;
	}
	operation->run.environment.items = copies;
	return 0;
}

static void operation_free(struct operation *operation)
{
	arena_free(&operation->arena);
	arena_free(&operation->input);
	descriptor_close(&operation->pipe);
	free(operation);
}

static int operation_new(struct worker *worker, const struct control_worker_run *run,
			 struct operation **out)
{
	struct operation *operation = calloc(1, sizeof(*operation));
	if (!operation)
		return error_origin(-ENOMEM);
	operation->worker = worker;
	operation->pipe = -1;
	operation->credit = AGENT_CREDIT;
	list_init(&operation->link);
	if (copy_run(operation, run) < 0) {
		operation_free(operation);
		return error_origin(-ENOMEM);
	}
	*out = operation;
	return 0;
}

static size_t waiting_bytes(const struct worker *worker)
{
	size_t sum = 0;
	const struct operation *operation;
	list_for_each (operation, &worker->waiting, link)
		sum += operation->run.input.size;
	return sum;
}

int operation_accept(struct worker *worker, const struct control_worker_run *run, int pipe)
{
	struct operation *operation = NULL;
	int fd ATTR_DESCRIPTOR = pipe;
	int r = operation_new(worker, run, &operation);
	if (r < 0)
		return error_trace(r);
	struct bytes key = {operation->run.operation.b, sizeof(operation->run.operation.b)};
	r = map_insert(&worker->operations, &operation->node, key);
	if (r != 0) { /* 1: held already; what control says twice is done once */
		operation_free(operation);
		return r < 0 ? error_trace(r) : 0;
	}
	operation->pipe = descriptor_take(&fd);
	list_append(&worker->waiting, &operation->link);
	instance_serve_waiting(worker);
	if (waiting_bytes(worker) > WAITING_BYTES_MAX && !operation->instance)
		operation_fail(operation, OUTCOME_INTERNAL, "too much waits for an instance");
	return 0;
}

void operation_send(struct operation *operation)
{
	const struct control_worker_run *run = &operation->run;
	struct worker_agent_run message = {.operation = run->operation,
					   .kind = run->kind,
					   .input = run->input,
					   .body = run->body,
					   .body_size = run->body_size,
					   .environment = run->environment};
	int pipe = descriptor_take(&operation->pipe);
	operation->run.input = (struct bytes){NULL, 0};
	operation->run.environment = (struct wire_list){NULL, 0};
	if (channel_send_descriptors(operation->instance->agent, WORKER_AGENT_RUN, &message, &pipe,
				     pipe >= 0) < 0)
		operation_fail(operation, OUTCOME_INTERNAL,
			       "the operation could not be handed to its instance");
	arena_free(&operation->input);
}

/* ---- what it prints ---- */

void operation_print(struct operation *operation, uint8_t type, uint8_t stream, struct bytes data)
{
	struct worker *worker = operation->worker;
	if (type == EVENT_CHUNK) {
		operation->output_bytes += data.size;
		operation->credit -= (int64_t)data.size;
	}
	stream_link_print(worker, operation, type, stream, data);
	uint64_t limit = operation->run.output_bytes;
	if (limit && operation->output_bytes > limit && operation->ending == OUTCOME_COMPLETED)
		operation_cancel(operation, OUTCOME_QUOTA_EXCEEDED);
}

/* ---- its end ---- */

void operation_cancel(struct operation *operation, enum outcome outcome)
{
	if (operation->finished)
		return;
	operation->ending = outcome;
	if (!operation->instance) {
		operation_fail(operation, outcome, "");
		return;
	}
	uint32_t kill_after_ms = operation->worker->kill_after_ms;
	struct worker_agent_cancel cancel = {operation->run.operation, (uint8_t)outcome,
					     kill_after_ms};
	operation->kill_at_ms = loop_now_ms(operation->worker->loop) + kill_after_ms + OBEY_MS;
	channel_send(operation->instance->agent, WORKER_AGENT_CANCEL, &cancel);
}

static void leave_instance(struct operation *operation)
{
	struct instance *instance = operation->instance;
	list_remove(&operation->link);
	operation->instance = NULL;
	if (instance && list_is_empty(&instance->operations))
		instance->idle_since_ms = loop_now_ms(operation->worker->loop);
}

static void complete(struct operation *operation)
{
	struct control_worker_finished *result = &operation->result;
	result->operation = operation->run.operation;
	result->time_ms = loop_wall_ms(operation->worker->loop);
	result->chunks = operation->sequence;
	result->output_bytes = operation->output_bytes;
	operation->finished = true;
	descriptor_close(&operation->pipe);
	leave_instance(operation);
	operation_tell(operation);
}

void operation_fail(struct operation *operation, enum outcome outcome, const char *detail)
{
	if (operation->finished)
		return;
	if (operation->instance)
		instance_account(operation->instance);
	operation->result.outcome =
	    (uint8_t)(operation->ending != OUTCOME_COMPLETED ? operation->ending : outcome);
	operation->result.detail = arena_text(&operation->arena, text_of(detail));
	complete(operation);
}

void operation_finish(struct operation *operation, const struct worker_agent_finished *finished)
{
	struct control_worker_finished *result = &operation->result;
	if (operation->finished)
		return;
	result->outcome = finished->outcome < OUTCOMES ? finished->outcome : OUTCOME_INTERNAL;
	if (finished->killed && instance_ran_out_of_memory(operation->instance))
		result->outcome = OUTCOME_OOM;
	if (operation->ending != OUTCOME_COMPLETED)
		result->outcome = (uint8_t)operation->ending;
	result->result = text_bytes(arena_text(&operation->arena, bytes_text(finished->result)));
	result->detail = arena_text(&operation->arena, finished->detail);
	result->written_bytes = finished->written_bytes;
	instance_account(operation->instance);
	if (result->memory_peak_bytes == 0)
		result->memory_peak_bytes = finished->memory_peak_bytes;
	if (!result->result.data || !result->detail.data) {
		result->outcome = OUTCOME_INTERNAL;
		result->result = (struct bytes){NULL, 0};
		result->detail = (struct text){NULL, 0};
	}
	complete(operation);
}

void operation_tell(struct operation *operation)
{
	if (!operation->finished || operation->told || operation->n_pending > 0 ||
	    !operation->worker->control)
		return;
	if (channel_send(operation->worker->control, CONTROL_WORKER_FINISHED, &operation->result) ==
	    0)
		operation->told = true;
}

void operation_forget(struct operation *operation)
{
	if (!operation->finished || operation->n_pending > 0)
		return;
	map_remove(&operation->worker->operations, &operation->node);
	operation_free(operation);
}

void operations_cancel_all(struct worker *worker, enum outcome outcome)
{
	map_for_each (node, &worker->operations)
		operation_cancel(container_of(node, struct operation, node), outcome);
}

bool operations_are_told(const struct worker *worker)
{
	map_for_each (node, &worker->operations)
		if (!container_of(node, struct operation, node)->told)
			return false;
	return true;
}
