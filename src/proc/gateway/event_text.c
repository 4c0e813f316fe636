#include "proc/gateway/event_text.h"

static void write_id(struct json *json, const char *key, enum id_kind kind, struct uuid id)
{
	json_key(json, key);
	if (uuid_is_zero(id))
		json_null(json);
	else
		json_cstring(json, id_format(kind, id).data);
}

static void write_chunk(struct json *json, const struct event_delivered *event)
{
	json_object(json);
	json_key(json, "stream");
	json_cstring(json,
		     event->stream < EVENT_STREAMS ? event_stream_names[event->stream] : "log");
	if (event->utf8) {
		json_key(json, "text");
		json_text(json, bytes_text(event->data));
	} else {
		json_key(json, "base64");
		json_base64(json, event->data);
	}
	json_object_end(json);
}

/* `data` is the JSON value that was published; a text shows itself as `text` too, like any other
 * chunk. */
static void write_message(struct json *json, const struct event_delivered *event)
{
	json_object(json);
	json_key(json, "stream");
	json_text(json, event->stream_name);
	json_key(json, "data");
	json_raw(json, bytes_text(event->data));
	if (event->data.size > 0 && event->data.data[0] == '"') {
		json_key(json, "text");
		json_raw(json, bytes_text(event->data));
	}
	json_object_end(json);
}

static void write_data(struct json *json, const struct event_delivered *event)
{
	json_key(json, "data");
	if (event->type != EVENT_CHUNK)
		json_raw(json, bytes_text(event->data));
	else if (event->stream == EVENT_MESSAGE)
		write_message(json, event);
	else
		write_chunk(json, event);
}

static const char *type_name(const struct event_delivered *event)
{
	return event->type < EVENT_TYPES ? event_type_names[event->type] : "unknown";
}

void event_text_json(struct buffer *out, const struct event_delivered *event)
{
	struct json json = json_to(out);
	json_object(&json);
	json_key(&json, "cursor");
	json_text(&json, event->cursor);
	json_key(&json, "type");
	json_cstring(&json, type_name(event));
	json_key(&json, "time");
	json_time(&json, event->time_ms);
	write_id(&json, "workspace", ID_WORKSPACE, event->workspace);
	write_id(&json, "project", ID_PROJECT, event->project);
	write_id(&json, "operation", ID_OPERATION, event->operation);
	json_key(&json, "correlationId");
	if (event->correlation.size > 0)
		json_text(&json, event->correlation);
	else
		json_null(&json);
	write_data(&json, event);
	json_object_end(&json);
}

/* A line end inside JSON can only be white space between its tokens. In the frame it would end the
 * field. */
static void join_lines(struct buffer *out, size_t from, int line_end)
{
	if (buffer_check(out) != 0)
		return;
	uint8_t *end = out->data + out->size;
	for (uint8_t *at = out->data + from; (at = memchr(at, line_end, (size_t)(end - at))); at++)
		*at = ' ';
}

void event_text_sse(struct buffer *out, const struct event_delivered *event)
{
	buffer_append_text(out, TEXT("id: "));
	buffer_append_text(out, event->cursor);
	buffer_append_text(out, TEXT("\nevent: "));
	buffer_append_text(out, text_of(type_name(event)));
	buffer_append_text(out, TEXT("\ndata: "));
	size_t from = out->size;
	event_text_json(out, event);
	join_lines(out, from, '\n');
	join_lines(out, from, '\r');
	buffer_append_text(out, TEXT("\n\n"));
}
