#include "http/connection.h"

#include "base/error.h"
#include "crypt/tls.h"
#include "http/server_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_STEP = 32 << 10,
	OUT_LIMIT = 64 << 20, /* far above what a user that minds the backlog writes */
};

size_t http_connection_backlog(const struct http_connection *connection)
{
	return connection->out.size - connection->out_start;
}

static bool wants_input(const struct http_connection *connection)
{
	bool waits_for_client =
	    connection->takes_turns && http_connection_backlog(connection) >= HTTP_BACKLOG_HIGH;
	return connection->reads && (connection->lingers || !waits_for_client);
}

/* Telling the kernel costs more than most of a request. So a descriptor stays watched for input
 * while none is wanted, until some comes: see ready(). */
static void update_watch(struct http_connection *connection)
{
	unsigned events = connection->watch.events & LOOP_READABLE;
	if (wants_input(connection))
		events |= LOOP_READABLE;
	if (connection->blocked || (connection->tls && tls_wants_write(connection->tls)))
		events |= LOOP_WRITABLE;
	loop_watch_change(&connection->watch, events);
}

void http_connection_kill(struct http_connection *connection)
{
	if (connection->dead)
		return;
	connection->dead = true;
	loop_watch_stop(&connection->watch);
	http_connection_schedule(connection);
}

void http_connection_set_reading(struct http_connection *connection, bool reads)
{
	bool more = reads && !connection->reads;
	connection->reads = reads;
	if (more) /* there may be bytes that no descriptor will announce */
		http_connection_schedule(connection);
	else if (!connection->dead)
		update_watch(connection);
}

void http_connection_wait(struct http_connection *connection, enum http_waiting waiting)
{
	connection->waiting = waiting;
	connection->since_ms = loop_now_ms(connection->server->loop);
}

void http_connection_linger(struct http_connection *connection)
{
	connection->lingers = true;
	http_connection_schedule(connection);
}

void http_connection_write(struct http_connection *connection, struct bytes bytes)
{
	if (connection->dead)
		return;
	connection->out.limit = OUT_LIMIT;
	buffer_append(&connection->out, bytes.data, bytes.size);
	if (buffer_check(&connection->out) < 0) {
		http_connection_kill(connection);
		return;
	}
	connection->server->backlog += bytes.size;
	http_connection_schedule(connection);
}

/* ---- the descriptor ---- */

