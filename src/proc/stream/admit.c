/* Readers that control orders: where they begin, and whether they may. */
#include "base/error.h"
#include "base/log.h"
#include "proc/stream/broker.h"
#include "proc/stream/subject.h"

#include <errno.h>
#include <stdlib.h>

enum { POSTPONED_MAX = 4096 };
enum {
	QUEUED_WITHIN_MS = 3600 * 1000
}; /* after this time an operation without events has lost them */

struct peer *broker_gateway(const struct broker *broker, uint16_t index)
{
	struct peer *peer;
	list_for_each (peer, &broker->peers, node)
		if (peer->kind == ROLE_GATEWAY && peer->index == index && !peer->dead)
			return peer;
	return NULL;
}

struct event_cursor_text broker_oldest(const struct broker *broker,
				       const struct reader_filter *filter)
{
	struct log_bounds bounds;
	log_bounds(broker->log, &bounds);
	struct event_cursor oldest = {filter->workspace, filter->project, bounds.first};
	return event_cursor_format(&broker->key, &oldest);
}

static void make_filter(const struct broker *broker, const struct control_stream_reader_open *open,
			struct reader_filter *filter)
{
	*filter = (struct reader_filter){0};
	filter->scope = open->scope;
	filter->types = open->types & ((1u << EVENT_TYPES) - 1);
	filter->workspace = open->workspace;
	if (open->scope != READER_CORRELATION)
		filter->project = open->project;
	if (open->scope == READER_OPERATION)
		filter->operation = open->operation;
	if (open->scope == READER_CORRELATION || open->scope == READER_NAMED_STREAM) {
		filter->name_size = open->name.size;
		memcpy(filter->name, open->name.data, open->name.size);
	}
	filter->subject = subject_of_filter(&broker->key, filter);
}

/* Where an operation's events begin. They begin with `queued`: if that is gone, the beginning is.
 */
static enum reader_verdict begin_operation(struct broker *broker,
					   const struct reader_filter *filter, uint64_t *position)
{
	struct log_place place;
	struct log_found found;
	struct log_bounds bounds;
	log_bounds(broker->log, &bounds);
	struct log_query query = {filter->subject, broker_since(broker, filter->operation), 1};
	int r = log_find(broker->log, &query, &place, &found);
	if (r)
		return READER_UNAVAILABLE;
	*position = found.count ? place.position : query.from;
	bool old = bounds.first > 0 &&
		   uuid_time_ms(filter->operation) + QUEUED_WITHIN_MS < loop_wall_ms(broker->loop);
	if (found.count ? place.tag != EVENT_QUEUED : old)
		return READER_EXPIRED;
	return READER_OPEN;
}

static enum reader_verdict begin_at_cursor(const struct broker *broker,
					   const struct reader_filter *filter, struct text text,
					   uint64_t *position)
{
	struct log_bounds bounds;
	struct event_cursor cursor = {.workspace = filter->workspace, .project = filter->project};
	log_bounds(broker->log, &bounds);
	if (event_cursor_parse(&broker->key, text, &cursor) || cursor.position > bounds.end)
		return READER_BAD_CURSOR;
	*position = cursor.position;
	return cursor.position < bounds.first ? READER_EXPIRED : READER_OPEN;
}

static enum reader_verdict begin(struct broker *broker, const struct reader_filter *filter,
				 const struct control_stream_reader_open *open, uint64_t *position)
{
	struct log_bounds bounds;
	log_bounds(broker->log, &bounds);
	if (open->start == READER_AT_CURSOR)
		return begin_at_cursor(broker, filter, open->cursor, position);
	if (open->start == READER_AT_START && filter->scope == READER_OPERATION)
		return begin_operation(broker, filter, position);
	*position = open->start == READER_AT_START ? bounds.first : bounds.end;
	return READER_OPEN;
}

static const uint8_t verdict_of[] = {
    [0] = READER_OPEN,
    [READERS_TOO_MANY] = READER_TOO_MANY,
    [READERS_EXISTS] = READER_UNAVAILABLE,
};

/* ---- readers that come before their gateway ---- */

struct postponed {
	struct list node;
	uint64_t since_ms;
	struct arena arena; /* its texts */
	struct control_stream_reader_open open;
};

