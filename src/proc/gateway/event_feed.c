#include "proc/gateway/event_feed.h"

#include <stdio.h>
#include <stdlib.h>

struct event_feed {
	struct exchange *exchange;
	struct reader reader;
	struct loop_timer comments;
	bool begun;         /* the head is out */
	bool one_operation; /* ends behind its terminal event */
};

static struct event_feed *stream_of(struct reader *reader)
{
	return container_of(reader, struct event_feed, reader);
}

/* ---- what is not events ---- */

static const enum problem_code verdict_problems[] = {
    [READER_BAD_CURSOR] = PROBLEM_INVALID_CURSOR,      [READER_EXPIRED] = PROBLEM_CURSOR_EXPIRED,
    [READER_TOO_MANY] = PROBLEM_TOO_MANY_READERS,      [READER_WITHDRAWN] = PROBLEM_UNAUTHENTICATED,
    [READER_UNAVAILABLE] = PROBLEM_STREAM_UNAVAILABLE,
};

struct problem event_feed_problem(enum reader_verdict verdict)
{
	bool known = verdict > READER_OPEN && verdict < ARRAY_SIZE(verdict_problems);
	return problem_of(known ? verdict_problems[verdict] : PROBLEM_INTERNAL);
}

static void answer_expired_cursor(struct exchange *exchange, struct problem *problem,
				  struct text oldest)
{
	struct answer answer;
	problem->request_id = exchange->request.message.request_id;
	if (answer_expired(&answer, problem, oldest, &exchange->arena) < 0)
		exchange_fail(exchange, PROBLEM_INTERNAL, NULL);
	else
		exchange_answer(exchange, &answer);
}

/* 204 is what tells an EventSource not to come again. */
static void answer_nothing_left(struct exchange *exchange)
{
	struct answer answer;
	answer_begin(&answer, 204);
	exchange_answer(exchange, &answer);
}

void event_feed_refuse(struct exchange *exchange, enum reader_verdict verdict, struct text oldest)
{
	struct problem problem = event_feed_problem(verdict);
	if (verdict == READER_COMPLETE)
		answer_nothing_left(exchange);
	else if (verdict == READER_EXPIRED)
		answer_expired_cursor(exchange, &problem, oldest);
	else
		exchange_problem(exchange, problem, problem.kind.retryable ? 1 : 0);
}

/* ---- server-sent events ---- */

static void send_head(struct event_feed *stream)
{
	struct answer answer;
	char retry[32];
	int size = snprintf(retry, sizeof(retry), "retry: %d\n\n", EVENT_FEED_RETRY_MS);
	answer_begin(&answer, 200);
	answer_add(&answer, TEXT("content-type"), TEXT("text/event-stream; charset=utf-8"));
	answer_add(&answer, TEXT("x-accel-buffering"), TEXT("no"));
	exchange_begin(stream->exchange, &answer, UINT64_MAX);
	if (stream->exchange->own)
		exchange_write(stream->exchange,
			       (struct bytes){(const uint8_t *)retry, (size_t)size});
}

static void on_comment_time(struct loop_timer *timer)
{
	struct event_feed *stream = container_of(timer, struct event_feed, comments);
	if (exchange_backlog(stream->exchange) == 0)
		exchange_write(stream->exchange, text_bytes(TEXT(":\n\n")));
}

static void on_opened(struct reader *reader)
{
	exchange_note_verdict(stream_of(reader)->exchange, 200);
}

/* The head waits for the first word of the stream role, which comes at once: a reader behind an
 * operation's end must be answered 204 instead, or an EventSource would come again for ever. */
static void begin(struct event_feed *stream)
{
	struct exchange *exchange = stream->exchange;
	stream->begun = true;
	send_head(stream);
	if (!exchange->own)
		return;
	/* The reader has its own copy of what it needs: a reader that idles for hours costs little.
	 */
	exchange_forget_request(exchange);
	if (loop_timer_start(&stream->comments, exchange->gateway->loop, EVENT_FEED_COMMENT_MS,
			     EVENT_FEED_COMMENT_MS, on_comment_time) < 0)
		exchange_cut(exchange);
}

static bool is_over(const struct event_feed *stream, struct delivery *delivery)
{
	size_t count = delivery_count(delivery);
	return stream->one_operation && count > 0 &&
	       event_is_terminal(delivery_event(delivery, count - 1)->type);
}

static void on_deliver(struct reader *reader, struct delivery *delivery)
{
	struct event_feed *stream = stream_of(reader);
	struct exchange *exchange = stream->exchange;
	if (!stream->begun)
		begin(stream);
	if (delivery_count(delivery) == 0 || !exchange->own)
		return;
	struct bytes bytes = delivery_sse(delivery);
	if (!bytes.data) {
		exchange_cut(exchange);
		return;
	}
	bool over = is_over(stream, delivery);
	exchange_write(exchange, bytes);
	if (over && exchange->own)
		exchange_end(exchange);
}

static void on_refused(struct reader *reader, const struct gateway_control_answer *answer)
{
	exchange_relay(stream_of(reader)->exchange, answer);
}

/* An operation that is complete ends its stream like one whose terminal event was read; all else is
 * cut short, and the client comes again with Last-Event-ID and is then told why. */
static void on_ended(struct reader *reader, enum reader_verdict verdict, struct text oldest)
{
	struct event_feed *stream = stream_of(reader);
	struct exchange *exchange = stream->exchange;
	if (!stream->begun)
		event_feed_refuse(exchange, verdict, oldest);
	else if (verdict == READER_COMPLETE)
		exchange_end(exchange);
	else
		exchange_cut(exchange);
}

static size_t on_backlog(struct reader *reader)
{
	return exchange_backlog(stream_of(reader)->exchange);
}

static const struct reader_events reader_events = {on_opened, on_deliver, on_refused, on_ended,
						   on_backlog};

static void on_drained(struct exchange *exchange)
{
	struct event_feed *stream = exchange->own;
	reader_drained(&stream->reader);
}

static void on_closed(struct exchange *exchange)
{
	struct event_feed *stream = exchange->own;
	loop_timer_stop(&stream->comments);
	reader_close(&stream->reader);
	free(stream);
}

static const struct exchange_way way = {.drained = on_drained, .closed = on_closed};

void event_feed_start(struct exchange *exchange)
{
	struct event_feed *stream = calloc(1, sizeof(*stream));
	if (!stream) {
		exchange_fail(exchange, PROBLEM_OVERLOADED, NULL);
		return;
	}
	stream->exchange = exchange;
	stream->one_operation = exchange->request.match.route->call == API_OPERATION_EVENTS;
	int r = reader_start(&exchange->gateway->readers, &stream->reader, &reader_events,
			     &exchange->request.message);
	if (r < 0) {
		free(stream);
		exchange_cannot_ask(exchange, r);
		return;
	}
	exchange->own = stream;
	exchange->way = &way;
}