static ssize_t put(struct http_connection *connection, const uint8_t *data, size_t size)
{
	if (connection->tls)
		return tls_write(connection->tls, data, size);
	ssize_t n = send(connection->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

static ssize_t get(struct http_connection *connection, uint8_t *data, size_t size)
{
	if (connection->tls)
		return tls_read(connection->tls, data, size);
	ssize_t n = recv(connection->fd, data, size, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

static void forget_sent(struct http_connection *connection)
{
	if (http_connection_backlog(connection) == 0) {
		connection->out_start = 0;
		buffer_free(&connection->out); /* an idle connection holds no buffer */
	} else if (connection->out_start > (1 << 20)) {
		buffer_drop_front(&connection->out, connection->out_start);
		connection->out_start = 0;
	}
}

static int flush(struct http_connection *connection)
{
	struct buffer *out = &connection->out;
	bool had_output = http_connection_backlog(connection) > 0;
	while (http_connection_backlog(connection) > 0) {
		ssize_t n = put(connection, out->data + connection->out_start,
				out->size - connection->out_start);
		if (n == -EINTR)
			continue;
		if (n == -EAGAIN) {
			if (!connection->blocked)
				connection->blocked_ms = loop_now_ms(connection->server->loop);
			connection->blocked = true;
			return 0;
		}
		if (n < 0)
			return (int)n;
		connection->out_start += (size_t)n;
		connection->server->backlog -= (size_t)n;
		connection->blocked_ms = loop_now_ms(connection->server->loop);
		http_server_count_traffic(connection->server, 0, (uint64_t)n);
	}
	connection->blocked = false;
	forget_sent(connection);
	if (had_output && !connection->lingers)
		connection->protocol->drained(connection);
	return 0;
}

static int take_input(struct http_connection *connection)
{
	uint8_t *room = buffer_reserve(&connection->in, READ_STEP);
	if (!room)
		return -ENOMEM;
	ssize_t n = get(connection, room, connection->in.capacity - connection->in.size);
	if (n == -EAGAIN || n == -EINTR) {
		if (connection->in.size == 0)
			buffer_free(&connection->in);
		return 0;
	}
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -EPIPE;
	/* While it lingers the rest of a refused request is read and thrown away: closing with
	 * unread bytes would send a reset, which can take the answer back from a client that has
	 * not read it yet. */
	if (connection->lingers)
		return 0;
	http_server_count_traffic(connection->server, (uint64_t)n, 0);
	connection->in.size += (size_t)n;
	return 0;
}

static int let_protocol_read(struct http_connection *connection)
{
	int r = 0;
	size_t before = SIZE_MAX;
	while (r == 0 && wants_input(connection) && !connection->lingers &&
	       connection->in.size > 0 && connection->in.size != before) {
		before = connection->in.size;
		r = connection->protocol->input(connection);
	}
	if (connection->in.size == 0)
		buffer_free(&connection->in);
	return r;
}

static void ready(struct loop_watch *watch, unsigned events)
{
	struct http_connection *connection = container_of(watch, struct http_connection, watch);
	int r = 0;
	if (connection->dead)
		return;
	bool wants = wants_input(connection);
	if (events & LOOP_HANGUP && !(wants && events & LOOP_READABLE))
		r = -EPIPE; /* nothing more is wanted of the client, and it is gone */
	else if (events & LOOP_READABLE && !wants)
		loop_watch_change(watch, watch->events & ~(unsigned)LOOP_READABLE);
	while (r == 0 && wants && events & LOOP_READABLE) {
		r = take_input(connection);
		if (r == 0)
			r = let_protocol_read(connection);
		wants =
		    wants_input(connection) && connection->tls && tls_has_pending(connection->tls);
		/* what TLS has decrypted already no descriptor would announce */
	}
	if (r < 0)
		http_connection_kill(connection);
	else
		http_connection_schedule(connection);
}

/* ---- the end of a turn ---- */

static void begin_linger(struct http_connection *connection)
{
	if (connection->waiting == HTTP_WAITS_LINGER)
		return;
	if (!connection->tls)
		shutdown(connection->fd, SHUT_WR);
	else
		tls_shutdown(connection->tls);
	http_connection_wait(connection, HTTP_WAITS_LINGER);
	connection->reads = true;
}

static int settle_once(struct http_connection *connection)
{
	int r = let_protocol_read(connection);
	if (r == 0 && connection->protocol->produce && !connection->lingers)
		r = connection->protocol->produce(connection);
	if (r == 0)
		r = flush(connection);
	if (r == 0 && !connection->lingers)
		r = connection->protocol->settle(connection);
	if (r == 0 && connection->lingers && http_connection_backlog(connection) == 0)
		begin_linger(connection);
	return r;
}

static void settle(struct loop_deferred *deferred)
{
	struct http_connection *connection = container_of(deferred, struct http_connection, settle);
	if (!connection->dead && settle_once(connection) < 0)
		http_connection_kill(connection);
	if (connection->dead)
		http_connection_free(connection);
	else
		update_watch(connection);
}

void http_connection_schedule(struct http_connection *connection)
{
	loop_defer(&connection->settle, connection->server->loop, settle);
}

/* ---- time ---- */

void http_connection_check_time(struct http_connection *connection, uint64_t now_ms)
{
	const struct http_limits *limits = &connection->server->limits;
	const uint64_t allowed[] = {[HTTP_WAITS_IDLE] = limits->idle_ms,
				    [HTTP_WAITS_HEAD] = limits->head_ms,
				    [HTTP_WAITS_BODY] = limits->body_ms,
				    [HTTP_WAITS_USER] = 0,
				    [HTTP_WAITS_LINGER] = HTTP_LINGER_MS};
	uint64_t limit = allowed[connection->waiting];
	if (connection->dead)
		return;
	if (connection->blocked && now_ms - connection->blocked_ms > limits->stalled_ms) {
		http_connection_kill(connection);
		return;
	}
	if (!connection->lingers && connection->protocol->tick &&
	    connection->protocol->tick(connection, now_ms) < 0) {
		http_connection_kill(connection);
		return;
	}
	if (limit == 0 || now_ms - connection->since_ms <= limit)
		return;
	if (connection->waiting == HTTP_WAITS_LINGER ||
	    connection->protocol->expired(connection) < 0)
		http_connection_kill(connection);
}

/* ---- life ---- */

struct http_connection *http_connection_new(struct http_server *server, int fd, struct tls *tls)
{
	struct http_connection *connection = calloc(1, sizeof(*connection));
	if (!connection)
		return NULL;
	connection->server = server;
	connection->fd = fd;
	connection->tls = tls;
	connection->reads = true;
	list_init(&connection->node);
	http_connection_wait(connection, HTTP_WAITS_HEAD);
	if (loop_watch_start(&connection->watch, server->loop, fd, LOOP_READABLE, ready) < 0) {
		free(connection);
		return NULL;
	}
	if (http1_start(connection) < 0) {
		loop_watch_stop(&connection->watch);
		free(connection);
		return NULL;
	}
	return connection;
}

void http_connection_free(struct http_connection *connection)
{
	connection->dead = true;
	loop_watch_stop(&connection->watch);
	connection->protocol->release(connection);
	loop_deferred_cancel(&connection->settle);
	tls_free(connection->tls);
	close(connection->fd);
	buffer_free(&connection->in);
	connection->server->backlog -= http_connection_backlog(connection);
	buffer_free(&connection->out);
	http_server_forget(connection->server, connection);
	free(connection);
}
