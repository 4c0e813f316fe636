/* HTTP/2 (RFC 9113) over nghttp2, which checks the syntax, the fields and the lengths. What is
 * added here are limits against clients that keep the server busy without asking anything of it. */
#include "base/error.h"
#include "http/http2_head.h"
#include "http/http2_stream.h"
#include "http/server_internal.h"

#include <errno.h>
#include <stdlib.h>

enum {
	STREAMS_MAX = 100,
	STREAM_WINDOW = 256 << 10,
	CONNECTION_WINDOW = 1 << 20,
	CONTROL_BURST = 1000,    /* pings, settings, empty frames, streams that came to nothing */
	CONTROL_PER_SECOND = 10, /* beyond the burst */
	HEADER_BLOCK_MAX = 64 << 10, /* of an answer */
	CONTINUATIONS_MAX = 8,       /* frames of one head */
	SETTINGS_MAX = 32,           /* entries of one frame */
	ACKS_WAITING_MAX = 1000,     /* to pings and settings of a client that does not read them */
};

/* ---- nghttp2's side ---- */

static int begin_headers(nghttp2_session *frames, const nghttp2_frame *frame, void *owner)
{
	struct http_session *session = owner;
	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	struct http_stream *stream = http2_stream_new(session, frame->hd.stream_id);
	if (!stream)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	nghttp2_session_set_stream_user_data(frames, stream->id, stream);
	return 0;
}

