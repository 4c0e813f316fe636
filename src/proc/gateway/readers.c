#include "proc/gateway/readers.h"

#include "base/error.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static struct bytes number_key(const uint64_t *number)
{
	return (struct bytes){(const uint8_t *)number, sizeof(*number)};
}

static struct reader *find(struct readers *readers, uint64_t number)
{
	return map_object(&readers->open, number_key(&number), struct reader, node);
}

static const struct wire_struct *request_struct(void)
{
	return gateway_control_protocol.messages[GATEWAY_CONTROL_REQUEST];
}

static bool is_numbered(const struct reader *reader)
{
	return reader->state == READER_ASKING || reader->state == READER_READING;
}

/* ---- what is kept of the request ---- */

static int keep_request(struct reader *reader, const struct gateway_control_request *request)
{
	ATTR_BUFFER struct buffer encoded = {0};
	int r = wire_encode(request_struct(), request, &encoded);
	if (r < 0)
		return error_trace(r);
	reader->request = malloc(encoded.size);
	if (reader->request) {
		memcpy(reader->request, encoded.data, encoded.size);
		reader->request_size = encoded.size;
	}
	explicit_bzero(encoded.data, encoded.size);
	return reader->request ? 0 : error_origin(-ENOMEM);
}

static void wipe_request(struct reader *reader)
{
	if (reader->request)
		explicit_bzero(reader->request, reader->request_size);
	free(reader->request);
	reader->request = NULL;
}

static bool is_start(struct text name)
{
	return text_equal(name, TEXT("cursor")) || text_equal(name, TEXT("from")) ||
	       text_equal(name, TEXT("last-event-id"));
}

static int without_start(struct wire_list *pairs, size_t room, struct arena *arena)
{
	struct wire_pair *kept = arena_alloc(arena, (pairs->count + room) * sizeof(*kept));
	if (!kept)
		return error_origin(-ENOMEM);
	size_t count = 0;
	for (size_t i = 0; i < pairs->count; i++) {
		const struct wire_pair *pair = (const struct wire_pair *)pairs->items + i;
		if (!is_start(pair->name))
			kept[count++] = *pair;
	}
	*pairs = (struct wire_list){kept, count};
	return 0;
}

int reader_resume_request(struct gateway_control_request *request, struct text position,
			  struct arena *arena)
{
	int r = without_start(&request->headers, 1, arena);
	if (r == 0)
		r = without_start(&request->query, 1, arena);
	if (r < 0)
		return r;
	struct wire_pair *query = request->query.items;
	query[request->query.count++] = (struct wire_pair){TEXT("cursor"), position};
	return 0;
}

/* ---- asking control ---- */

static int take_number(struct reader *reader)
{
	struct readers *readers = reader->readers;
	if (is_numbered(reader))
		map_remove(&readers->open, &reader->node);
	reader->state = READER_IDLE;
	reader->number = readers->next_number++;
	int r = map_insert(&readers->open, &reader->node, number_key(&reader->number));
	assert(r <= 0);
	if (r == 0)
		reader->state = READER_ASKING;
	return r;
}

static int send_request(struct control_call *call, struct channel *channel)
{
	struct reader *reader = container_of(call, struct reader, call);
	struct arena *scratch = &reader->readers->scratch;
	struct gateway_control_request request;
	int r = wire_decode(request_struct(), (struct bytes){reader->request, reader->request_size},
			    scratch, &request);
	if (r == 0 && reader->position_size > 0)
		r = reader_resume_request(&request, reader_position(reader), scratch);
	if (r == 0)
		r = take_number(reader);
	if (r == 0) {
		request.request = call->number;
		request.reader = reader->number;
		request.again = reader->was_open;
		request.connected |= reader->was_open;
		r = channel_send(channel, GATEWAY_CONTROL_REQUEST, &request);
	}
	arena_reset(scratch);
	return error_trace(r);
}

static int ask(struct reader *reader)
{
	reader->credit.granted = 0;
	return control_link_start(reader->readers->control, &reader->call);
}

static void end(struct reader *reader, enum reader_verdict verdict, struct text oldest)
{
	const struct reader_events *events = reader->events;
	reader_close(reader);
	events->ended(reader, verdict, oldest);
}

/* ---- waiting for a role that is being replaced ---- */

static void try_again(struct loop_timer *timer);

static void wait(struct reader *reader, uint64_t retry_in_ms)
{
	struct readers *readers = reader->readers;
	uint64_t now = loop_now_ms(readers->loop);
	if (is_numbered(reader))
		map_remove(&readers->open, &reader->node);
	control_link_abandon(readers->control, &reader->call);
	if (reader->deadline_ms == 0)
		reader->deadline_ms =
		    now + (reader->was_open ? READER_REOPEN_WAIT_MS : READER_OPEN_WAIT_MS);
	reader->retry_ms = now + retry_in_ms;
	reader->state = READER_WAITING;
	list_append(&readers->waiting, &reader->waiting);
	if (!loop_timer_is_running(&readers->timer) &&
	    loop_timer_start(&readers->timer, readers->loop, READER_RETRY_MS, READER_RETRY_MS,
			     try_again) < 0)
		log_error("no timer for readers that wait");
}

