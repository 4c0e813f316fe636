#include "proc/gateway/delivery.h"

#include "proc/gateway/event_text.h"

#include <assert.h>

enum { KEPT_CAPACITY = 1 << 20 };

static void recycle(struct buffer *buffer)
{
	buffer_clear(buffer);
	if (buffer->capacity > KEPT_CAPACITY)
		buffer_free(buffer);
}

void delivery_begin(struct delivery *delivery, const struct gateway_stream_deliver *message)
{
	assert(message->events.count <= DELIVERY_EVENTS_MAX);
	delivery->message = message;
	delivery->n_json = 0;
	recycle(&delivery->sse);
	recycle(&delivery->json);
}

void delivery_free(struct delivery *delivery)
{
	buffer_free(&delivery->sse);
	buffer_free(&delivery->json);
}

const struct event_delivered *delivery_event(const struct delivery *delivery, size_t index)
{
	assert(index < delivery->message->events.count);
	return (const struct event_delivered *)delivery->message->events.items + index;
}

struct bytes delivery_sse(struct delivery *delivery)
{
	if (delivery->sse.size == 0)
		for (size_t i = 0; i < delivery_count(delivery); i++)
			event_text_sse(&delivery->sse, delivery_event(delivery, i));
	if (buffer_check(&delivery->sse) != 0)
		return (struct bytes){NULL, 0};
	return buffer_bytes(&delivery->sse);
}

struct text delivery_json(struct delivery *delivery, size_t index)
{
	for (; delivery->n_json <= index; delivery->n_json++) {
		event_text_json(&delivery->json, delivery_event(delivery, delivery->n_json));
		delivery->json_end[delivery->n_json] = delivery->json.size;
	}
	if (buffer_check(&delivery->json) != 0)
		return (struct text){NULL, 0};
	size_t start = index > 0 ? delivery->json_end[index - 1] : 0;
	return (struct text){(const char *)delivery->json.data + start,
			     delivery->json_end[index] - start};
}

struct text delivery_position(const struct delivery *delivery)
{
	if (delivery->message->position.size > 0 || delivery_count(delivery) == 0)
		return delivery->message->position;
	return delivery_event(delivery, delivery_count(delivery) - 1)->cursor;
}
