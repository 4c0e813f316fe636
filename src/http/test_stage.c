#include "http/test_stage.h"

#include "base/descriptor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GUARD_MS = 20000, BIG = 4 << 20 };

/* ---- the server's user ---- */

static void answer(struct http_exchange *exchange, int status, struct text body)
{
	static const struct http_field type = {TEXT("Content-Type"), TEXT("text/plain")};
	http_exchange_head(exchange, status, &type, 1, body.size);
	http_exchange_data(exchange, text_bytes(body));
	http_exchange_end(exchange);
}

static bool path_is(const struct http_exchange *exchange, const char *path)
{
	return text_equal(http_exchange_path(exchange), text_of(path));
}

static void on_request(void *owner, struct http_exchange *exchange)
{
	struct stage *stage = owner;
	struct text target = http_exchange_target(exchange),
		    host = http_exchange_field(exchange, TEXT("host"));
	http_exchange_set_owner(exchange, stage);
	stage->requests++;
	buffer_append_text(&stage->seen, http_exchange_method(exchange));
	buffer_append_format(&stage->seen, " %.*s %.*s\n", (int)target.size, target.data,
			     (int)host.size, host.data);
	if (path_is(exchange, "/early"))
		answer(exchange, 413, TEXT("too much"));
	if (path_is(exchange, "/stopped"))
		http_exchange_pause_body(exchange);
	if (path_is(exchange, "/echo") || path_is(exchange, "/silent"))
		http_exchange_head(exchange, 200, NULL, 0, HTTP_LENGTH_UNKNOWN);
	if (path_is(exchange, "/silent"))
		http_exchange_data(exchange, text_bytes(TEXT("first")));
	loop_stop(stage->loop);
}

static void on_body(struct http_exchange *exchange, struct bytes piece)
{
	struct stage *stage = http_exchange_owner(exchange);
	stage->body_bytes += piece.size;
	if (path_is(exchange, "/echo"))
		http_exchange_data(exchange, piece);
}

static void answer_big(struct http_exchange *exchange)
{
	char *big = calloc(1, BIG);
	assert_non_null(big);
	answer(exchange, 200, (struct text){big, BIG});
	free(big);
}

static void upgrade(struct http_exchange *exchange)
{
	if (http_exchange_upgrade(exchange) != 0)
		answer(exchange, 426, TEXT("no upgrade"));
}

static void on_body_end(struct http_exchange *exchange)
{
	struct stage *stage = http_exchange_owner(exchange);
	stage->body_ends++;
	if (path_is(exchange, "/echo"))
		http_exchange_end(exchange);
	else if (path_is(exchange, "/wait"))
		stage->waiting = exchange;
	else if (path_is(exchange, "/big"))
		answer_big(exchange);
	else if (path_is(exchange, "/socket"))
		upgrade(exchange);
	else if (!path_is(exchange, "/early") && !path_is(exchange, "/silent"))
		answer(exchange, 200, TEXT("ok"));
	loop_stop(stage->loop);
}

static void on_drained(struct http_exchange *exchange ATTR_UNUSED)
{
}

static void on_closed(struct http_exchange *exchange, bool complete)
{
	struct stage *stage = http_exchange_owner(exchange);
	if (stage->waiting == exchange)
		stage->waiting = NULL;
	stage->completed += complete;
	stage->given_up += !complete;
	loop_stop(stage->loop);
}

static void on_message(struct http_exchange *exchange, struct text message)
{
	http_exchange_message(exchange, message);
}

static void on_refused(void *owner ATTR_UNUSED, const struct http_refusal *refusal,
		       struct http_refusal_answer *said)
{
	buffer_append_format(&said->body, "refused %d %s", refusal->status, refusal->code);
	memcpy(said->request_id, "req-1", sizeof("req-1"));
}

static const struct http_events events = {
    .on_request = on_request,
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_drained = on_drained,
    .on_closed = on_closed,
    .on_message = on_message,
    .on_refused = on_refused,
};

void stage_answer(struct stage *stage)
{
	assert_non_null(stage->waiting);
	answer(stage->waiting, 200, TEXT("answered"));
}

