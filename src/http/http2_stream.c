#include "http/http2_stream.h"

#include "base/arena.h"
#include "http/server_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static struct http_stream *stream_of(struct http_exchange *exchange)
{
	return container_of(exchange, struct http_stream, exchange);
}

static struct http_session *session_of(const struct http_exchange *exchange)
{
	return exchange->connection->session;
}

static void go_on(struct http_exchange *exchange)
{
	http_connection_schedule(exchange->connection);
}

static size_t left_of(const struct http_stream *stream)
{
	return stream->out.size - stream->out_start;
}

static uint64_t now_ms(const struct http_stream *stream)
{
	return loop_now_ms(stream->exchange.connection->server->loop);
}

/* ---- the answer ---- */

static size_t backlog(const struct http_exchange *exchange)
{
	const struct http_stream *stream =
	    container_of(exchange, const struct http_stream, exchange);
	return left_of(stream) + http_connection_backlog(exchange->connection);
}

static ssize_t give_data(nghttp2_session *frames ATTR_UNUSED, int32_t id ATTR_UNUSED, uint8_t *room,
			 size_t size, uint32_t *flags, nghttp2_data_source *source,
			 void *owner ATTR_UNUSED)
{
	struct http_stream *stream = source->ptr;
	size_t left = left_of(stream), taken = left < size ? left : size;
	if (taken > 0)
		memcpy(room, stream->out.data + stream->out_start, taken);
	stream->out_start += taken;
	stream->exchange.connection->server->backlog -= taken;
	stream->taken_ms = now_ms(stream);
	if (taken < left)
		return (ssize_t)taken;
	stream->out_start = 0;
	buffer_free(&stream->out);
	if (stream->exchange.is_ended) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	} else if (taken == 0) {
		stream->deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	return (ssize_t)taken;
}

static nghttp2_nv pair(struct text name, struct text value)
{
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name.data, (uint8_t *)(uintptr_t)value.data,
			    name.size, value.size, NGHTTP2_NV_FLAG_NONE};
}

static struct text lowered(struct text name, struct arena *arena)
{
	struct text copy = arena_text(arena, name);
	for (size_t k = 0; copy.data && k < copy.size; k++)
		if (copy.data[k] >= 'A' && copy.data[k] <= 'Z')
			((char *)(uintptr_t)copy.data)[k] = (char)(copy.data[k] + 32);
	return copy;
}

static size_t write_fields(nghttp2_nv *out, const struct http_field *fields, size_t count,
			   struct arena *arena)
{
	size_t used = 0;
	for (size_t i = 0; i < count && used < HTTP_FIELDS_MAX; i++) {
		if (!http_field_may_be_sent(&fields[i]))
			continue;
		struct text name = lowered(fields[i].name, arena);
		if (name.data)
			out[used++] = pair(name, fields[i].value);
	}
	return used;
}

static void answer_head(struct http_exchange *exchange, int status, const struct http_field *fields,
			size_t count, uint64_t length)
{
	struct http_stream *stream = stream_of(exchange);
	struct arena arena ATTR_ARENA = {0};
	nghttp2_nv out[HTTP_FIELDS_MAX + 3];
	char status_text[16], length_text[24], date[HTTP_DATE_SIZE];
	snprintf(status_text, sizeof(status_text), "%d", status);
	size_t used = 0;
	out[used++] = pair(TEXT(":status"), text_of(status_text));
	out[used++] = pair(TEXT("date"), http_date(date));
	if (length != HTTP_LENGTH_UNKNOWN && status != 204 && status != 304) {
		snprintf(length_text, sizeof(length_text), "%" PRIu64, length);
		out[used++] = pair(TEXT("content-length"), text_of(length_text));
	}
	used += write_fields(out + used, fields, count, &arena);
	stream->takes_no_data = exchange->is_head_request || status == 204 || status == 304;
	nghttp2_data_provider provider = {{.ptr = stream}, give_data};
	if (nghttp2_submit_response(session_of(exchange)->frames, stream->id, out, used,
				    stream->takes_no_data ? NULL : &provider))
		http_exchange_abort(exchange);
	stream->taken_ms = now_ms(stream);
	go_on(exchange);
}

