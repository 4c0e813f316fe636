/* HTTP/2 (RFC 9113) over nghttp2, which checks the syntax, the fields and the lengths. What is
 * added here are limits against clients that keep the server busy without asking anything of it. */
#include "base/arena.h"
#include "base/error.h"
#include "http/exchange.h"
#include "http/http1_head.h"
#include "http/server_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	STREAMS_MAX = 100,
	STREAM_WINDOW = 256 << 10,
	CONNECTION_WINDOW = 1 << 20,
	OUTPUT_HIGH = 256 << 10, /* asked of nghttp2 at once; the rest when that has left */
	CONTROL_BURST = 1000,    /* resets, pings, settings and empty frames, beyond ten a second */
	CONTROL_PER_SECOND = 10,
};

struct http_stream {
	struct http_exchange exchange;
	struct list node;
	int32_t id;
	struct buffer out; /* written by the user, not yet taken by nghttp2 */
	size_t out_start;
	uint64_t unconsumed; /* of the body, while the user has paused */
	bool deferred;       /* nghttp2 waits for data */
	bool is_complete;    /* the answer left as a whole */
	bool is_known;       /* the user was told of it */
	bool too_large;
};

struct http_session {
	struct http_connection *connection;
	nghttp2_session *frames;
	struct list streams;
	struct list closed; /* told of at the turn's end */
	uint64_t control_frames;
	uint64_t begun_ms;
	bool stops;
};

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

/* ---- the user's side ---- */

static size_t backlog(const struct http_exchange *exchange)
{
	const struct http_stream *stream =
	    container_of(exchange, const struct http_stream, exchange);
	return stream->out.size - stream->out_start + http_connection_backlog(exchange->connection);
}

static ssize_t give_data(nghttp2_session *frames ATTR_UNUSED, int32_t id ATTR_UNUSED, uint8_t *room,
			 size_t size, uint32_t *flags, nghttp2_data_source *source,
			 void *owner ATTR_UNUSED)
{
	struct http_stream *stream = source->ptr;
	size_t left = stream->out.size - stream->out_start;
	size_t taken = left < size ? left : size;
	memcpy(room, stream->out.data + stream->out_start, taken);
	stream->out_start += taken;
	if (stream->out_start == stream->out.size) {
		stream->out_start = 0;
		buffer_free(&stream->out);
		if (stream->exchange.is_ended) {
			*flags |= NGHTTP2_DATA_FLAG_EOF;
			stream->is_complete = true;
		} else if (taken == 0) {
			stream->deferred = true;
			return NGHTTP2_ERR_DEFERRED;
		}
	}
	return (ssize_t)taken;
}

static nghttp2_nv pair(struct text name, struct text value)
{
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name.data, (uint8_t *)(uintptr_t)value.data,
			    name.size, value.size, NGHTTP2_NV_FLAG_NONE};
}

