/* To control: operations come in, their ends go out. */
#include "base/descriptor.h"
#include "base/error.h"
#include "worker.h"

#include <errno.h>
#include <unistd.h>

void control_link_status(struct worker *worker)
{
	struct control_worker_status status = {.ready = true,
					       .instances = (uint32_t)worker->instances.count,
					       .capacity = worker->n_slots};
	if (worker->control)
		channel_send(worker->control, CONTROL_WORKER_STATUS, &status);
}

static int on_run(struct worker *worker, const void *body, int *pipe)
{
	return operation_accept(worker, body, descriptor_take(pipe));
}

static int on_cancel(struct worker *worker, const void *body, int *pipe ATTR_UNUSED)
{
	const struct control_worker_cancel *cancel = body;
	struct operation *operation = operation_find(worker, cancel->operation);
	if (operation && cancel->outcome < OUTCOMES)
		operation_cancel(operation, (enum outcome)cancel->outcome);
	return 0;
}

/* The agent of an operation that runs; NULL otherwise: the words have crossed. */
static struct channel *agent_of(struct worker *worker, struct uuid id)
{
	struct operation *operation = operation_find(worker, id);
	return operation && operation->instance && operation->instance->state == INSTANCE_LIVES
		   ? operation->instance->agent
		   : NULL;
}

static int on_input(struct worker *worker, const void *body, int *pipe ATTR_UNUSED)
{
	const struct control_worker_input *input = body;
	struct worker_agent_input message = {input->operation, input->data, input->eof};
	struct channel *agent = agent_of(worker, input->operation);
	if (agent)
		channel_send(agent, WORKER_AGENT_INPUT, &message);
	return 0;
}

static int on_signal(struct worker *worker, const void *body, int *pipe ATTR_UNUSED)
{
	const struct control_worker_signal *from = body;
	struct worker_agent_signal message = {from->operation, from->number};
	struct channel *agent = agent_of(worker, from->operation);
	if (agent)
		channel_send(agent, WORKER_AGENT_SIGNAL, &message);
	return 0;
}

static int on_resize(struct worker *worker, const void *body, int *pipe ATTR_UNUSED)
{
	const struct control_worker_resize *from = body;
	struct worker_agent_resize message = {from->operation, from->cols, from->rows};
	struct channel *agent = agent_of(worker, from->operation);
	if (agent)
		channel_send(agent, WORKER_AGENT_RESIZE, &message);
	return 0;
}

static int on_body_end(struct worker *worker, const void *body, int *pipe ATTR_UNUSED)
{
	const struct control_worker_body_end *from = body;
	struct worker_agent_body_end message = {from->operation, from->whole, from->size};
	struct channel *agent = agent_of(worker, from->operation);
	if (agent)
		channel_send(agent, WORKER_AGENT_BODY_END, &message);
	return 0;
}

static int on_forget(struct worker *worker, const void *body, int *pipe ATTR_UNUSED)
{
	const struct control_worker_operation *message = body;
	struct operation *operation = operation_find(worker, message->operation);
	if (operation)
		operation_forget(operation);
	return 0;
}

static struct control_worker_holding holding_of(const struct operation *operation)
{
	return (struct control_worker_holding){
	    .operation = operation->run.operation,
	    .finished = operation->finished,
	    .worker = operation->worker->number,
	    .runtime = operation->runtime,
	    .started_ms = operation->started_ms,
	};
}

/* First what is held, so that control knows it, then again how the finished ones ended. */
static int on_inventory(struct worker *worker, const void *body ATTR_UNUSED, int *pipe ATTR_UNUSED)
{
	struct control_worker_holding last = {.worker = worker->number};
	map_for_each (node, &worker->operations) {
		struct control_worker_holding holding =
		    holding_of(container_of(node, struct operation, node));
		channel_send(worker->control, CONTROL_WORKER_HOLDING, &holding);
	}
	channel_send(worker->control, CONTROL_WORKER_HOLDING, &last);
	map_for_each (node, &worker->operations) {
		struct operation *operation = container_of(node, struct operation, node);
		operation->told = false;
		operation_tell(operation);
	}
	return 0;
}

static int on_project_delete(struct worker *worker, const void *body, int *pipe ATTR_UNUSED)
{
	const struct control_worker_project *message = body;
	struct bytes key = {message->project.b, sizeof(message->project.b)};
	struct instance *instance = map_object(&worker->instances, key, struct instance, node);
	if (!instance)
		return project_remove(worker, message->project);
	instance->delete_project = true;
	instance_end(instance);
	return 0;
}

typedef int on_control_message(struct worker *worker, const void *body, int *pipe);

static on_control_message *const handlers[CONTROL_WORKER_TYPES] = {
    [CONTROL_WORKER_RUN] = on_run,
    [CONTROL_WORKER_CANCEL] = on_cancel,
    [CONTROL_WORKER_INPUT] = on_input,
    [CONTROL_WORKER_SIGNAL] = on_signal,
    [CONTROL_WORKER_RESIZE] = on_resize,
    [CONTROL_WORKER_BODY_END] = on_body_end,
    [CONTROL_WORKER_FORGET] = on_forget,
    [CONTROL_WORKER_INVENTORY] = on_inventory,
    [CONTROL_WORKER_PROJECT_DELETE] = on_project_delete,
};

static int on_message(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body, struct channel_descriptors *descriptors)
{
	int none = -1;
	if (!handlers[type])
		return error_origin(-EPROTO);
	return handlers[type](owner, body, descriptors->count ? &descriptors->fds[0] : &none);
}

static void on_closed(void *owner, struct channel *channel, int why ATTR_UNUSED)
{
	struct worker *worker = owner;
	if (worker->control == channel)
		worker->control = NULL;
	channel_free(channel);
}

const struct channel_events control_events = {on_message, on_closed, NULL};