static void wake(struct http_stream *stream)
{
	if (stream->deferred) {
		nghttp2_session_resume_data(session_of(&stream->exchange)->frames, stream->id);
		stream->taken_ms = now_ms(stream); /* until now the user was waited for */
	}
	stream->deferred = false;
	go_on(&stream->exchange);
}

static void answer_data(struct http_exchange *exchange, struct bytes piece)
{
	struct http_stream *stream = stream_of(exchange);
	if (stream->takes_no_data)
		return;
	buffer_append(&stream->out, piece.data, piece.size);
	if (buffer_check(&stream->out) < 0) {
		http_exchange_abort(exchange);
		return;
	}
	exchange->connection->server->backlog += piece.size;
	wake(stream);
}

static void answer_end(struct http_exchange *exchange)
{
	wake(stream_of(exchange));
}

static void answer_abort(struct http_exchange *exchange)
{
	struct http_stream *stream = stream_of(exchange);
	nghttp2_submit_rst_stream(session_of(exchange)->frames, NGHTTP2_FLAG_NONE, stream->id,
				  NGHTTP2_INTERNAL_ERROR);
	go_on(exchange);
}

/* ---- the body ---- */

/* The window opens only as the user takes the body. */
static void set_paused(struct http_exchange *exchange, bool paused)
{
	struct http_stream *stream = stream_of(exchange);
	http2_stream_came(stream);
	if (paused || stream->unconsumed == 0)
		return;
	nghttp2_session_consume(session_of(exchange)->frames, stream->id, stream->unconsumed);
	stream->unconsumed = 0;
	go_on(exchange);
}

static const struct http_exchange_ops exchange_ops = {
    .head = answer_head,
    .data = answer_data,
    .end = answer_end,
    .abort = answer_abort,
    .set_paused = set_paused,
    .backlog = backlog,
};

/* ---- time ---- */

void http2_stream_came(struct http_stream *stream)
{
	stream->came_ms = now_ms(stream);
}

enum http2_late http2_stream_check_time(const struct http_stream *stream, uint64_t now)
{
	const struct http_exchange *exchange = &stream->exchange;
	const struct http_limits *limits = &exchange->connection->server->limits;
	bool has_output = exchange->has_answer_head && (left_of(stream) > 0 || exchange->is_ended);
	if (!stream->has_head)
		return now - stream->came_ms > limits->head_ms ? HTTP2_LATE_HEAD : HTTP2_IN_TIME;
	if (has_output && now - stream->taken_ms > limits->stalled_ms)
		return HTTP2_LATE_WINDOW;
	if (!stream->has_all && !exchange->is_paused && now - stream->came_ms > limits->body_ms)
		return HTTP2_LATE_BODY;
	return HTTP2_IN_TIME;
}

/* ---- life ---- */

struct http_stream *http2_stream_new(struct http_session *session, int32_t id)
{
	struct http_stream *stream = calloc(1, sizeof(*stream));
	if (!stream)
		return NULL;
	stream->id = id;
	stream->exchange.ops = &exchange_ops;
	stream->exchange.connection = session->connection;
	stream->exchange.head.limit = session->connection->server->limits.head_bytes;
	list_append(&session->streams, &stream->node);
	http2_stream_came(stream);
	return stream;
}

void http2_stream_free(struct http_stream *stream)
{
	list_remove(&stream->node);
	if (stream->is_known)
		http_exchange_tell_closed(&stream->exchange, stream->is_complete);
	http_exchange_release(&stream->exchange);
	stream->exchange.connection->server->backlog -= left_of(stream);
	buffer_free(&stream->out);
	free(stream);
}
