/* The way of GET …/events with Accept: text/event-stream: server-sent events until the client
 * leaves, or behind the terminal event of an operation. And what both forms of reading share: what
 * to say when the stream role does not open a reader. */
#pragma once

#include "proc/gateway/exchange.h"

enum { EVENT_FEED_COMMENT_MS = 15000, EVENT_FEED_RETRY_MS = 1000 };

void event_feed_start(struct exchange *exchange);

/* Answers a reader that was not opened, or that ended before anything was said. */
void event_feed_refuse(struct exchange *exchange, enum reader_verdict verdict, struct text oldest);

/* The problem that a verdict stands for. */
struct problem event_feed_problem(enum reader_verdict verdict);
