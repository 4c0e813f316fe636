#include "proc/worker/output.h"

#include "base/error.h"
#include "proto/event.h"

#include <assert.h>
#include <stdlib.h>

void output_init(struct output *output)
{
	*output = (struct output){0};
	list_init(&output->to_send);
	list_init(&output->sent);
}

static void free_list(struct output *output, struct list *list)
{
	struct append *append;
	list_for_each (append, list, node) {
		list_remove(&append->node);
		output_release(output, append);
	}
}

void output_free(struct output *output)
{
	free_list(output, &output->to_send);
	free_list(output, &output->sent);
}

void output_release(struct output *output, struct append *append)
{
	output->held -= append->size;
	free(append->data);
	free(append);
}

/* Small pieces that gather before they are sent make one event. */
static struct append *joinable(struct output *output, const struct output_piece *piece)
{
	if (list_is_empty(&output->to_send) || piece->type != EVENT_CHUNK)
		return NULL;
	struct append *last = container_of(output->to_send.previous, struct append, node);
	bool same = last->operation == piece->operation && last->type == EVENT_CHUNK &&
		    last->stream == piece->stream;
	/* One that was sent before may be in the log already, as it was. */
	bool fresh = last->token == output->next_token && !last->was_sent;
	return same && fresh && last->size + piece->data.size <= EVENT_CHUNK_LIMIT ? last : NULL;
}

static bool grow(struct append *append, size_t size)
{
	if (size <= append->capacity)
		return true;
	size_t capacity = append->capacity ? 2 * append->capacity : size;
	capacity = capacity < size ? size : capacity;
	uint8_t *data = realloc(append->data, capacity);
	if (!data)
		return false;
	append->data = data;
	append->capacity = capacity;
	return true;
}

static struct append *append_new(struct output *output, const struct output_piece *piece)
{
	struct append *append = calloc(1, sizeof(*append));
	if (!append)
		return NULL;
	append->operation = piece->operation;
	append->token = ++output->next_token;
	append->type = piece->type;
	append->stream = piece->stream;
	append->time_ms = piece->time_ms;
	list_append(&output->to_send, &append->node);
	return append;
}

struct append *output_add(struct output *output, const struct output_piece *piece)
{
	struct append *append = joinable(output, piece);
	if (!append)
		append = append_new(output, piece);
	if (!append || !grow(append, append->size + piece->data.size))
		return NULL;
	if (piece->data.size > 0)
		memcpy(append->data + append->size, piece->data.data, piece->data.size);
	append->size += piece->data.size;
	output->held += piece->data.size;
	return append;
}

struct append *output_next(struct output *output)
{
	if (output->stalled || list_is_empty(&output->to_send))
		return NULL;
	return list_first(&output->to_send, struct append, node);
}

void output_sent(struct output *output, struct append *append)
{
	assert(!output->stalled);
	append->was_sent = true;
	list_remove(&append->node);
	list_append(&output->sent, &append->node);
}

static void send_again(struct output *output, struct append *append)
{
	struct append *later;
	struct list *place = &output->to_send;
	list_remove(&append->node);
	list_for_each (later, &output->to_send, node) {
		if (later->token < append->token)
			continue;
		place = &later->node;
		break;
	}
	list_insert_before(place, &append->node);
}

static struct append *find_sent(struct output *output, uint64_t token)
{
	struct append *append;
	list_for_each (append, &output->sent, node)
		if (append->token == token)
			return append;
	return NULL;
}

enum output_settled output_acknowledge(struct output *output, uint64_t token, uint8_t status,
				       struct append **out)
{
	struct append *append = find_sent(output, token);
	if (!append)
		return OUTPUT_UNKNOWN;
	if (status == EVENT_NO_SPACE || (status == EVENT_REFUSED && output->stalled)) {
		output->stalled = true;
		send_again(output, append);
		return OUTPUT_LATER;
	}
	list_remove(&append->node);
	*out = append;
	return status == EVENT_REFUSED ? OUTPUT_REFUSED : OUTPUT_DURABLE;
}

void output_call_back(struct output *output)
{
	while (!list_is_empty(&output->sent))
		send_again(output, container_of(output->sent.previous, struct append, node));
	output->stalled = false;
}

bool output_resume(struct output *output)
{
	if (!output->stalled || !list_is_empty(&output->sent))
		return false;
	output->stalled = false;
	return true;
}