static int header_came(nghttp2_session *frames, const nghttp2_frame *frame, const uint8_t *name,
		       size_t name_size, const uint8_t *value, size_t value_size,
		       uint8_t flags ATTR_UNUSED, void *owner ATTR_UNUSED)
{
	struct http_stream *stream =
	    nghttp2_session_get_stream_user_data(frames, frame->hd.stream_id);
	if (stream && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		http2_head_add(stream, (struct text){(const char *)name, name_size},
			       (struct text){(const char *)value, value_size});
	return 0;
}

static void refuse(struct http_stream *stream, const struct http_refusal *refusal)
{
	struct http_exchange *exchange = &stream->exchange;
	const struct http_server *server = exchange->connection->server;
	struct http_refusal_answer answer = {0};
	server->events->on_refused(server->owner, refusal, &answer);
	const struct http_field fields[] = {
	    {TEXT("content-type"), TEXT(HTTP_REFUSAL_TYPE)},
	    {TEXT("cache-control"), TEXT("no-store")},
	    {TEXT("x-request-id"), text_of(answer.request_id)},
	};
	size_t count = ARRAY_SIZE(fields) - (answer.request_id[0] == '\0');
	http_exchange_head(exchange, refusal->status, fields, count, answer.body.size);
	http_exchange_data(exchange, buffer_bytes(&answer.body));
	http_exchange_end(exchange);
	buffer_free(&answer.body);
}

static void begin_exchange(struct http_session *session, struct http_stream *stream, bool has_body)
{
	const struct http_server *server = session->connection->server;
	struct http_refusal refusal;
	if (http2_head_finish(stream, has_body, &refusal)) {
		refuse(stream, &refusal);
		return;
	}
	stream->is_known = true;
	server->events->on_request(server->owner, &stream->exchange);
	if (!has_body)
		http_exchange_tell_body_end(&stream->exchange);
}

/* What costs the server work and the client nothing: floods of pings, settings and empty data;
 * streams that come to nothing, whoever resets them (CVE-2023-44487, CVE-2025-8671). */
static bool is_a_flood(struct http_session *session)
{
	uint64_t seconds =
	    (loop_now_ms(session->connection->server->loop) - session->begun_ms) / 1000;
	return ++session->control_frames > CONTROL_BURST + seconds * CONTROL_PER_SECOND;
}

static bool counts(const nghttp2_frame *frame)
{
	switch (frame->hd.type) {
	case NGHTTP2_PING:
	case NGHTTP2_SETTINGS:
	case NGHTTP2_PRIORITY:
		return true;
	case NGHTTP2_DATA:
		return frame->hd.length == 0 && !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
	default:
		return false;
	}
}

static void count(struct http_session *session)
{
	if (is_a_flood(session))
		nghttp2_session_terminate_session(session->frames, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void stream_went_on(struct http_session *session, struct http_stream *stream,
			   const nghttp2_frame *frame)
{
	bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	bool is_head =
	    frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
	if (!is_head && frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)
		return;
	stream->has_head = true;
	stream->has_all = stream->has_all || ends;
	http2_stream_came(stream);
	if (is_head)
		begin_exchange(session, stream, !ends);
	else if (ends && stream->is_known)
		http_exchange_tell_body_end(&stream->exchange);
}

static void say_last_stream(struct http_session *session)
{
	if (session->is_going)
		return;
	session->is_going = true;
	nghttp2_submit_goaway(session->frames, NGHTTP2_FLAG_NONE,
			      nghttp2_session_get_last_proc_stream_id(session->frames),
			      NGHTTP2_NO_ERROR, NULL, 0);
	http_connection_schedule(session->connection);
}

static int frame_came(nghttp2_session *frames, const nghttp2_frame *frame, void *owner)
{
	struct http_session *session = owner;
	if (counts(frame))
		count(session);
	/* The client has seen the notice: what it sends from now on it sends elsewhere. */
	if (frame->hd.type == NGHTTP2_PING && frame->hd.flags & NGHTTP2_FLAG_ACK &&
	    session->stops_ms)
		say_last_stream(session);
	struct http_stream *stream =
	    nghttp2_session_get_stream_user_data(frames, frame->hd.stream_id);
	if (stream)
		stream_went_on(session, stream, frame);
	return 0;
}

/* RFC 9113 section 8.1: an answer that did not need the whole body ends with a reset that is no
 * error, and the client need not send the rest. */
static int frame_went(nghttp2_session *frames, const nghttp2_frame *frame, void *owner ATTR_UNUSED)
{
	bool is_answer = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
	if (!is_answer || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	struct http_stream *stream =
	    nghttp2_session_get_stream_user_data(frames, frame->hd.stream_id);
	if (!stream)
		return 0;
	stream->is_complete = true;
	if (!stream->has_all)
		nghttp2_submit_rst_stream(frames, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
	return 0;
}

static int data_came(nghttp2_session *frames, uint8_t flags ATTR_UNUSED, int32_t id,
		     const uint8_t *data, size_t size, void *owner)
{
	struct http_session *session = owner;
	struct http_stream *stream = nghttp2_session_get_stream_user_data(frames, id);
	if (stream)
		http2_stream_came(stream);
	if (!stream || !stream->is_known || stream->exchange.is_ended ||
	    stream->exchange.is_aborted) {
		nghttp2_session_consume(frames, id, size);
		return 0;
	}
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
	nghttp2_session_consume_connection(frames, stream->unconsumed);
	stream->unconsumed = 0;
	stream->is_complete = stream->is_complete && error == NGHTTP2_NO_ERROR;
	if (!stream->is_complete)
		count(session);
	stream->exchange.is_aborted = true; /* nothing more leaves */
	list_remove(&stream->node);
	list_append(&session->closed, &stream->node);
	http_connection_schedule(session->connection);
	return 0;
}

/* ---- the connection's side ---- */

static void tell_closed(struct http_session *session)
{
	while (!list_is_empty(&session->closed))
		http2_stream_free(list_first(&session->closed, struct http_stream, node));
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
	while (http_connection_backlog(connection) < HTTP_BACKLOG_HIGH) {
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
	bool is_over = !nghttp2_session_want_read(session->frames) || (session->is_going && idle);
	if (is_over && !nghttp2_session_want_write(session->frames))
		http_connection_linger(connection);
	return 0;
}

static int expired(struct http_connection *connection)
{
	nghttp2_session_terminate_session(connection->session->frames, NGHTTP2_NO_ERROR);
	http_connection_wait(connection, HTTP_WAITS_USER);
	http_connection_schedule(connection);
	return 0;
}

static void end_late(struct http_stream *stream, enum http2_late late)
{
	struct http_session *session = stream->exchange.connection->session;
	if (late == HTTP2_IN_TIME || stream->exchange.is_aborted)
		return;
	stream->exchange.is_aborted = true;
	if (late == HTTP2_LATE_HEAD)
		nghttp2_session_terminate_session(session->frames, NGHTTP2_NO_ERROR);
	else
		nghttp2_submit_rst_stream(session->frames, NGHTTP2_FLAG_NONE, stream->id,
					  NGHTTP2_CANCEL);
	http_connection_schedule(session->connection);
}

static int tick(struct http_connection *connection, uint64_t now_ms)
{
	struct http_session *session = connection->session;
	struct http_stream *stream;
	list_for_each (stream, &session->streams, node)
		end_late(stream, http2_stream_check_time(stream, now_ms));
	if (session->stops_ms && now_ms - session->stops_ms > HTTP_LINGER_MS)
		say_last_stream(session);
	return 0;
}

/* RFC 9113 section 6.8: a notice first, and the number of the last stream a round trip later, so
 * that no request is lost that was on its way. */
static void stop(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	session->stops_ms = loop_now_ms(connection->server->loop);
	nghttp2_submit_shutdown_notice(session->frames);
	nghttp2_submit_ping(session->frames, NGHTTP2_FLAG_NONE, NULL);
	http_connection_schedule(connection);
}

static void release(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	struct http_stream *stream;
	list_for_each (stream, &session->streams, node)
		stream->exchange.is_aborted = true; /* being told of one, the user may use others */
	while (!list_is_empty(&session->streams))
		http2_stream_free(list_first(&session->streams, struct http_stream, node));
	tell_closed(session);
	nghttp2_session_del(session->frames);
	free(session);
	connection->session = NULL;
}

const struct http_protocol http2_protocol = {
    .input = input,
    .drained = drained,
    .settle = settle,
    .produce = produce,
    .expired = expired,
    .tick = tick,
    .stop = stop,
    .release = release,
};

static void set_callbacks(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, header_came);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_came);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frame_went);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data_came);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_closed);
}

static void set_options(nghttp2_option *options)
{
	nghttp2_option_set_no_auto_window_update(options, 1);
	nghttp2_option_set_max_send_header_block_length(options, HEADER_BLOCK_MAX);
	nghttp2_option_set_max_continuations(options, CONTINUATIONS_MAX);
	nghttp2_option_set_max_settings(options, SETTINGS_MAX);
	nghttp2_option_set_max_outbound_ack(options, ACKS_WAITING_MAX);
	nghttp2_option_set_stream_reset_rate_limit(options, CONTROL_BURST, CONTROL_PER_SECOND);
}

static int new_frames(struct http_session *session)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *options = NULL;
	int r = nghttp2_session_callbacks_new(&callbacks);
	if (r == 0)
		r = nghttp2_option_new(&options);
	if (r == 0) {
		set_callbacks(callbacks);
		set_options(options);
		r = nghttp2_session_server_new2(&session->frames, callbacks, session, options);
	}
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(options);
	return r ? error_origin(-ENOMEM) : 0;
}

static int say_settings(const struct http_session *session)
{
	const nghttp2_settings_entry settings[] = {
	    {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX},
	    {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
	    {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, session->connection->server->limits.head_bytes},
	};
	int r = nghttp2_submit_settings(session->frames, NGHTTP2_FLAG_NONE, settings,
					ARRAY_SIZE(settings));
	if (r == 0)
		r = nghttp2_session_set_local_window_size(session->frames, NGHTTP2_FLAG_NONE, 0,
							  CONNECTION_WINDOW);
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
	int r = new_frames(session);
	if (r == 0)
		r = say_settings(session);
	if (r < 0) {
		nghttp2_session_del(session->frames);
		free(session);
		return error_trace(r);
	}
	connection->session = session;
	connection->protocol = &http2_protocol;
	connection->takes_turns = true;
	http_connection_wait(connection, HTTP_WAITS_IDLE);
	http_connection_set_reading(connection, true);
	return 0;
}
