/* To the event log: what is printed goes out at once, stays here until it is durable, and goes out
 * again on a new channel. */
#include "base/error.h"
#include "base/log.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>

void stream_link_append(struct worker *worker, const struct append *append)
{
	const struct control_worker_run *run = &append->operation->run;
	struct event_append event = {.token = append->token,
				     .type = append->type,
				     .stream = append->stream,
				     .time_ms = append->time_ms,
				     .workspace = run->workspace,
				     .project = run->project,
				     .operation = run->operation,
				     .sequence = append->sequence,
				     .correlation = run->correlation,
				     .data = {append->data, append->size}};
	if (worker->stream)
		channel_send(worker->stream, WORKER_STREAM_APPEND, &event);
}

void stream_link_append_again(struct worker *worker)
{
	struct append *append;
	list_for_each (append, &worker->pending, node)
		stream_link_append(worker, append);
}

static void give_credit_back(struct operation *operation, uint32_t bytes)
{
	struct worker_agent_credit credit = {operation->run.operation, bytes};
	operation->credit += bytes;
	if (bytes && operation->instance && operation->instance->state == INSTANCE_LIVES)
		channel_send(operation->instance->agent, WORKER_AGENT_CREDIT, &credit);
}

static void settle(struct append *append)
{
	struct operation *operation = append->operation;
	list_remove(&append->node);
	operation->n_pending--;
	give_credit_back(operation, append->cost);
	free(append);
	operation_tell(operation);
}

/* Without space the log is asked again until there is some: the commands wait meanwhile, for want
 * of credit. */
static int on_message(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct worker *worker = owner;
	const struct event_appended *appended = body;
	struct append *append;
	if (type != WORKER_STREAM_APPENDED)
		return error_origin(-EPROTO);
	list_for_each (append, &worker->pending, node) {
		if (append->token != appended->token)
			continue;
		if (appended->status == EVENT_REFUSED)
			log_error("the event log refused output of %s",
				  id_format(ID_OPERATION, append->operation->run.operation).data);
		append->refused_for_space = appended->status == EVENT_NO_SPACE;
		if (!append->refused_for_space)
			settle(append);
		return 0;
	}
	return 0;
}

static void on_closed(void *owner, struct channel *channel, int why ATTR_UNUSED)
{
	struct worker *worker = owner;
	if (worker->stream == channel)
		worker->stream = NULL;
	channel_free(channel);
}

const struct channel_events stream_events = {on_message, on_closed, NULL};
