#include "proc/gateway/control_link.h"

#include "base/error.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>

enum { EXPIRY_STEP_MS = 250 };

static struct bytes number_key(const uint64_t *number)
{
	return (struct bytes){(const uint8_t *)number, sizeof(*number)};
}

static struct control_call *find(struct control_link *link, uint64_t number)
{
	return map_object(&link->calls, number_key(&number), struct control_call, node);
}

static void finish(struct control_link *link, struct control_call *call)
{
	assert(call->state != CALL_IDLE);
	map_remove(&link->calls, &call->node);
	list_remove(&call->waiting);
	call->state = CALL_IDLE;
}

/* ---- waiting for a channel ---- */

static void on_time(struct loop_timer *timer)
{
	struct control_link *link = container_of(timer, struct control_link, timer);
	control_link_expire(link, loop_now_ms(link->loop));
}

static void wait(struct control_link *link, struct control_call *call)
{
	call->state = CALL_WAITING;
	call->deadline_ms = loop_now_ms(link->loop) + CONTROL_WAIT_MS;
	list_append(&link->waiting, &call->waiting);
	if (!loop_timer_is_running(&link->timer) &&
	    loop_timer_start(&link->timer, link->loop, EXPIRY_STEP_MS, EXPIRY_STEP_MS, on_time) < 0)
		log_error("no timer for requests that wait for control");
}

void control_link_expire(struct control_link *link, uint64_t now_ms)
{
	while (!list_is_empty(&link->waiting)) {
		struct control_call *call =
		    list_first(&link->waiting, struct control_call, waiting);
		if (call->deadline_ms > now_ms)
			return;
		finish(link, call);
		call->events->lost(call, false);
	}
	loop_timer_stop(&link->timer);
}

static int send(struct control_link *link, struct control_call *call)
{
	call->state = CALL_SENT;
	return call->events->send(call, link->channel);
}

/* A call that cannot be written now could not be written before either, so it has not happened. */
static void send_waiting(struct control_link *link)
{
	struct list due = LIST_EMPTY(due);
	while (!list_is_empty(&link->waiting)) {
		struct list *first = link->waiting.next;
		list_remove(first);
		list_append(&due, first);
	}
	while (!list_is_empty(&due)) {
		struct control_call *call = list_first(&due, struct control_call, waiting);
		list_remove(&call->waiting);
		if (!link->channel) {
			wait(link, call);
		} else if (send(link, call) < 0) {
			finish(link, call);
			call->events->lost(call, false);
		}
	}
}

/* ---- the channel ---- */

static void on_answer(struct control_link *link, const struct gateway_control_answer *answer)
{
	struct control_call *call = find(link, answer->request);
	if (!call)
		return;
	finish(link, call);
	call->events->answer(call, answer);
}

static void on_head(struct control_link *link, const struct gateway_control_answer *head)
{
	struct control_call *call = find(link, head->request);
	if (call && call->events->head)
		call->events->head(call, head);
}

static int on_message(void *owner, struct channel *channel, unsigned type, const void *body,
		      struct channel_descriptors *descriptors)
{
	struct control_link *link = owner;
	(void)channel;
	(void)descriptors;
	switch (type) {
	case GATEWAY_CONTROL_HEAD:
		on_head(link, body);
		return 0;
	case GATEWAY_CONTROL_ANSWER:
		on_answer(link, body);
		return 0;
	case GATEWAY_CONTROL_WITHDRAW:
		link->on_withdraw(link->owner,
				  ((const struct gateway_control_withdraw *)body)->key);
		return 0;
	case GATEWAY_CONTROL_METRICS:
		link->on_metrics(link->owner, body);
		return 0;
	default:
		return error_origin(-EBADMSG);
	}
}

/* Owners may start, abandon and free other calls while they are told: so each round looks afresh.
 */
static void release_sent(struct control_link *link)
{
	struct list lost = LIST_EMPTY(lost);
	map_for_each (node, &link->calls) {
		struct control_call *call = container_of(node, struct control_call, node);
		if (call->state != CALL_SENT)
			continue;
		if (call->repeatable)
			wait(link, call);
		else
			list_append(&lost, &call->waiting);
	}
	while (!list_is_empty(&lost)) {
		struct control_call *call = list_first(&lost, struct control_call, waiting);
		finish(link, call);
		call->events->lost(call, true);
	}
}

static void release_deferred(struct loop_deferred *deferred)
{
	release_sent(container_of(deferred, struct control_link, release));
}

/* The channel may die while an owner is sending: owners are told when it has returned. */
static void on_closed(void *owner, struct channel *channel, int why)
{
	struct control_link *link = owner;
	assert(channel == link->channel);
	log_warning("control is gone: error=%s", strerror(-why));
	channel_free(channel);
	link->channel = NULL;
	loop_defer(&link->release, link->loop, release_deferred);
}

static const struct channel_events channel_events = {on_message, on_closed, NULL};

int control_link_connect(struct control_link *link, int fd)
{
	channel_free(link->channel);
	link->channel = NULL;
	loop_deferred_cancel(&link->release);
	release_sent(link);
	int r = channel_new(&link->channel, link->loop, fd, &gateway_control_protocol,
			    &channel_events, link);
	if (r < 0)
		return error_trace(r);
	send_waiting(link);
	return 0;
}

bool control_link_is_up(const struct control_link *link)
{
	return link->channel != NULL;
}

/* ---- calls ---- */

void control_link_init(struct control_link *link, struct loop *loop, void *owner)
{
	*link = (struct control_link){.loop = loop, .owner = owner, .next_number = 1};
	list_init(&link->waiting);
}

void control_link_free(struct control_link *link)
{
	assert(link->calls.count == 0);
	loop_timer_stop(&link->timer);
	loop_deferred_cancel(&link->release);
	channel_free(link->channel);
	map_free(&link->calls);
}

int control_link_start(struct control_link *link, struct control_call *call)
{
	assert(call->state == CALL_IDLE);
	if (link->calls.count >= CONTROL_CALLS_MAX)
		return -EBUSY;
	call->number = link->next_number++;
	list_init(&call->waiting);
	int r = map_insert(&link->calls, &call->node, number_key(&call->number));
	assert(r <= 0);
	if (r < 0)
		return error_trace(r);
	if (!link->channel) {
		wait(link, call);
		return 0;
	}
	r = send(link, call);
	if (r < 0)
		finish(link, call);
	return error_trace(r);
}

void control_link_finish(struct control_link *link, struct control_call *call)
{
	if (call->state != CALL_IDLE)
		finish(link, call);
}

void control_link_abandon(struct control_link *link, struct control_call *call)
{
	if (call->state == CALL_SENT && link->channel) {
		struct gateway_control_abandon abandon = {call->number};
		channel_send(link->channel, GATEWAY_CONTROL_ABANDON, &abandon);
	}
	control_link_finish(link, call);
}

void control_link_body_end(struct control_link *link, const struct control_call *call, bool whole,
			   uint64_t size)
{
	if (call->state != CALL_SENT || !link->channel)
		return;
	struct gateway_control_body_end end = {call->number, whole, size};
	channel_send(link->channel, GATEWAY_CONTROL_BODY_END, &end);
}
