/* HTTP/1.0 and 1.1 (RFC 9112). One exchange at a time: what a client sends ahead stays in the
 * kernel until the answer is out. */
#include "base/error.h"
#include "http/http1_session.h"
#include "http/server_internal.h"

#include <errno.h>
#include <stdlib.h>

static const struct text http2_preface = TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/* ---- refusing ---- */

static int refuse(struct http_connection *connection, const struct http_refusal *refusal)
{
	struct buffer out ATTR_BUFFER = {0};
	struct http_session *session = connection->session;
	if (session->has_exchange && session->exchange.has_answer_head)
		return -EPROTO; /* an answer is on its way: it can only be cut */
	http_server_write_refusal(connection->server, refusal, &out);
	http_connection_write(connection, buffer_bytes(&out));
	if (session->has_exchange) {
		session->has_exchange = false;
		session->exchange.is_aborted = true;
		http_exchange_tell_closed(&session->exchange, false);
		http_exchange_release(&session->exchange);
	}
	connection->in.size = 0;
	http_connection_linger(connection);
	return 0;
}

/* ---- requests ---- */

static int keep_head(struct http_session *session, struct bytes raw, struct http1_head *head,
		     struct http_refusal *refusal)
{
	struct http_exchange *exchange = &session->exchange;
	*exchange =
	    (struct http_exchange){.ops = &http1_exchange_ops, .connection = session->connection};
	buffer_append(&exchange->head, raw.data, raw.size);
	exchange->fields = calloc(HTTP_FIELDS_MAX, sizeof(*exchange->fields));
	if (buffer_check(&exchange->head) < 0 || !exchange->fields)
		return -ENOMEM;
	*head = (struct http1_head){.fields = exchange->fields};
	return http1_head_parse((char *)exchange->head.data, exchange->head.size, head, refusal);
}

static void describe_body(struct http_session *session, const struct http1_head *head)
{
	struct http_exchange *exchange = &session->exchange;
	exchange->has_body = head->is_chunked || head->length > 0;
	exchange->body_size = head->is_chunked ? HTTP_LENGTH_UNKNOWN : head->length;
	session->body_left = head->length;
	session->chunks = (struct http1_chunks){.is_used = head->is_chunked};
	session->state = exchange->has_body ? HTTP1_BODY : HTTP1_ANSWER;
}

static void begin_exchange(struct http_session *session, const struct http1_head *head)
{
	struct http_connection *connection = session->connection;
	struct http_exchange *exchange = &session->exchange;
	exchange->method = head->method;
	exchange->target = head->target;
	exchange->n_fields = head->n_fields;
	exchange->is_head_request = text_equal(head->method, TEXT("HEAD"));
	session->has_exchange = true;
	session->keeps_alive = head->keeps_alive && !session->stops;
	session->is_http10 = head->minor == 0;
	describe_body(session, head);
	http_connection_wait(connection, exchange->has_body ? HTTP_WAITS_BODY : HTTP_WAITS_USER);
	if (!exchange->has_body)
		http_connection_set_reading(connection, false);
	connection->server->events->on_request(connection->server->owner, exchange);
	if (head->expects_continue && exchange->has_body && !exchange->has_answer_head)
		http_connection_write(connection,
				      text_bytes(TEXT("HTTP/1.1 100 Continue\r\n\r\n")));
	if (!exchange->has_body)
		http_exchange_tell_body_end(exchange);
}

static int take_whole_head(struct http_connection *connection, size_t size)
{
	struct http_session *session = connection->session;
	struct http1_head head;
	struct http_refusal refusal;
	int r = keep_head(session, (struct bytes){connection->in.data, size}, &head, &refusal);
	buffer_drop_front(&connection->in, size);
	session->scanned = 0;
	if (r != 0) {
		http_exchange_release(&session->exchange);
		return r < 0 ? r : refuse(connection, &refusal);
	}
	begin_exchange(session, &head);
	return 0;
}

static bool may_become_http2(const struct http_connection *connection)
{
	size_t size =
	    connection->in.size < http2_preface.size ? connection->in.size : http2_preface.size;
	return memcmp(connection->in.data, http2_preface.data, size) == 0;
}

static int change_to_http2(struct http_connection *connection)
{
	struct http_session *before = connection->session;
	int r = http2_start(connection);
	if (r == 0)
		free(before); /* it has had no request */
	return error_trace(r);
}

/* A robust server passes over an empty line before a request (RFC 9112 section 2.2); one, not a
 * flood. */
static void pass_over_empty_line(struct http_connection *connection)
{
	if (connection->in.size >= 2 && memcmp(connection->in.data, "\r\n", 2) == 0)
		buffer_drop_front(&connection->in, 2);
}

static int take_head(struct http_connection *connection)
{
	static const struct http_refusal too_large = {431, "head_too_large",
						      "The head of the request is too large"};
	static const struct http_refusal bare = {400, "bad_request",
						 "A line of the head does not end with CR LF"};
	struct http_session *session = connection->session;
	if (connection->waiting == HTTP_WAITS_IDLE)
		http_connection_wait(connection, HTTP_WAITS_HEAD);
	if (session->scanned == 0)
		pass_over_empty_line(connection);
	if (connection->in.size == 0)
		return 0;
	if (may_become_http2(connection))
		return connection->in.size < http2_preface.size ? 0 : change_to_http2(connection);
	size_t from = session->scanned > 3 ? session->scanned - 3 : 0;
	size_t size =
	    http1_head_size((struct bytes){connection->in.data + from, connection->in.size - from});
	if (size > 0 && from + size <= connection->server->limits.head_bytes)
		return take_whole_head(connection, from + size);
	if (size > 0 || connection->in.size > connection->server->limits.head_bytes)
		return refuse(connection, &too_large);
	if (memmem(connection->in.data, connection->in.size, "\n\n", 2))
		return refuse(connection,
			      &bare); /* else it would wait for an end that has come, for others */
	session->scanned = connection->in.size;
	return 0;
}

