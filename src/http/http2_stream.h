/* Inside src/http: a stream of HTTP/2: its exchange, what the user has written into it, its clock.
 * What frames mean for the connection is http2.c's. */
#pragma once

#include "http/exchange.h"

#include <nghttp2/nghttp2.h>

struct http_session {
	struct http_connection *connection;
	nghttp2_session *frames;
	struct list streams;
	struct list closed; /* told of at the turn's end */
	uint64_t control_frames;
	uint64_t begun_ms;
	uint64_t stops_ms; /* 0: it does not */
	bool is_going;     /* the last GOAWAY is out */
};

struct http_stream {
	struct http_exchange exchange;
	struct list node;
	int32_t id;
	struct buffer out; /* written by the user, not yet taken by nghttp2 */
	size_t out_start;
	uint64_t unconsumed; /* of the body, while the user has paused */
	uint64_t came_ms;    /* the last that the client sent, or when it was let go on */
	uint64_t taken_ms;   /* the last of the answer that went, or when it could go on */
	bool deferred;       /* nghttp2 waits for data */
	bool has_head;       /* the request's head is whole */
	bool has_all;        /* the request is whole */
	bool takes_no_data;  /* the answer has no body, whatever the user writes */
	bool is_complete;    /* the answer left as a whole */
	bool is_known;       /* the user was told of it */
	bool too_large;
};

struct http_stream *http2_stream_new(struct http_session *session, int32_t id);
/* Tells the user, if it knows of it. */
void http2_stream_free(struct http_stream *stream);
void http2_stream_came(struct http_stream *stream); /* the client has sent something */

enum http2_late {
	HTTP2_IN_TIME,
	HTTP2_LATE_HEAD, /* the connection hears nothing else until a head is whole */
	HTTP2_LATE_BODY,
	HTTP2_LATE_WINDOW, /* the client does not take its answer */
};

enum http2_late http2_stream_check_time(const struct http_stream *stream, uint64_t now_ms);
