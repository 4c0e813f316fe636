/* Inside src/http: the server as its connections see it. */
#pragma once

#include "http/connection.h"

enum {
	HTTP_LINGER_MS = 2000,
	HTTP_SWEEP_MS = 1000,
	HTTP_LISTENERS_MAX = 8,
	HTTP_BACKLOG_HIGH = 256 << 10, /* written and not taken: then no more is asked for */
};

struct http_listener {
	struct http_server *server;
	struct loop_watch watch;
	int fd;
	struct tls_context *tls;
};

struct http_server {
	struct loop *loop;
	struct http_limits limits;
	const struct http_events *events;
	void *owner;
	struct http_listener listeners[HTTP_LISTENERS_MAX];
	size_t n_listeners;
	struct list connections;
	size_t n_connections;
	size_t backlog; /* charged by connections and streams for their output */
	struct loop_timer sweep;
	int reserve; /* given up for a moment when descriptors run out, to tell a client so */
	bool stopping;
	void (*on_stopped)(void *owner);
};

void http_server_forget(struct http_server *server, struct http_connection *connection);
void http_server_count_traffic(struct http_server *server, uint64_t received, uint64_t sent);

/* Writes a whole answer of our own, HTTP/1.1, with `Connection: close`. */
void http_server_write_refusal(struct http_server *server, const struct http_refusal *refusal,
			       struct buffer *out);
