/* An HTTP server over descriptors that somebody else opened: HTTP/1.1 (a strict parser of its
 * own: docs/decisions/http-parser.md), HTTP/2 (nghttp2), TLS, WebSocket (wslay). It knows the
 * syntax and the limits; what requests mean is its user's. Lives in the gateway.
 *
 * One request and its answer are a `struct http_exchange`, whatever the version beneath:
 *
 *   on_request -> on_body ... on_body_end -> (the user answers: head, data ..., end) -> on_closed
 *
 * The user may answer at any time after on_request. on_closed comes exactly once, never from inside
 * a call of the user's, and ends the exchange. A client that closes its side of the connection is
 * taken to be gone: what it asked for is given up. Memory: an idle connection holds no buffer; what
 * a client sends is taken only as fast as the user takes it, and what the client does not take is
 * counted (http_exchange_backlog) for the user to stop. */
#pragma once

#include "base/buffer.h"
#include "loop/loop.h"

struct http_server;
struct http_exchange;

#define HTTP_LENGTH_UNKNOWN UINT64_MAX

struct http_field {
	struct text name; /* of a request: lower case */
	struct text value;
};

struct http_limits {
	uint32_t connections;
	uint32_t head_bytes;    /* of a request's head: request line and fields */
	uint64_t head_ms;       /* for a whole head to arrive */
	uint64_t body_ms;       /* longest silence within a body */
	uint64_t idle_ms;       /* between requests */
	uint64_t stalled_ms;    /* a client that takes nothing of its answer */
	uint32_t message_bytes; /* of a WebSocket message */
};

struct http_refusal {
	int status;
	const char *code, *detail;
};

struct http_refusal_answer {
	struct buffer body;  /* of the type HTTP_REFUSAL_TYPE; freed by the library */
	char request_id[40]; /* for X-Request-Id; empty: none */
};

struct http_events {
	void (*on_request)(void *owner, struct http_exchange *exchange); /* the head is complete */
	void (*on_body)(struct http_exchange *exchange, struct bytes piece);
	void (*on_body_end)(struct http_exchange *exchange); /* also for a request without a body */
	/* All that was written has left (or half of it did, after a backlog). */
	void (*on_drained)(struct http_exchange *exchange);
	/* `complete`: the answer went out as a whole. */
	void (*on_closed)(struct http_exchange *exchange, bool complete);
	/* After http_exchange_upgrade(). */
	void (*on_message)(struct http_exchange *exchange, struct text message);
	/* The library refuses what came (bad syntax, too large, too slow): says what to answer. */
	void (*on_refused)(void *owner, const struct http_refusal *refusal,
			   struct http_refusal_answer *answer);
	/* For metrics; may be NULL. */
	void (*on_traffic)(void *owner, uint64_t received, uint64_t sent);
};

#define HTTP_REFUSAL_TYPE "application/problem+json"

struct http_tls {
	struct text certificate; /* PEM chain */
	struct text key;         /* PEM */
};

int http_server_new(struct http_server **server, struct loop *loop,
		    const struct http_limits *limits, const struct http_events *events,
		    void *owner) ATTR_MUST_CHECK;
/* Takes the descriptor. `tls` may be NULL: cleartext. */
int http_server_listen(struct http_server *server, int fd,
		       const struct http_tls *tls) ATTR_MUST_CHECK;
/* No new connections and no further requests; `on_stopped` when the last exchange is over. */
void http_server_stop(struct http_server *server, void (*on_stopped)(void *owner));
void http_server_free(struct http_server *server); /* closes what is left; on_closed runs for it */
size_t http_server_connections(const struct http_server *server);
/* Written and not yet taken, of all exchanges: what slow clients make this process hold. */
size_t http_server_backlog(const struct http_server *server);

/* ---- the request: valid until the head is forgotten ---- */

struct text http_exchange_method(const struct http_exchange *exchange);
struct text http_exchange_target(const struct http_exchange *exchange);
/* A path with its query, or `*`; of an absolute target (RFC 9112 section 3.2.2) that part, and
 * `host` is then its authority. */
struct text
http_exchange_path(const struct http_exchange *exchange); /* before the '?', not decoded */
struct text http_exchange_query(const struct http_exchange *exchange);
struct text http_exchange_field(const struct http_exchange *exchange,
				struct text name); /* data NULL if missing */
size_t http_exchange_count(const struct http_exchange *exchange,
			   struct text name); /* how often it came */
const char *
http_exchange_address(const struct http_exchange *exchange); /* of the client, without port */
bool http_exchange_is_loopback(const struct http_exchange *exchange);
bool http_exchange_has_body(const struct http_exchange *exchange);
uint64_t
http_exchange_body_size(const struct http_exchange *exchange); /* HTTP_LENGTH_UNKNOWN if not told */
/* Gives the memory of the head back while a long answer goes on. */
void http_exchange_forget_head(struct http_exchange *exchange);

void http_exchange_set_owner(struct http_exchange *exchange, void *owner);
void *http_exchange_owner(const struct http_exchange *exchange);

/* The client is made to wait. A body starts unpaused. */
void http_exchange_pause_body(struct http_exchange *exchange);
void http_exchange_resume_body(struct http_exchange *exchange);

/* ---- the answer ---- */

/* `length` HTTP_LENGTH_UNKNOWN: chunked. Fields of framing and the connection are the library's: do
 * not pass them. A HEAD request's data is thrown away here. */
void http_exchange_head(struct http_exchange *exchange, int status, const struct http_field *fields,
			size_t count, uint64_t length);
void http_exchange_data(struct http_exchange *exchange, struct bytes piece);
void http_exchange_end(struct http_exchange *exchange);
/* The client sees that it was not all: the connection (HTTP/1.1) or the stream (HTTP/2) is cut. */
void http_exchange_abort(struct http_exchange *exchange);
size_t http_exchange_backlog(const struct http_exchange *exchange); /* written and not yet taken */

/* ---- WebSocket (RFC 6455, over HTTP/1.1) ---- */

/* 0; 1 if the request is not a proper upgrade (then answer 400 or 426). */
int http_exchange_upgrade(struct http_exchange *exchange) ATTR_MUST_CHECK;
void http_exchange_message(struct http_exchange *exchange, struct text message);
void http_exchange_close(struct http_exchange *exchange, uint16_t code, const char *reason);
