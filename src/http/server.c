#include "http/server.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "crypt/tls.h"
#include "http/exchange.h"
#include "http/server_internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTS_PER_TURN = 64 };

void http_server_count_traffic(struct http_server *server, uint64_t received, uint64_t sent)
{
	if (server->events->on_traffic)
		server->events->on_traffic(server->owner, received, sent);
}

void http_server_write_refusal(struct http_server *server, const struct http_refusal *refusal,
			       struct buffer *out)
{
	struct http_refusal_answer answer = {0};
	char date[HTTP_DATE_SIZE];
	server->events->on_refused(server->owner, refusal, &answer);
	buffer_append_format(out, "HTTP/1.1 %d %s\r\nDate: ", refusal->status,
			     http_status_text(refusal->status));
	buffer_append_text(out, http_date(date));
	buffer_append_format(out,
			     "\r\nContent-Type: " HTTP_REFUSAL_TYPE
			     "\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n",
			     answer.body.size);
	if (answer.request_id[0])
		buffer_append_format(out, "X-Request-Id: %s\r\n", answer.request_id);
	buffer_append_text(out, TEXT("Connection: close\r\n\r\n"));
	buffer_append_text(out, buffer_text(&answer.body));
	buffer_free(&answer.body);
}

/* ---- accepting ---- */

static void describe_peer(struct http_connection *connection, const struct sockaddr_storage *peer)
{
	const void *address = &((const struct sockaddr_in *)peer)->sin_addr;
	if (peer->ss_family == AF_INET6) {
		const struct in6_addr *six = &((const struct sockaddr_in6 *)peer)->sin6_addr;
		bool mapped = IN6_IS_ADDR_V4MAPPED(six);
		address = mapped ? (const void *)&six->s6_addr[12] : six;
		connection->is_loopback =
		    mapped ? six->s6_addr[12] == 127 : IN6_IS_ADDR_LOOPBACK(six);
		inet_ntop(mapped ? AF_INET : AF_INET6, address, connection->address,
			  sizeof(connection->address));
		return;
	}
	connection->is_loopback = ((const uint8_t *)address)[0] == 127;
	inet_ntop(AF_INET, address, connection->address, sizeof(connection->address));
}

/* Over the limit a client is told so, as far as it can be without waiting for it. */
static void turn_away(struct http_server *server, int fd, bool is_tls)
{
	static const struct http_refusal full = {503, "too_many_connections",
						 "The server has as many connections as it takes"};
	struct buffer out ATTR_BUFFER = {0};
	uint8_t thrown_away[4096];
	if (!is_tls) {
		http_server_write_refusal(server, &full, &out);
		/* What the client has sent is read, so that closing does not reset what it is told.
		 */
		ssize_t n ATTR_UNUSED = recv(fd, thrown_away, sizeof(thrown_away), MSG_DONTWAIT);
		n = send(fd, out.data, out.size, MSG_NOSIGNAL | MSG_DONTWAIT);
		shutdown(fd, SHUT_WR);
	}
	close(fd);
}

static void add_connection(struct http_listener *listener, int fd,
			   const struct sockaddr_storage *peer)
{
	struct http_server *server = listener->server;
	struct tls *tls = NULL;
	int yes = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (server->n_connections >= server->limits.connections) {
		turn_away(server, fd, listener->tls != NULL);
		return;
	}
	if (listener->tls && !(tls = tls_accept(listener->tls, fd))) {
		close(fd);
		return;
	}
	struct http_connection *connection = http_connection_new(server, fd, tls);
	if (!connection) {
		tls_free(tls);
		close(fd);
		return;
	}
	describe_peer(connection, peer);
	list_append(&server->connections, &connection->node);
	server->n_connections++;
}

/* Without descriptors the waiting client would be announced again and again: the one kept back
 * takes it and turns it away. */
static bool use_reserve(struct http_listener *listener)
{
	struct http_server *server = listener->server;
	if (server->reserve < 0)
		return false;
	descriptor_close(&server->reserve);
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		turn_away(server, fd, listener->tls != NULL);
	server->reserve = dup(listener->fd);
	return fd >= 0;
}