static size_t write_fields(nghttp2_nv *out, const struct http_field *fields, size_t count,
			   struct arena *arena)
{
	size_t used = 0;
	for (size_t i = 0; i < count && used < HTTP_FIELDS_MAX; i++) {
		if (http_field_is_ours(fields[i].name))
			continue;
		struct text name = arena_text(arena, fields[i].name);
		for (size_t k = 0; name.data && k < name.size; k++)
			if (name.data[k] >= 'A' && name.data[k] <= 'Z')
				((char *)(uintptr_t)name.data)[k] = (char)(name.data[k] + 32);
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
	nghttp2_nv out[HTTP_FIELDS_MAX + 2];
	char status_text[16], length_text[24];
	snprintf(status_text, sizeof(status_text), "%d", status);
	size_t used = 0;
	out[used++] = pair(TEXT(":status"), text_of(status_text));
	if (length != HTTP_LENGTH_UNKNOWN && status != 204 && status != 304) {
		snprintf(length_text, sizeof(length_text), "%" PRIu64, length);
		out[used++] = pair(TEXT("content-length"), text_of(length_text));
	}
	used += write_fields(out + used, fields, count, &arena);
	bool bodiless = exchange->is_head_request || status == 204 || status == 304;
	nghttp2_data_provider provider = {{.ptr = stream}, give_data};
	if (nghttp2_submit_response(session_of(exchange)->frames, stream->id, out, used,
				    bodiless ? NULL : &provider))
		http_exchange_abort(exchange);
	stream->is_complete = bodiless;
	go_on(exchange);
}

static void wake(struct http_stream *stream)
{
	if (stream->deferred)
		nghttp2_session_resume_data(session_of(&stream->exchange)->frames, stream->id);
	stream->deferred = false;
	go_on(&stream->exchange);
}

static void answer_data(struct http_exchange *exchange, struct bytes piece)
{
	struct http_stream *stream = stream_of(exchange);
	if (exchange->is_head_request || stream->is_complete)
		return;
	buffer_append(&stream->out, piece.data, piece.size);
	if (buffer_check(&stream->out) < 0)
		http_exchange_abort(exchange);
	else
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

/* The window opens only as the user takes the body. */
static void set_paused(struct http_exchange *exchange, bool paused)
{
	struct http_stream *stream = stream_of(exchange);
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

/* ---- nghttp2's side ---- */

static int begin_headers(nghttp2_session *frames, const nghttp2_frame *frame, void *owner)
{
	struct http_session *session = owner;
	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	struct http_stream *stream = calloc(1, sizeof(*stream));
	if (!stream)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	stream->id = frame->hd.stream_id;
	stream->exchange.ops = &exchange_ops;
	stream->exchange.connection = session->connection;
	stream->exchange.head.limit = session->connection->server->limits.head_bytes;
	list_append(&session->streams, &stream->node);
	nghttp2_session_set_stream_user_data(frames, stream->id, stream);
	return 0;
}

/* Until the head is whole a field's views are offsets: the buffer may move while it grows. */
static struct text keep(struct http_exchange *exchange, const uint8_t *data, size_t size)
{
	size_t at = exchange->head.size;
	buffer_append(&exchange->head, data, size);
	return (struct text){(const char *)at, size};
}

static void settle_view(const struct http_exchange *exchange, struct text *view)
{
	view->data = (const char *)exchange->head.data + (uintptr_t)view->data;
}

static void keep_field(struct http_stream *stream, struct text name, struct text value)
{
	struct http_exchange *exchange = &stream->exchange;
	if (!exchange->fields)
		exchange->fields = calloc(HTTP_FIELDS_MAX, sizeof(*exchange->fields));
	if (!exchange->fields || exchange->n_fields == HTTP_FIELDS_MAX) {
		stream->too_large = true;
		return;
	}
	if (text_equal(name, TEXT(":authority")))
		name = TEXT("host");
	struct http_field *field = &exchange->fields[exchange->n_fields++];
	field->name = keep(exchange, (const uint8_t *)name.data, name.size);
	field->value = keep(exchange, (const uint8_t *)value.data, value.size);
}

static int header_came(nghttp2_session *frames, const nghttp2_frame *frame, const uint8_t *name,
		       size_t name_size, const uint8_t *value, size_t value_size,
		       uint8_t flags ATTR_UNUSED, void *owner ATTR_UNUSED)
{
	struct http_stream *stream =
	    nghttp2_session_get_stream_user_data(frames, frame->hd.stream_id);
	struct text key = {(const char *)name, name_size}, text = {(const char *)value, value_size};
	if (!stream || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	if (text_equal(key, TEXT(":method")))
		stream->exchange.method = keep(&stream->exchange, value, value_size);
	else if (text_equal(key, TEXT(":path")))
		stream->exchange.target = keep(&stream->exchange, value, value_size);
	else if (!text_starts(key, TEXT(":")) || text_equal(key, TEXT(":authority")))
		keep_field(stream, key, text);
	if (buffer_check(&stream->exchange.head) < 0)
		stream->too_large = true;
	return 0;
}

static void refuse(struct http_stream *stream, int status, const char *code, const char *detail)
{
	struct http_exchange *exchange = &stream->exchange;
	const struct http_server *server = exchange->connection->server;
	struct buffer body ATTR_BUFFER = {0};
	static const struct http_field type = {TEXT("content-type"), TEXT(HTTP_REFUSAL_TYPE)};
	server->events->on_refused(server->owner, status, code, detail, &body);
	http_exchange_head(exchange, status, &type, 1, body.size);
	http_exchange_data(exchange, buffer_bytes(&body));
	http_exchange_end(exchange);
}

static void describe_body(struct http_exchange *exchange, bool has_body)
{
	struct text length = http_exchange_field(exchange, TEXT("content-length"));
	uint64_t size = 0;
	exchange->has_body = has_body;
	exchange->body_size = !has_body ? 0 : HTTP_LENGTH_UNKNOWN;
	if (has_body && length.data && text_parse_u64(length, INT64_MAX, &size) == 0)
		exchange->body_size = size;
}

static void begin_exchange(struct http_session *session, struct http_stream *stream, bool has_body)
{
	struct http_exchange *exchange = &stream->exchange;
	const struct http_server *server = session->connection->server;
	if (stream->too_large) {
		refuse(stream, 431, "head_too_large", "The head of the request is too large");
		return;
	}
	settle_view(exchange, &exchange->method);
	settle_view(exchange, &exchange->target);
	for (size_t i = 0; i < exchange->n_fields; i++) {
		settle_view(exchange, &exchange->fields[i].name);
		settle_view(exchange, &exchange->fields[i].value);
	}
	exchange->is_head_request = text_equal(exchange->method, TEXT("HEAD"));
	describe_body(exchange, has_body);
	if (exchange->target.size == 0 || exchange->target.data[0] != '/' ||
	    exchange->target.size > HTTP1_TARGET_MAX) {
		refuse(stream, 400, "bad_request",
		       "The target is not a path of at most 8192 bytes");
		return;
	}
	stream->is_known = true;
	server->events->on_request(server->owner, exchange);
	if (!has_body)
		http_exchange_tell_body_end(exchange);
}

/* Frames that cost the server work and the client nothing (rapid reset, CVE-2023-44487; floods of
 * pings, settings, empty data). */
static bool is_a_flood(struct http_session *session, const nghttp2_frame *frame)
{
	bool counts = frame->hd.type == NGHTTP2_RST_STREAM || frame->hd.type == NGHTTP2_PING ||
		      frame->hd.type == NGHTTP2_SETTINGS || frame->hd.type == NGHTTP2_PRIORITY ||
		      (frame->hd.type == NGHTTP2_DATA && frame->hd.length == 0 &&
		       !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM));
	if (!counts)
		return false;
	uint64_t seconds =
	    (loop_now_ms(session->connection->server->loop) - session->begun_ms) / 1000;
	return ++session->control_frames > CONTROL_BURST + seconds * CONTROL_PER_SECOND;
}

static int frame_came(nghttp2_session *frames, const nghttp2_frame *frame, void *owner)
{
	struct http_session *session = owner;
	if (is_a_flood(session, frame)) {
		nghttp2_session_terminate_session(frames, NGHTTP2_ENHANCE_YOUR_CALM);
		return 0;
	}
	struct http_stream *stream =
	    nghttp2_session_get_stream_user_data(frames, frame->hd.stream_id);
	bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	if (!stream)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		begin_exchange(session, stream, !ends);
	else if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) && ends &&
		 stream->is_known)
		http_exchange_tell_body_end(&stream->exchange);
	return 0;
}

static int data_came(nghttp2_session *frames, uint8_t flags ATTR_UNUSED, int32_t id,
		     const uint8_t *data, size_t size, void *owner)
{
	struct http_session *session = owner;
	struct http_stream *stream = nghttp2_session_get_stream_user_data(frames, id);
	if (!stream || !stream->is_known || stream->exchange.is_ended) {
		nghttp2_session_consume(frames, id, size);
		return 0;
	}
	http_connection_wait(session->connection, HTTP_WAITS_USER);
	session->connection->server->events->on_body(&stream->exchange, (struct bytes){data, size});
	if (stream->exchange.is_paused)
		stream->unconsumed += size;
	else
		nghttp2_session_consume(frames, id, size);
	return 0;
}

/* The user is told at the turn's end, never from inside one of its own calls. */
static int stream_closed(nghttp2_session *frames, int32_t id, uint32_t error, void *owner)
{
	struct http_session *session = owner;
	struct http_stream *stream = nghttp2_session_get_stream_user_data(frames, id);
	if (!stream)
		return 0;
	nghttp2_session_set_stream_user_data(frames, id, NULL);
	stream->is_complete = stream->is_complete && error == NGHTTP2_NO_ERROR;
	stream->exchange.is_aborted = true; /* nothing more leaves */
	list_remove(&stream->node);
	list_append(&session->closed, &stream->node);
	http_connection_schedule(session->connection);
	return 0;
}

/* ---- the connection's side ---- */

static void free_stream(struct http_stream *stream)
{
	list_remove(&stream->node);
	if (stream->is_known)
		http_exchange_tell_closed(&stream->exchange, stream->is_complete);
	http_exchange_release(&stream->exchange);
	buffer_free(&stream->out);
	free(stream);
}

static void tell_closed(struct http_session *session)
{
	while (!list_is_empty(&session->closed))
		free_stream(list_first(&session->closed, struct http_stream, node));
}

static int input(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	ssize_t n =
	    nghttp2_session_mem_recv(session->frames, connection->in.data, connection->in.size);
	if (n < 0)
		return -EPROTO;
	buffer_drop_front(&connection->in, (size_t)n);
	return 0;
}

static int produce(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	const uint8_t *data;
	while (http_connection_backlog(connection) < OUTPUT_HIGH) {
		ssize_t n = nghttp2_session_mem_send(session->frames, &data);
		if (n < 0)
			return -ENOMEM;
		if (n == 0)
			break;
		http_connection_write(connection, (struct bytes){data, (size_t)n});
	}
	return 0;
}

static void drained(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	struct http_stream *stream;
	list_for_each (stream, &session->streams, node)
		if (stream->is_known && stream->exchange.has_answer_head &&
		    !stream->exchange.is_ended && stream->out.size == stream->out_start)
			connection->server->events->on_drained(&stream->exchange);
	http_connection_schedule(connection); /* nghttp2 may have more */
}

static int settle(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	tell_closed(session);
	bool idle = list_is_empty(&session->streams);
	if (idle != (connection->waiting == HTTP_WAITS_IDLE))
		http_connection_wait(connection, idle ? HTTP_WAITS_IDLE : HTTP_WAITS_USER);
	if (!nghttp2_session_want_read(session->frames) &&
	    !nghttp2_session_want_write(session->frames) &&
	    http_connection_backlog(connection) == 0)
		return -EPIPE;
	if (session->stops && idle && http_connection_backlog(connection) == 0)
		return -EPIPE;
	return 0;
}

static int expired(struct http_connection *connection)
{
	nghttp2_session_terminate_session(connection->session->frames, NGHTTP2_NO_ERROR);
	http_connection_wait(connection, HTTP_WAITS_USER);
	http_connection_schedule(connection);
	return 0;
}

static void stop(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	session->stops = true;
	nghttp2_submit_shutdown_notice(session->frames);
	nghttp2_submit_goaway(session->frames, NGHTTP2_FLAG_NONE,
			      nghttp2_session_get_last_proc_stream_id(session->frames),
			      NGHTTP2_NO_ERROR, NULL, 0);
	http_connection_schedule(connection);
}

static void release(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	nghttp2_session_del(session->frames);
	while (!list_is_empty(&session->streams))
		free_stream(list_first(&session->streams, struct http_stream, node));
	tell_closed(session);
	free(session);
	connection->session = NULL;
}

const struct http_protocol http2_protocol = {
    .input = input,
    .drained = drained,
    .settle = settle,
    .produce = produce,
    .expired = expired,
    .stop = stop,
    .release = release,
};

static int new_frames(struct http_session *session)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *options;
	if (nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&options))
		return error_origin(-ENOMEM);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, header_came);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_came);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data_came);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_closed);
	nghttp2_option_set_no_auto_window_update(options, 1);
	nghttp2_option_set_max_send_header_block_length(options, 64 << 10);
	int r = nghttp2_session_server_new2(&session->frames, callbacks, session, options);
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(options);
	return r ? error_origin(-ENOMEM) : 0;
}

int http2_start(struct http_connection *connection)
{
	struct http_session *session = calloc(1, sizeof(*session));
	if (!session)
		return error_origin(-ENOMEM);
	session->connection = connection;
	session->begun_ms = loop_now_ms(connection->server->loop);
	list_init(&session->streams);
	list_init(&session->closed);
	connection->session = session;
	connection->protocol = &http2_protocol;
	const nghttp2_settings_entry settings[] = {
	    {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX},
	    {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
	    {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, connection->server->limits.head_bytes},
	};
	int r = new_frames(session);
	if (r == 0 && nghttp2_submit_settings(session->frames, NGHTTP2_FLAG_NONE, settings,
					      ARRAY_SIZE(settings)))
		r = error_origin(-ENOMEM);
	if (r == 0)
		nghttp2_session_set_local_window_size(session->frames, NGHTTP2_FLAG_NONE, 0,
						      CONNECTION_WINDOW);
	http_connection_wait(connection, HTTP_WAITS_IDLE);
	http_connection_set_reading(connection, true);
	return r;
}
