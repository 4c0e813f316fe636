/* Inside src/http: one client's connection: its descriptor, its buffers, its clock. What the bytes
 * mean is the protocol's (http1.c, http2.c), which a connection changes to when it has seen what
 * the client speaks. */
#pragma once

#include "http/server.h"

struct http_connection;
struct http_session;
struct tls;

/* Why a connection is waited for; the sweep of the server closes it when its time is over. */
enum http_waiting {
	HTTP_WAITS_IDLE,
	HTTP_WAITS_HEAD,
	HTTP_WAITS_BODY,
	HTTP_WAITS_USER,
	HTTP_WAITS_LINGER
};

struct http_protocol {
	/* Takes what it can of connection->in. Negative closes the connection. */
	int (*input)(struct http_connection *connection);
	/* Output left; nothing of it is pending. */
	void (*drained)(struct http_connection *connection);
	/* At the end of a turn, after writing: the place for what must not happen inside the user's
	 * calls. */
	int (*settle)(struct http_connection *connection);
	/* Fills connection->out with more, for protocols that produce on demand; may be NULL. */
	int (*produce)(struct http_connection *connection);
	/* The time of `waiting` is over. Negative closes. */
	int (*expired)(struct http_connection *connection);
	/* At each sweep of the server, for clocks of the protocol's own; may be NULL. Negative
	 * closes. */
	int (*tick)(struct http_connection *connection, uint64_t now_ms);
	void (*stop)(
	    struct http_connection *connection); /* the server is going down: no further requests */
	/* The connection goes: exchanges are told, memory freed. */
	void (*release)(struct http_connection *connection);
};

struct http_connection {
	struct list node;
	struct http_server *server;
	int fd;
	struct loop_watch watch;
	struct loop_deferred settle;
	struct tls *tls; /* NULL: cleartext */
	const struct http_protocol *protocol;
	struct http_session *session; /* the protocol's */

	struct buffer in;
	struct buffer out;
	size_t out_start;
	bool reads;       /* the protocol wants input */
	bool takes_turns; /* no more is read of a client that does not take what it gets */
	bool blocked;     /* the client did not take what was written */
	bool lingers;     /* all is said: waits for the client to see it, then closes */
	bool dead;        /* closed; freed by settle */

	enum http_waiting waiting;
	uint64_t since_ms;   /* of `waiting`, or of the last byte of a body */
	uint64_t blocked_ms; /* since when it is blocked */
	char address[46];
	bool is_loopback;
};

struct http_connection *http_connection_new(struct http_server *server, int fd, struct tls *tls);

/* All of these may be called from anywhere; the connection itself goes only at the end of the turn.
 */
void http_connection_write(struct http_connection *connection, struct bytes bytes);
void http_connection_schedule(
    struct http_connection *connection); /* settle at the end of the turn */
void http_connection_set_reading(struct http_connection *connection, bool reads);
void http_connection_wait(struct http_connection *connection, enum http_waiting waiting);
void http_connection_linger(
    struct http_connection *connection); /* after the output has left: close with grace */
void http_connection_kill(struct http_connection *connection);
size_t http_connection_backlog(const struct http_connection *connection);

/* By the server's sweep. */
void http_connection_check_time(struct http_connection *connection, uint64_t now_ms);
void http_connection_free(struct http_connection *connection);

extern const struct http_protocol http1_protocol;
int http1_start(struct http_connection *connection) ATTR_MUST_CHECK;
extern const struct http_protocol http2_protocol;
int http2_start(struct http_connection *connection) ATTR_MUST_CHECK;
