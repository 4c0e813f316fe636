#include "proc/gateway/event_page.h"

#include "proc/gateway/event_feed.h"
#include "proc/gateway/page.h"

#include <stdlib.h>

struct event_page {
	struct exchange *exchange;
	struct reader reader;
	struct page page;
	struct loop_timer patience; /* runs while an empty page waits for an event */
	bool one_operation;
};

static struct event_page *page_of(struct reader *reader)
{
	return container_of(reader, struct event_page, reader);
}

static void answer_page(struct event_page *page)
{
	struct exchange *exchange = page->exchange;
	ATTR_BUFFER struct buffer body = {0};
	struct answer answer;
	if (page_write(&page->page, &body) < 0) {
		exchange_fail(exchange, PROBLEM_OVERLOADED, NULL);
		return;
	}
	answer_begin(&answer, 200);
	answer_add(&answer, TEXT("content-type"), TEXT("application/json"));
	answer.body = buffer_bytes(&body);
	exchange_answer(exchange, &answer);
}

static void on_patience(struct loop_timer *timer)
{
	answer_page(container_of(timer, struct event_page, patience));
}

/* Patience begins here: before the reader is admitted there is nothing to answer. */
static void on_opened(struct reader *reader)
{
	struct event_page *page = page_of(reader);
	struct exchange *exchange = page->exchange;
	uint32_t wait_ms = exchange->request.page_wait_ms;
	exchange_note_verdict(exchange, 200);
	if (wait_ms > 0 &&
	    loop_timer_start(&page->patience, exchange->gateway->loop, wait_ms, 0, on_patience) < 0)
		exchange_fail(exchange, PROBLEM_OVERLOADED, NULL);
}

/* Takes events up to the page's end; true if the operation's last one is among them. */
static bool take(struct event_page *page, struct delivery *delivery)
{
	size_t i = 0, count = delivery_count(delivery);
	bool terminal = false;
	for (; i < count && !page_is_full(&page->page) && !terminal; i++) {
		const struct event_delivered *event = delivery_event(delivery, i);
		page_add(&page->page, delivery_json(delivery, i), event->cursor);
		terminal = page->one_operation && event_is_terminal(event->type);
	}
	if (i == count && !page_is_full(&page->page))
		page_set_next(&page->page, delivery_position(delivery));
	return terminal;
}

static void on_deliver(struct reader *reader, struct delivery *delivery)
{
	struct event_page *page = page_of(reader);
	bool terminal = take(page, delivery);
	bool at_end = delivery->message->at_end;
	bool waits = page->page.count == 0 && page->exchange->request.page_wait_ms > 0;
	if (page_is_full(&page->page) || terminal || (at_end && !waits))
		answer_page(page);
}

static void on_refused(struct reader *reader, const struct gateway_control_answer *answer)
{
	exchange_relay(page_of(reader)->exchange, answer);
}

/* Behind an operation's last event there is nothing: an empty page that says to go on where it was
 * asked. */
static void on_ended(struct reader *reader, enum reader_verdict verdict, struct text oldest)
{
	struct event_page *page = page_of(reader);
	if (verdict == READER_COMPLETE)
		answer_page(page);
	else
		event_feed_refuse(page->exchange, verdict, oldest);
}

/* Nothing has been written for the client before the page is whole; what it holds is bounded by the
 * page. */
static size_t on_backlog(struct reader *reader)
{
	(void)reader;
	return 0;
}

static const struct reader_events reader_events = {on_opened, on_deliver, on_refused, on_ended,
						   on_backlog};

static void on_closed(struct exchange *exchange)
{
	struct event_page *page = exchange->own;
	loop_timer_stop(&page->patience);
	reader_close(&page->reader);
	page_free(&page->page);
	free(page);
}

static const struct exchange_way way = {.closed = on_closed};

static struct text asked_position(const struct gateway_control_request *message)
{
	struct text position = {0};
	for (size_t i = 0; i < message->query.count; i++) {
		const struct wire_pair *pair = (const struct wire_pair *)message->query.items + i;
		if (text_equal(pair->name, TEXT("cursor")))
			position = pair->value;
	}
	for (size_t i = 0; i < message->headers.count; i++) {
		const struct wire_pair *pair = (const struct wire_pair *)message->headers.items + i;
		if (text_equal(pair->name, TEXT("last-event-id")))
			position = pair->value;
	}
	return position;
}

void event_page_start(struct exchange *exchange)
{
	struct event_page *page = calloc(1, sizeof(*page));
	if (!page) {
		exchange_fail(exchange, PROBLEM_OVERLOADED, NULL);
		return;
	}
	page->exchange = exchange;
	page->one_operation = exchange->request.match.route->call == API_OPERATION_EVENTS;
	page_begin(&page->page, exchange->request.page_limit);
	page_set_next(&page->page, asked_position(&exchange->request.message));
	int r = reader_start(&exchange->gateway->readers, &page->reader, &reader_events,
			     &exchange->request.message);
	if (r < 0) {
		free(page);
		exchange_cannot_ask(exchange, r);
		return;
	}
	exchange->own = page;
	exchange->way = &way;
}