/* ---- bodies ---- */

static void finish_body(struct http_session *session)
{
	struct http_connection *connection = session->connection;
	session->state = HTTP1_ANSWER;
	http_connection_wait(connection, HTTP_WAITS_USER);
	http_connection_set_reading(connection, false);
	http_exchange_tell_body_end(&session->exchange);
	http_connection_schedule(connection);
}

static void hand_out(struct http_session *session, struct bytes piece)
{
	if (piece.size > 0 && session->has_exchange && !session->exchange.is_ended &&
	    !session->exchange.is_aborted)
		session->connection->server->events->on_body(&session->exchange, piece);
}

static int take_counted_body(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	size_t size = connection->in.size < session->body_left ? connection->in.size
							       : (size_t)session->body_left;
	session->body_left -= size;
	hand_out(session, (struct bytes){connection->in.data, size});
	buffer_drop_front(&connection->in, size);
	if (session->body_left == 0)
		finish_body(session);
	return 0;
}

static int take_chunked_body(struct http_connection *connection)
{
	static const struct http_refusal malformed = {400, "bad_request",
						      "The chunks of the body are malformed"};
	struct http_session *session = connection->session;
	struct bytes piece, rest = buffer_bytes(&connection->in);
	int r = HTTP1_CHUNKS_MORE;
	while (rest.size > 0 &&
	       (r = http1_chunks_next(&session->chunks, &rest, &piece)) == HTTP1_CHUNKS_DATA)
		hand_out(session, piece);
	buffer_drop_front(&connection->in, connection->in.size - rest.size);
	if (r == HTTP1_CHUNKS_BAD)
		return refuse(connection, &malformed);
	if (r == HTTP1_CHUNKS_END)
		finish_body(session);
	return 0;
}

static int take_body(struct http_connection *connection)
{
	http_connection_wait(connection, HTTP_WAITS_BODY);
	return connection->session->chunks.is_used ? take_chunked_body(connection)
						   : take_counted_body(connection);
}

static int input(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	switch (session->state) {
	case HTTP1_HEAD:
		return take_head(connection);
	case HTTP1_BODY:
		return take_body(connection);
	case HTTP1_SOCKET:
		return websocket_input(session->socket, &connection->in);
	default:
		return 0;
	}
}

/* ---- the turn's end ---- */

static void drained(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	if (session->has_exchange && !session->exchange.is_ended &&
	    session->exchange.has_answer_head)
		connection->server->events->on_drained(&session->exchange);
}

static int settle(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	if (!session->has_exchange || !session->exchange.is_ended ||
	    http_connection_backlog(connection) > 0)
		return 0;
	bool whole_request = session->state == HTTP1_ANSWER;
	session->has_exchange = false;
	http_exchange_tell_closed(&session->exchange, true);
	http_exchange_release(&session->exchange);
	if (!session->keeps_alive || !whole_request || session->stops) {
		http_connection_linger(connection);
		return 0;
	}
	session->state = HTTP1_HEAD;
	http_connection_wait(connection, HTTP_WAITS_IDLE);
	http_connection_set_reading(connection, true);
	return 0;
}

static int expired(struct http_connection *connection)
{
	static const struct http_refusal head = {408, "request_timeout",
						 "The head of the request took too long"};
	static const struct http_refusal body = {408, "request_timeout",
						 "The body of the request fell silent"};
	if (connection->waiting == HTTP_WAITS_HEAD && connection->in.size > 0)
		return refuse(connection, &head);
	if (connection->waiting == HTTP_WAITS_BODY)
		return refuse(connection, &body);
	return -ETIMEDOUT;
}

static int tick(struct http_connection *connection, uint64_t now_ms)
{
	struct http_session *session = connection->session;
	if (!session->socket)
		return 0;
	return websocket_tick(session->socket, now_ms, connection->server->limits.idle_ms,
			      connection->blocked);
}

static void stop(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	session->stops = true;
	session->keeps_alive = false;
	if (session->socket)
		websocket_close(session->socket, 1001, "the server is going down");
	else if (!session->has_exchange)
		http_connection_linger(connection); /* the client may still read its last answer */
}

static void release(struct http_connection *connection)
{
	struct http_session *session = connection->session;
	if (session->has_exchange) {
		session->has_exchange = false;
		session->exchange.is_aborted = true; /* nothing that the user still says leaves */
		http_exchange_tell_closed(&session->exchange, false);
	}
	http_exchange_release(&session->exchange);
	websocket_free(session->socket);
	free(session);
	connection->session = NULL;
}

const struct http_protocol http1_protocol = {
    .input = input,
    .drained = drained,
    .settle = settle,
    .expired = expired,
    .tick = tick,
    .stop = stop,
    .release = release,
};

int http1_start(struct http_connection *connection)
{
	struct http_session *session = calloc(1, sizeof(*session));
	if (!session)
		return error_origin(-ENOMEM);
	session->connection = connection;
	connection->session = session;
	connection->protocol = &http1_protocol;
	return 0;
}
