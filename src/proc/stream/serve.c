/* Out of the log: one turn serves all readers that stand at one place, from one reading of the
 * records. */
#include "base/error.h"
#include "base/log.h"
#include "proc/stream/broker.h"

#include <errno.h>

enum {
	PLACES = 256,           /* looked up in a turn */
	TURN_BYTES = 256 << 10, /* handed out in a turn, and one event more at the most */
	SERVE_BYTES = 1 << 20,  /* handed out before the loop looks at its peers again */
	SERVE_TURNS = 64,
};

/* What one turn has read. */
struct page {
	struct broker *broker;
	const struct readers_turn *turn;
	struct log_place places[PLACES];
	struct log_found found;
	struct event_delivered events[PLACES];
	size_t n_events;
	uint64_t cost;
	uint64_t next; /* the first position that was not looked at */
	bool at_end;
	bool terminal;               /* an operation's last event is among them */
	enum reader_verdict verdict; /* READER_OPEN unless the readers end */
};

/* ---- reading ---- */

static struct text copy(struct arena *arena, struct text text, bool *failed)
{
	struct text copied = arena_text(arena, text);
	*failed |= !copied.data;
	return copied;
}

/* The record's bytes are the log's and gone with the next read. */
static int take_event(struct page *page, const struct event_record *record, uint64_t position)
{
	struct broker *broker = page->broker;
	struct event_cursor behind = {record->workspace, record->project, position + 1};
	struct event_cursor_text cursor = event_cursor_format(&broker->key, &behind);
	bool failed = false;
	struct event_delivered event = {
	    .cursor = copy(&broker->arena, text_of(cursor.data), &failed),
	    .type = record->type,
	    .stream = record->stream,
	    .utf8 = record->utf8,
	    .time_ms = record->time_ms,
	    .workspace = record->workspace,
	    .project = record->project,
	    .operation = record->operation,
	    .correlation = copy(&broker->arena, record->correlation, &failed),
	    .stream_name = copy(&broker->arena, record->stream_name, &failed),
	    .data = text_bytes(copy(&broker->arena, bytes_text(record->data), &failed)),
	};
	if (failed)
		return error_origin(-ENOMEM);
	page->events[page->n_events++] = event;
	page->cost += event_cost(&event);
	page->terminal |= event_is_terminal(event.type);
	return 0;
}

static bool is_wanted(const struct page *page, const struct log_place *place)
{
	uint32_t types = page->turn->filter->types;
	return place->tag < EVENT_TYPES && (!types || types & 1u << place->tag);
}

static int read_event(struct page *page, const struct log_place *place)
{
	struct broker *broker = page->broker;
	struct log_record record;
	struct event_record event;
	int r = log_read(broker->log, place, &record);
	if (r)
		return r;
	r = event_record_decode(record.data, &broker->arena, &event);
	if (r < 0)
		return r == -EBADMSG ? LOG_CORRUPT : error_trace(r);
	if (!reader_filter_matches(page->turn->filter, &event) ||
	    forgotten_hides(&broker->forgotten, event.project, place->position))
		return 0;
	return error_trace(take_event(page, &event, place->position));
}

static bool is_full(const struct page *page)
{
	return page->cost >= (uint64_t)page->turn->credit || page->cost >= TURN_BYTES;
}

static enum reader_verdict verdict_on(int r)
{
	return r == LOG_GONE ? READER_EXPIRED : READER_UNAVAILABLE;
}

/* Up to what is lost everything is handed out; a reader that comes to stand before it ends there,
 * and is told. */
static void read_places(struct page *page)
{
	int r = 0;
	size_t i = 0;
	for (; i < page->found.count && !is_full(page); i++) {
		const struct log_place *place = &page->places[i];
		if (place->position > page->found.lost)
			break;
		if (is_wanted(page, place))
			r = read_event(page, place);
		if (r)
			break;
		page->next = place->position + 1;
	}
	bool seen_all = r == 0 && i == page->found.count;
	if (r && page->n_events == 0)
		page->verdict = verdict_on(r);
	if (r == 0 && page->n_events == 0 && page->found.lost != LOG_NONE_LOST &&
	    (seen_all || page->places[i].position > page->found.lost))
		page->verdict = READER_UNAVAILABLE;
	page->at_end = seen_all && page->found.count < PLACES && page->found.lost == LOG_NONE_LOST;
}

static void read_page(struct page *page)
{
	struct broker *broker = page->broker;
	const struct readers_turn *turn = page->turn;
	struct log_query query = {turn->filter->subject, turn->position, PLACES};
	struct log_bounds bounds;
	log_bounds(broker->log, &bounds);
	page->next = turn->position;
	int r = log_find(broker->log, &query, page->places, &page->found);
	if (r) {
		page->verdict = verdict_on(r);
		return;
	}
	read_places(page);
	if (page->at_end)
		page->next = bounds.end;
}

