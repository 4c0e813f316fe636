/* One DELIVER of the stream role, written out at most once in each form that its readers want.
 * Lives for one message. */
#pragma once

#include "base/buffer.h"
#include "proto/gateway_stream.h"

enum { DELIVERY_EVENTS_MAX = 4096 };

struct delivery {
	const struct gateway_stream_deliver *message;
	struct buffer sse;
	struct buffer json;
	size_t n_json;                        /* events written to `json` */
	size_t json_end[DELIVERY_EVENTS_MAX]; /* where each event's JSON ends */
};

void delivery_begin(struct delivery *delivery, const struct gateway_stream_deliver *message);
void delivery_free(struct delivery *delivery);

static inline size_t delivery_count(const struct delivery *delivery)
{
	return delivery->message->events.count;
}
const struct event_delivered *delivery_event(const struct delivery *delivery, size_t index);

/* All events as server-sent events; -ENOMEM as an empty view with data NULL. */
struct bytes delivery_sse(struct delivery *delivery);
/* One event as JSON; data NULL when memory is short. */
struct text delivery_json(struct delivery *delivery, size_t index);

/* Where to go on behind these events; may be empty at the very beginning. */
struct text delivery_position(const struct delivery *delivery);