static void retry(struct reader *reader, uint64_t now)
{
	struct readers *readers = reader->readers;
	if (reader->deadline_ms <= now) {
		end(reader, READER_UNAVAILABLE, (struct text){0});
	} else if (readers->stream && reader->retry_ms <= now) {
		list_remove(&reader->waiting);
		reader->state = READER_IDLE;
		if (reader->was_open)
			readers->reopened++;
		if (ask(reader) < 0)
			end(reader, READER_UNAVAILABLE, (struct text){0});
	}
}

/* Owners that are told may close other readers, so those that are left are looked at afresh. */
static void retry_all(struct readers *readers)
{
	struct list due = LIST_EMPTY(due);
	while (!list_is_empty(&readers->waiting)) {
		struct list *first = readers->waiting.next;
		list_remove(first);
		list_append(&due, first);
	}
	uint64_t now = loop_now_ms(readers->loop);
	while (!list_is_empty(&due)) {
		struct reader *reader = list_first(&due, struct reader, waiting);
		list_remove(&reader->waiting);
		list_append(&readers->waiting, &reader->waiting);
		retry(reader, now);
	}
	if (list_is_empty(&readers->waiting))
		loop_timer_stop(&readers->timer);
}

static void try_again(struct loop_timer *timer)
{
	retry_all(container_of(timer, struct readers, timer));
}

/* ---- what control says ---- */

/* Only what passes by itself is worth another try. */
static bool is_passing(uint16_t status)
{
	return status == 429 || status == 503;
}

static void on_answer(struct control_call *call, const struct gateway_control_answer *answer)
{
	struct reader *reader = container_of(call, struct reader, call);
	if (!reader->was_open) {
		const struct reader_events *events = reader->events;
		reader_close(reader);
		events->refused(reader, answer);
	} else if (is_passing(answer->status)) {
		wait(reader, READER_RETRY_MS);
	} else {
		end(reader, READER_WITHDRAWN, (struct text){0});
	}
}

static void on_lost(struct control_call *call, bool sent)
{
	struct reader *reader = container_of(call, struct reader, call);
	(void)sent;
	if (reader->was_open)
		wait(reader, 0);
	else
		end(reader, READER_UNAVAILABLE, (struct text){0});
}

static const struct control_call_events call_events = {send_request, NULL, on_answer, on_lost};

/* ---- what the stream role says ---- */

static void tell_close(struct readers *readers, uint64_t number)
{
	struct gateway_stream_close message = {number};
	if (readers->stream)
		channel_send(readers->stream, GATEWAY_STREAM_CLOSE, &message);
}

static void count_backlog(struct reader *reader, size_t backlog)
{
	reader->readers->backlog += backlog - reader->backlog;
	reader->backlog = backlog;
}

void reader_drained(struct reader *reader)
{
	struct readers *readers = reader->readers;
	if (reader->state != READER_READING || !readers->stream)
		return;
	count_backlog(reader, reader->events->backlog(reader));
	bool tight = readers->backlog > READERS_BACKLOG_LIMIT;
	struct gateway_stream_credit credit = {
	    reader->number,
	    reader_credit_due(&reader->credit, reader->backlog, tight),
	};
	if (credit.bytes > 0)
		channel_send(readers->stream, GATEWAY_STREAM_CREDIT, &credit);
}

static void on_opened(struct readers *readers, const struct gateway_stream_opened *opened)
{
	struct reader *reader = find(readers, opened->reader);
	if (!reader || reader->state != READER_ASKING) {
		if (opened->verdict == READER_OPEN)
			tell_close(readers, opened->reader);
		return;
	}
	control_link_finish(readers->control, &reader->call);
	if (opened->verdict == READER_UNAVAILABLE && reader->was_open) {
		wait(reader, READER_RETRY_MS);
		return;
	}
	if (opened->verdict != READER_OPEN) {
		end(reader, opened->verdict, opened->oldest);
		return;
	}
	bool first = !reader->was_open;
	reader->was_open = true;
	reader->deadline_ms = 0;
	reader->state = READER_READING;
	if (first)
		reader->events->opened(reader);
	if ((reader = find(readers, opened->reader)))
		reader_drained(reader);
}

static void keep_position(struct reader *reader, struct text position)
{
	if (position.size == 0 || position.size > sizeof(reader->position))
		return;
	memcpy(reader->position, position.data, position.size);
	reader->position_size = position.size;
}

static void deliver(struct readers *readers, struct reader *reader, uint64_t cost)
{
	uint64_t number = reader->number;
	keep_position(reader, delivery_position(&readers->delivery));
	reader_credit_use(&reader->credit, cost);
	readers->events_delivered += delivery_count(&readers->delivery);
	readers->bytes_delivered += cost;
	reader->events->deliver(reader, &readers->delivery);
	if ((reader = find(readers, number)))
		reader_drained(reader);
}