static void drop_postponed(struct broker *broker, struct postponed *postponed)
{
	list_remove(&postponed->node);
	arena_free(&postponed->arena);
	free(postponed);
	broker->n_postponed--;
}

/* A gateway that was replaced asks control while the supervisor still announces it here. If it has
 * died instead, nobody waits. */
static int postpone(struct broker *broker, const struct control_stream_reader_open *open)
{
	if (broker->n_postponed == POSTPONED_MAX)
		return 0;
	struct postponed *postponed = calloc(1, sizeof(*postponed));
	if (!postponed)
		return error_origin(-ENOMEM);
	postponed->since_ms = loop_now_ms(broker->loop);
	postponed->open = *open;
	postponed->open.name = arena_text(&postponed->arena, open->name);
	postponed->open.cursor = arena_text(&postponed->arena, open->cursor);
	list_append(&broker->postponed, &postponed->node);
	broker->n_postponed++;
	return 0;
}

void broker_admit_postponed(struct broker *broker, uint16_t gateway)
{
	struct postponed *postponed;
	list_for_each (postponed, &broker->postponed, node) {
		if (postponed->open.gateway != gateway)
			continue;
		if (broker_admit(broker, &postponed->open) < 0)
			log_debug("postponed reader not opened");
		drop_postponed(broker, postponed);
	}
	broker_work(broker);
}

void broker_drop_postponed(struct broker *broker, uint64_t before_ms)
{
	struct postponed *postponed;
	list_for_each (postponed, &broker->postponed, node)
		if (postponed->since_ms < before_ms)
			drop_postponed(broker, postponed);
}

/* ---- orders of control ---- */

int broker_admit(struct broker *broker, const struct control_stream_reader_open *open)
{
	struct peer *gateway = broker_gateway(broker, open->gateway);
	struct reader_filter filter;
	if (open->scope >= READER_SCOPES || open->start > READER_AT_CURSOR)
		return error_origin(-EBADMSG);
	if (!gateway)
		return error_trace(postpone(broker, open));
	make_filter(broker, open, &filter);
	struct reader_request request = {.name = {open->gateway, open->reader},
					 .filter = &filter,
					 .key = open->key,
					 .blocked = gateway->full};
	struct event_cursor_text oldest = broker_oldest(broker, &filter);
	struct gateway_stream_opened opened = {.reader = open->reader,
					       .oldest = text_of(oldest.data)};
	opened.verdict = (uint8_t)begin(broker, &filter, open, &request.position);
	if (opened.verdict == READER_OPEN) {
		int r = readers_open(&broker->readers, &request);
		opened.verdict = r < 0 ? (uint8_t)READER_UNAVAILABLE : verdict_of[r];
	}
	int r = channel_send(gateway->channel, GATEWAY_STREAM_OPENED, &opened);
	if (r < 0)
		log_debug("reader not answered error=%d", r);
	return 0;
}

static void tell_withdrawn(void *owner, struct reader_name name)
{
	const struct broker *broker = owner;
	struct peer *gateway = broker_gateway(broker, name.gateway);
	struct gateway_stream_ended ended = {.reader = name.number, .verdict = READER_WITHDRAWN};
	int r = gateway ? channel_send(gateway->channel, GATEWAY_STREAM_ENDED, &ended) : 0;
	if (r < 0)
		log_debug("reader not told error=%d", r);
}

void broker_withdraw(struct broker *broker, const struct control_stream_reader_stop *stop)
{
	if (!uuid_is_zero(stop->key))
		readers_withdraw(&broker->readers, stop->key, (struct uuid){0}, tell_withdrawn,
				 broker);
	if (!uuid_is_zero(stop->project))
		readers_withdraw(&broker->readers, (struct uuid){0}, stop->project, tell_withdrawn,
				 broker);
}

/* Hidden at once; the record that keeps it so is written with the next commit, and with each one
 * after until it is durable. */
int broker_forget(struct broker *broker, const struct control_stream_forget *forget)
{
	struct log_bounds bounds;
	broker_commit(broker);
	log_bounds(broker->log, &bounds);
	int r = forgotten_add(&broker->forgotten, forget->project, bounds.end);
	if (r < 0)
		return error_trace(r);
	struct control_stream_reader_stop stop = {.project = forget->project};
	broker_withdraw(broker, &stop);
	broker_work(broker);
	return 0;
}