static void accept_ready(struct loop_watch *watch, unsigned events ATTR_UNUSED)
{
	struct http_listener *listener = container_of(watch, struct http_listener, watch);
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage peer = {0};
		socklen_t size = sizeof(peer);
		int fd = accept4(listener->fd, (struct sockaddr *)&peer, &size,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			add_connection(listener, fd, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE) {
			if (!use_reserve(listener))
				return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

int http_server_listen(struct http_server *server, int fd, const struct http_tls *tls)
{
	if (server->n_listeners == HTTP_LISTENERS_MAX)
		return error_origin(-ENOSPC);
	struct http_listener *listener = &server->listeners[server->n_listeners];
	*listener = (struct http_listener){.server = server, .fd = fd};
	int r = tls ? tls_context_new(&listener->tls, tls->certificate, tls->key) : 0;
	if (r == 0)
		r = descriptor_set_nonblocking(fd);
	if (r == 0)
		r = loop_watch_start(&listener->watch, server->loop, fd, LOOP_READABLE,
				     accept_ready);
	if (r < 0) {
		tls_context_free(listener->tls);
		close(fd);
		return error_trace(r);
	}
	if (server->reserve < 0)
		server->reserve = dup(fd);
	server->n_listeners++;
	return 0;
}

/* ---- life ---- */

static void sweep(struct loop_timer *timer)
{
	struct http_server *server = container_of(timer, struct http_server, sweep);
	struct http_connection *connection;
	uint64_t now = loop_now_ms(server->loop);
	list_for_each (connection, &server->connections, node)
		http_connection_check_time(connection, now);
}

/* A time limit is kept to a quarter of it. */
static uint64_t sweep_ms(const struct http_limits *limits)
{
	const uint64_t all[] = {limits->head_ms, limits->body_ms, limits->idle_ms,
				limits->stalled_ms};
	uint64_t interval = HTTP_SWEEP_MS;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i] / 4 < interval)
			interval = all[i] / 4;
	return interval > 0 ? interval : 1;
}

int http_server_new(struct http_server **out, struct loop *loop, const struct http_limits *limits,
		    const struct http_events *events, void *owner)
{
	struct http_server *server = calloc(1, sizeof(*server));
	if (!server)
		return error_origin(-ENOMEM);
	server->loop = loop;
	server->limits = *limits;
	server->events = events;
	server->owner = owner;
	server->reserve = -1;
	list_init(&server->connections);
	uint64_t interval = sweep_ms(limits);
	int r = loop_timer_start(&server->sweep, loop, interval, interval, sweep);
	if (r < 0) {
		free(server);
		return error_trace(r);
	}
	*out = server;
	return 0;
}

size_t http_server_connections(const struct http_server *server)
{
	return server->n_connections;
}

size_t http_server_backlog(const struct http_server *server)
{
	return server->backlog;
}

void http_server_forget(struct http_server *server, struct http_connection *connection)
{
	if (!list_is_empty(&connection->node)) {
		list_remove(&connection->node);
		server->n_connections--;
	}
	if (server->stopping && server->n_connections == 0 && server->on_stopped) {
		void (*on_stopped)(void *) = server->on_stopped;
		server->on_stopped = NULL;
		on_stopped(server->owner);
	}
}

static void close_listeners(struct http_server *server)
{
	for (size_t i = 0; i < server->n_listeners; i++) {
		loop_watch_stop(&server->listeners[i].watch);
		descriptor_close(&server->listeners[i].fd);
		tls_context_free(server->listeners[i].tls);
	}
	server->n_listeners = 0;
}

void http_server_stop(struct http_server *server, void (*on_stopped)(void *owner))
{
	struct http_connection *connection;
	server->stopping = true;
	server->on_stopped = on_stopped;
	close_listeners(server);
	list_for_each (connection, &server->connections, node)
		connection->protocol->stop(connection);
	if (server->n_connections == 0 && server->on_stopped) {
		server->on_stopped = NULL;
		on_stopped(server->owner);
	}
}

void http_server_free(struct http_server *server)
{
	struct http_connection *connection;
	if (!server)
		return;
	close_listeners(server);
	server->on_stopped = NULL;
	list_for_each (connection, &server->connections, node)
		http_connection_free(connection);
	assert(server->backlog == 0); /* every charge came back */
	loop_timer_stop(&server->sweep);
	descriptor_close(&server->reserve);
	free(server);
}