static void on_stopped(void *owner)
{
	struct stage *stage = owner;
	stage->is_stopped = true;
	loop_stop(stage->loop);
}

void stage_stop(struct stage *stage)
{
	http_server_stop(stage->server, on_stopped);
}

/* ---- the client ---- */

static void take(struct loop_watch *watch, unsigned told ATTR_UNUSED)
{
	struct stage *stage = container_of(watch, struct stage, watch);
	uint8_t *room = buffer_reserve(&stage->received, 64 << 10);
	assert_non_null(room);
	ssize_t n = recv(stage->client, room, 64 << 10, MSG_DONTWAIT);
	if (n > 0)
		stage->received.size += (size_t)n;
	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		stage->is_cut = true;
		loop_watch_stop(watch);
	}
	loop_stop(stage->loop);
}

void stage_disconnect(struct stage *stage)
{
	loop_watch_stop(&stage->watch);
	descriptor_close(&stage->client);
}

void stage_connect(struct stage *stage)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(stage->port),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	stage_disconnect(stage);
	stage->is_cut = false;
	buffer_clear(&stage->received);
	stage->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(stage->client >= 0);
	assert_int_equal(connect(stage->client, (const struct sockaddr *)&address, sizeof(address)),
			 0);
	assert_int_equal(fcntl(stage->client, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(loop_watch_start(&stage->watch, stage->loop, stage->client,
					  stage->client_reads ? LOOP_READABLE : 0, take),
			 0);
}

/* The server takes turns with the client, so that neither waits for the other. A connection that
 * the server cuts meanwhile takes nothing more. */
void stage_send(struct stage *stage, struct bytes bytes)
{
	while (bytes.size > 0) {
		ssize_t n = send(stage->client, bytes.data, bytes.size, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return;
		if (n > 0)
			bytes = (struct bytes){bytes.data + n, bytes.size - (size_t)n};
		loop_turn(stage->loop);
	}
}

void stage_say(struct stage *stage, const char *text)
{
	stage_send(stage, text_bytes(text_of(text)));
}

/* ---- waiting ---- */

static void give_up(struct loop_timer *timer)
{
	struct stage *stage = container_of(timer, struct stage, guard);
	print_error("never came; received:\n%.*s\n", (int)stage->received.size,
		    stage->received.data ? (const char *)stage->received.data : "");
	abort();
}

void stage_turn(struct stage *stage)
{
	assert_int_equal(loop_timer_start(&stage->guard, stage->loop, GUARD_MS, 0, give_up), 0);
	loop_run(stage->loop);
	loop_timer_stop(&stage->guard);
}

bool stage_has(const struct stage *stage, const char *text)
{
	return stage->received.size > 0 &&
	       memmem(stage->received.data, stage->received.size, text, strlen(text));
}

void stage_await_text(struct stage *stage, const char *text)
{
	while (!stage_has(stage, text))
		stage_turn(stage);
}

void stage_await_cut(struct stage *stage)
{
	while (!stage->is_cut)
		stage_turn(stage);
}

void stage_await_count(struct stage *stage, const size_t *counter, size_t value)
{
	while (*counter < value)
		stage_turn(stage);
}

void stage_forget(struct stage *stage)
{
	buffer_clear(&stage->received);
}

/* ---- life ---- */

static int listener(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

void stage_open(struct stage *stage, const struct http_limits *limits)
{
	static const struct http_limits ample = {.connections = 100,
						 .head_bytes = 16 << 10,
						 .head_ms = 60000,
						 .body_ms = 60000,
						 .idle_ms = 60000,
						 .stalled_ms = 60000,
						 .message_bytes = 1024};
	*stage = (struct stage){.client = -1, .client_reads = true};
	assert_int_equal(loop_new(&stage->loop), 0);
	assert_int_equal(
	    http_server_new(&stage->server, stage->loop, limits ? limits : &ample, &events, stage),
	    0);
	assert_int_equal(http_server_listen(stage->server, listener(&stage->port), NULL), 0);
}

void stage_close(struct stage *stage)
{
	stage_disconnect(stage);
	http_server_free(stage->server);
	loop_free(stage->loop);
	buffer_free(&stage->received);
	buffer_free(&stage->seen);
}