static void on_deliver(struct readers *readers, const struct gateway_stream_deliver *message)
{
	const uint64_t *numbers = message->readers.items;
	uint64_t cost = 0;
	delivery_begin(&readers->delivery, message);
	for (size_t i = 0; i < message->events.count; i++)
		cost += event_cost(delivery_event(&readers->delivery, i));
	for (size_t i = 0; i < message->readers.count; i++) {
		struct reader *reader = find(readers, numbers[i]);
		if (reader && reader->state == READER_READING)
			deliver(readers, reader, cost);
	}
}

static void on_ended(struct readers *readers, const struct gateway_stream_ended *ended)
{
	struct reader *reader = find(readers, ended->reader);
	if (!reader)
		return;
	if (ended->verdict == READER_UNAVAILABLE && reader->was_open)
		wait(reader, READER_RETRY_MS);
	else
		end(reader, ended->verdict, ended->oldest);
}

static int on_message(void *owner, struct channel *channel, unsigned type, const void *body,
		      struct channel_descriptors *descriptors)
{
	struct readers *readers = owner;
	(void)channel;
	(void)descriptors;
	switch (type) {
	case GATEWAY_STREAM_OPENED:
		on_opened(readers, body);
		return 0;
	case GATEWAY_STREAM_DELIVER:
		on_deliver(readers, body);
		return 0;
	case GATEWAY_STREAM_ENDED:
		on_ended(readers, body);
		return 0;
	default:
		return error_origin(-EBADMSG);
	}
}

/* ---- the channel to the stream role ---- */

static void release_all(struct readers *readers)
{
	map_for_each (node, &readers->open) {
		struct reader *reader = container_of(node, struct reader, node);
		wait(reader, 0);
	}
}

static void release_deferred(struct loop_deferred *deferred)
{
	release_all(container_of(deferred, struct readers, release));
}

static void on_closed(void *owner, struct channel *channel, int why)
{
	struct readers *readers = owner;
	log_warning("the stream role is gone: readers=%zu error=%s", readers->open.count,
		    strerror(-why));
	channel_free(channel);
	readers->stream = NULL;
	loop_defer(&readers->release, readers->loop, release_deferred);
}

static const struct channel_events channel_events = {on_message, on_closed, NULL};

int readers_connect(struct readers *readers, int fd)
{
	channel_free(readers->stream);
	readers->stream = NULL;
	loop_deferred_cancel(&readers->release);
	release_all(readers);
	int r = channel_new(&readers->stream, readers->loop, fd, &gateway_stream_protocol,
			    &channel_events, readers);
	if (r < 0)
		return error_trace(r);
	retry_all(readers);
	return 0;
}

void readers_init(struct readers *readers, struct loop *loop, struct control_link *control)
{
	*readers = (struct readers){.loop = loop, .control = control, .next_number = 1};
	list_init(&readers->waiting);
}

/* Owners that are told may close other readers, but not start any: so this comes to an end. */
void readers_stop(struct readers *readers)
{
	for (struct map_node *node; (node = map_next(&readers->open, NULL));)
		end(container_of(node, struct reader, node), READER_UNAVAILABLE, (struct text){0});
	while (!list_is_empty(&readers->waiting))
		end(list_first(&readers->waiting, struct reader, waiting), READER_UNAVAILABLE,
		    (struct text){0});
}

void readers_free(struct readers *readers)
{
	assert(readers->count == 0);
	loop_timer_stop(&readers->timer);
	loop_deferred_cancel(&readers->release);
	channel_free(readers->stream);
	map_free(&readers->open);
	arena_free(&readers->scratch);
	delivery_free(&readers->delivery);
}

/* ---- readers ---- */

int reader_start(struct readers *readers, struct reader *reader, const struct reader_events *events,
		 const struct gateway_control_request *request)
{
	*reader = (struct reader){.readers = readers, .events = events};
	reader->call.events = &call_events;
	reader->call.repeatable = true;
	list_init(&reader->waiting);
	reader_credit_init(&reader->credit);
	int r = keep_request(reader, request);
	if (r < 0)
		return r;
	readers->count++;
	if (readers->stream)
		r = ask(reader);
	else
		wait(reader, 0);
	if (r < 0) {
		if (is_numbered(reader))
			map_remove(&readers->open, &reader->node);
		reader->state = READER_IDLE;
		wipe_request(reader);
		readers->count--;
	}
	return error_trace(r);
}

void reader_close(struct reader *reader)
{
	struct readers *readers = reader->readers;
	if (!reader->request)
		return;
	if (reader->state == READER_READING)
		tell_close(readers, reader->number);
	if (is_numbered(reader))
		map_remove(&readers->open, &reader->node);
	control_link_abandon(readers->control, &reader->call);
	list_remove(&reader->waiting);
	count_backlog(reader, 0);
	reader->state = READER_IDLE;
	wipe_request(reader);
	readers->count--;
}
