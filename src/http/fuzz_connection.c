#include "http/fuzz_connection.h"

#include "http/server_internal.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNS_MAX = 10000, PIECE_MIN = 64 };

struct fuzz_user {
	size_t open;
};

struct fuzz_request {
	struct fuzz_user *user;
	uint64_t body;
	bool has_ended;
};

/* ---- the user ---- */

static void check(bool promise)
{
	if (!promise)
		abort();
}

static char way_of(const struct http_exchange *exchange)
{
	struct text path = http_exchange_path(exchange);
	return path.size > 1 ? path.data[1] : '/';
}

static void answer(struct http_exchange *exchange, uint64_t length)
{
	static const struct http_field type = {TEXT("Content-Type"), TEXT("text/plain")};
	http_exchange_head(exchange, 200, &type, 1, length);
	http_exchange_data(exchange, text_bytes(TEXT("ok")));
	http_exchange_end(exchange);
}

static void on_request(void *owner, struct http_exchange *exchange)
{
	struct fuzz_request *request = calloc(1, sizeof(*request));
	check(request != NULL);
	*request = (struct fuzz_request){.user = owner};
	request->user->open++;
	http_exchange_set_owner(exchange, request);
	check(http_exchange_path(exchange).size > 0 && http_exchange_method(exchange).size > 0);
	if (way_of(exchange) == 'e')
		answer(exchange, 2);
	else if (way_of(exchange) == 'p')
		http_exchange_pause_body(exchange);
	else if (way_of(exchange) == 'a')
		http_exchange_abort(exchange);
}

static void on_body(struct http_exchange *exchange, struct bytes piece)
{
	struct fuzz_request *request = http_exchange_owner(exchange);
	request->body += piece.size;
	check(!request->has_ended && piece.size > 0);
	check(request->body <= http_exchange_body_size(exchange));
	if (way_of(exchange) == 'f')
		http_exchange_forget_head(exchange);
}

static void on_body_end(struct http_exchange *exchange)
{
	struct fuzz_request *request = http_exchange_owner(exchange);
	check(!request->has_ended);
	request->has_ended = true;
	switch (way_of(exchange)) {
	case 'a':
	case 'e':
		return;
	case 'c':
		answer(exchange, HTTP_LENGTH_UNKNOWN);
		return;
	case 's':
		if (http_exchange_upgrade(exchange) != 0)
			answer(exchange, 2);
		return;
	case 'w':
		return; /* never answered */
	default:
		answer(exchange, 2);
	}
}

static void on_drained(struct http_exchange *exchange)
{
	(void)http_exchange_backlog(exchange);
}

static void on_closed(struct http_exchange *exchange, bool complete ATTR_UNUSED)
{
	struct fuzz_request *request = http_exchange_owner(exchange);
	check(request->user->open > 0);
	request->user->open--;
	http_exchange_set_owner(exchange, NULL);
	free(request);
}

static void on_message(struct http_exchange *exchange, struct text message)
{
	check(text_is_utf8(message));
	if (text_equal(message, TEXT("close")))
		http_exchange_close(exchange, 1000, "as asked");
	else
		http_exchange_message(exchange, message);
}

static void on_refused(void *owner ATTR_UNUSED, const struct http_refusal *refusal,
		       struct http_refusal_answer *said)
{
	buffer_append_format(&said->body, "%s", refusal->detail);
}

/* ---- the client ---- */

static void drain(int client)
{
	uint8_t thrown_away[16 << 10];
	while (recv(client, thrown_away, sizeof(thrown_away), MSG_DONTWAIT) > 0)
		;
}

static void feed(struct loop *loop, int client, struct bytes data, size_t step)
{
	while (data.size > 0) {
		size_t size = data.size < step ? data.size : step;
		ssize_t n = send(client, data.data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			data = (struct bytes){data.data + n, data.size - (size_t)n};
		loop_turn(loop);
		loop_turn(loop); /* what the turn put off, too */
		drain(client);
		if (n < 0)
			return; /* the server has had enough */
	}
}

static void connect_to(struct http_server *server, int fd)
{
	struct http_connection *connection = http_connection_new(server, fd, NULL);
	check(connection != NULL);
	list_append(&server->connections, &connection->node);
	server->n_connections++;
}

void fuzz_connection(struct bytes opening, struct bytes data, size_t step)
{
	static const struct http_events events = {
	    .on_request = on_request,
	    .on_body = on_body,
	    .on_body_end = on_body_end,
	    .on_drained = on_drained,
	    .on_closed = on_closed,
	    .on_message = on_message,
	    .on_refused = on_refused,
	};
	static const struct http_limits limits = {10, 4096, 60000, 60000, 60000, 60000, 1024};
	struct fuzz_user user = {0};
	struct loop *loop;
	struct http_server *server;
	int pair[2];
	check(loop_new(&loop) == 0);
	check(http_server_new(&server, loop, &limits, &events, &user) == 0);
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	connect_to(server, pair[0]);
	feed(loop, pair[1], opening, opening.size);
	feed(loop, pair[1], data, step > PIECE_MIN ? step : PIECE_MIN);
	close(pair[1]);
	for (int turns = 0; http_server_connections(server) > 0; turns++) {
		check(turns < TURNS_MAX);
		loop_turn(loop);
	}
	check(user.open == 0);
	http_server_free(server);
	loop_free(loop);
}
