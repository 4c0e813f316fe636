/* To the event log: what is printed in a turn of the loop goes out at its end, stays here until it
 * is durable, and goes out again on a new channel. */
#include "base/error.h"
#include "base/log.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>

static void send_append(struct worker *worker, const struct append *append)
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
	channel_send(worker->stream, WORKER_STREAM_APPEND, &event);
}

static void send_gathered(struct loop_deferred *deferred)
{
	struct worker *worker = container_of(deferred, struct worker, send_output);
	struct append *append;
	while (worker->stream && channel_is_open(worker->stream) &&
	       (append = output_next(&worker->output))) {
		output_sent(&worker->output, append);
		send_append(worker, append);
	}
}

/* Agents are not listened to while too much is held: their commands wait as at a slow terminal. */
static void watch_level(struct worker *worker)
{
	bool full = worker->output.held > OUTPUT_HELD_HIGH;
	if (worker->agents_wait ? worker->output.held > OUTPUT_HELD_LOW : !full)
		return;
	worker->agents_wait = full;
	instances_listen(worker, !full);
}

void stream_link_print(struct worker *worker, struct operation *operation, uint8_t type,
		       uint8_t stream, struct bytes data)
{
	struct output_piece piece = {operation, type, stream, loop_wall_ms(worker->loop), data};
	struct append *append = output_add(&worker->output, &piece);
	if (!append)
		abort(); /* output lost silently would be an end that nobody could tell from success
			  */
	if (append->size == data.size) { /* a new one */
		append->sequence = type == EVENT_CHUNK ? ++operation->sequence : 0;
		operation->n_pending++;
	}
	loop_defer(&worker->send_output, worker->loop, send_gathered);
	watch_level(worker);
}

void stream_link_connected(struct worker *worker)
{
	output_call_back(&worker->output);
	loop_defer(&worker->send_output, worker->loop, send_gathered);
}

void stream_link_sweep(struct worker *worker, uint64_t now_ms)
{
	if (now_ms < worker->retry_at_ms || !output_resume(&worker->output))
		return;
	loop_defer(&worker->send_output, worker->loop, send_gathered);
}

static void give_credit_back(struct operation *operation, size_t bytes)
{
	struct worker_agent_credit credit = {operation->run.operation, (uint32_t)bytes};
	operation->credit += (int64_t)bytes;
	if (bytes && operation->instance && operation->instance->state == INSTANCE_LIVES)
		channel_send(operation->instance->agent, WORKER_AGENT_CREDIT, &credit);
}

static void settle(struct worker *worker, struct append *append)
{
	struct operation *operation = append->operation;
	operation->n_pending--;
	if (append->type == EVENT_CHUNK)
		give_credit_back(operation, append->size);
	output_release(&worker->output, append);
	operation_tell(operation);
	watch_level(worker);
}

static void on_appended(struct worker *worker, const struct event_appended *appended)
{
	struct append *append;
	switch (output_acknowledge(&worker->output, appended->token, appended->status, &append)) {
	case OUTPUT_DURABLE:
		settle(worker, append);
		break;
	case OUTPUT_REFUSED: /* what follows would have a hole before it */
		log_error("the event log refused output of %s",
			  id_format(ID_OPERATION, append->operation->run.operation).data);
		operation_cancel(append->operation, OUTCOME_INTERNAL);
		settle(worker, append);
		break;
	case OUTPUT_LATER:
		worker->retry_at_ms = loop_now_ms(worker->loop) + APPEND_RETRY_MS;
		break;
	case OUTPUT_UNKNOWN:
		break;
	}
}

static int on_message(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	if (type != WORKER_STREAM_APPENDED)
		return error_origin(-EPROTO);
	on_appended(owner, body);
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
