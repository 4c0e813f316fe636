/* Inside src/http: a connection of HTTP/1, shared by what reads requests (http1.c) and what writes
 * answers (http1_answer.c). One exchange at a time. */
#pragma once

#include "http/exchange.h"
#include "http/http1_chunks.h"
#include "http/http1_head.h"
#include "http/websocket.h"

enum http1_state {
	HTTP1_HEAD,   /* between requests, or within a head */
	HTTP1_BODY,   /* of the request */
	HTTP1_ANSWER, /* the request is whole; its answer is not */
	HTTP1_SOCKET, /* upgraded */
};

struct http_session {
	struct http_connection *connection;
	struct http_exchange exchange;
	enum http1_state state;
	bool has_exchange;
	bool keeps_alive;
	bool is_http10;
	bool answers_chunked;
	bool discards_data; /* of an answer to HEAD, or without a body */
	bool stops;         /* no further request */
	uint64_t body_left;
	struct http1_chunks chunks;
	struct websocket *socket;
	size_t scanned; /* bytes of the input in which no head ends */
};

extern const struct http_exchange_ops http1_exchange_ops;