/* ---- sending ---- */

static size_t numbers_of(const struct page *page, uint16_t gateway, uint64_t *numbers)
{
	size_t n = 0;
	for (size_t i = 0; i < page->turn->count; i++) {
		struct reader_name name = readers_turn_name(&page->broker->readers, i);
		if (name.gateway == gateway)
			numbers[n++] = name.number;
	}
	return n;
}

static void deliver(const struct page *page, struct peer *gateway, struct wire_list numbers)
{
	const struct reader_filter *filter = page->turn->filter;
	struct event_cursor at = {filter->workspace, filter->project, page->next};
	struct event_cursor_text position = event_cursor_format(&page->broker->key, &at);
	struct gateway_stream_deliver message = {
	    .readers = numbers,
	    .events = {(void *)page->events, page->n_events},
	    .at_end = page->at_end,
	    .position = text_of(position.data),
	};
	int r = channel_send(gateway->channel, GATEWAY_STREAM_DELIVER, &message);
	if (r < 0)
		log_debug("events not delivered error=%d", r);
	page->broker->figures.values[FIGURE_DELIVERED] += page->n_events * numbers.count;
	page->broker->figures.values[FIGURE_DELIVERED_BYTES] += page->cost * numbers.count;
}

static void end_readers(const struct page *page, struct peer *gateway, struct wire_list numbers)
{
	struct event_cursor_text oldest = broker_oldest(page->broker, page->turn->filter);
	const uint64_t *number = numbers.items;
	for (size_t i = 0; i < numbers.count; i++) {
		struct gateway_stream_ended ended = {number[i], (uint8_t)page->verdict,
						     text_of(oldest.data)};
		if (channel_send(gateway->channel, GATEWAY_STREAM_ENDED, &ended) < 0)
			return;
	}
}

static void tell_gateways(const struct page *page)
{
	uint64_t numbers[READERS_TURN_MAX];
	bool ends = page->verdict != READER_OPEN;
	if (!ends && page->n_events == 0 && !page->at_end)
		return; /* all that was read is for others; they go on */
	struct peer *peer;
	list_for_each (peer, &page->broker->peers, node) {
		if (peer->kind != ROLE_GATEWAY || peer->dead)
			continue;
		struct wire_list list = {numbers, numbers_of(page, peer->index, numbers)};
		if (list.count)
			(ends ? end_readers : deliver)(page, peer, list);
	}
}

/* ---- turns ---- */

/* An operation that has ended and whose events are behind its readers: nothing will ever come. */
static bool is_complete(const struct page *page)
{
	struct order *order;
	if (page->turn->filter->scope != READER_OPERATION || !page->at_end || page->n_events)
		return false;
	return broker_order(page->broker, page->turn->filter->operation, &order) == 0 &&
	       order->stage == ORDER_ENDED;
}

/* A gateway that does not empty its channel is left alone until it does. */
static void block_full_gateways(struct broker *broker)
{
	struct peer *peer;
	list_for_each (peer, &broker->peers, node) {
		if (peer->kind != ROLE_GATEWAY || peer->dead || peer->full ||
		    channel_backlog(peer->channel) <= CHANNEL_LOW_WATER)
			continue;
		channel_flush(peer->channel);
		peer->full = !peer->dead && channel_backlog(peer->channel) > CHANNEL_LOW_WATER;
		if (peer->full)
			readers_block(&broker->readers, peer->index, true);
	}
}

static uint64_t serve_turn(struct broker *broker, const struct readers_turn *turn)
{
	struct page page = {.broker = broker, .turn = turn, .verdict = READER_OPEN};
	read_page(&page);
	if (page.verdict == READER_OPEN && is_complete(&page))
		page.verdict = READER_COMPLETE;
	tell_gateways(&page);
	struct readers_progress progress = {page.next, page.cost, page.at_end};
	if (page.verdict == READER_OPEN)
		readers_advance(&broker->readers, turn, &progress);
	else
		readers_end(&broker->readers, turn);
	arena_reset(&broker->arena);
	block_full_gateways(broker);
	broker->figures.values[FIGURE_TURNS]++;
	return page.cost;
}

bool broker_serve(struct broker *broker)
{
	struct readers_turn turn;
	uint64_t handed_out = 0;
	for (int i = 0; i < SERVE_TURNS && handed_out < SERVE_BYTES; i++) {
		if (!readers_next(&broker->readers, &turn))
			return false;
		handed_out += serve_turn(broker, &turn);
	}
	return true;
}
