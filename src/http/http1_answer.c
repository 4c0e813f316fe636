/* HTTP/1 from the user's side: answers, a body that is made to wait, and the change to WebSocket.
 */
#include "http/http1_session.h"
#include "http/server_internal.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdio.h>

static struct http_session *session_of(struct http_exchange *exchange)
{
	return container_of(exchange, struct http_session, exchange);
}

/* ---- answers ---- */

/* RFC 9112 section 6.3: no framing where there is no body. */
static void append_framing(struct http_session *session, int status, uint64_t length,
			   struct buffer *out)
{
	bool bodiless = status == 204 || status == 304 || status < 200;
	session->answers_chunked = false;
	session->discards_data = bodiless || session->exchange.is_head_request;
	if (bodiless)
		return;
	if (length != HTTP_LENGTH_UNKNOWN) {
		buffer_append_format(out, "Content-Length: %" PRIu64 "\r\n", length);
	} else if (session->is_http10) {
		session->keeps_alive = false; /* the end of the connection is the end of the body */
	} else {
		session->answers_chunked = !session->exchange.is_head_request;
		buffer_append_text(out, TEXT("Transfer-Encoding: chunked\r\n"));
	}
}

static void answer_head(struct http_exchange *exchange, int status, const struct http_field *fields,
			size_t count, uint64_t length)
{
	struct http_session *session = session_of(exchange);
	struct buffer out ATTR_BUFFER = {0};
	char date[HTTP_DATE_SIZE];
	/* An answer before the body's end: the rest of the body would be read as the next request.
	 */
	if (session->state == HTTP1_BODY)
		session->keeps_alive = false;
	buffer_append_format(&out, "HTTP/1.1 %d %s\r\n", status, http_status_text(status));
	for (size_t i = 0; i < count; i++) {
		if (!http_field_may_be_sent(&fields[i]))
			continue;
		buffer_append_text(&out, fields[i].name);
		buffer_append_text(&out, TEXT(": "));
		buffer_append_text(&out, fields[i].value);
		buffer_append_text(&out, TEXT("\r\n"));
	}
	buffer_append_text(&out, TEXT("Date: "));
	buffer_append_text(&out, http_date(date));
	buffer_append_text(&out, TEXT("\r\n"));
	append_framing(session, status, length, &out);
	if (!session->keeps_alive)
		buffer_append_text(&out, TEXT("Connection: close\r\n"));
	else if (session->is_http10)
		buffer_append_text(&out, TEXT("Connection: keep-alive\r\n"));
	buffer_append_text(&out, TEXT("\r\n"));
	http_connection_write(exchange->connection, buffer_bytes(&out));
}

static void answer_data(struct http_exchange *exchange, struct bytes piece)
{
	struct http_session *session = session_of(exchange);
	char size[24];
	if (session->discards_data)
		return;
	if (session->answers_chunked) {
		int digits = snprintf(size, sizeof(size), "%zx\r\n", piece.size);
		http_connection_write(exchange->connection,
				      (struct bytes){(uint8_t *)size, (size_t)digits});
	}
	http_connection_write(exchange->connection, piece);
	if (session->answers_chunked)
		http_connection_write(exchange->connection, text_bytes(TEXT("\r\n")));
}

static void answer_end(struct http_exchange *exchange)
{
	struct http_session *session = session_of(exchange);
	if (session->answers_chunked)
		http_connection_write(exchange->connection, text_bytes(TEXT("0\r\n\r\n")));
	http_connection_schedule(exchange->connection);
}

static void answer_abort(struct http_exchange *exchange)
{
	http_connection_kill(exchange->connection);
}

static void set_paused(struct http_exchange *exchange, bool paused)
{
	struct http_session *session = session_of(exchange);
	if (session->state != HTTP1_BODY)
		return;
	http_connection_wait(session->connection, paused ? HTTP_WAITS_USER : HTTP_WAITS_BODY);
	http_connection_set_reading(session->connection, !paused);
}

static size_t backlog(const struct http_exchange *exchange)
{
	return http_connection_backlog(exchange->connection);
}

const struct http_exchange_ops http1_exchange_ops = {
    .head = answer_head,
    .data = answer_data,
    .end = answer_end,
    .abort = answer_abort,
    .set_paused = set_paused,
    .backlog = backlog,
};

/* ---- WebSocket ---- */

static void socket_message(void *owner, struct text message)
{
	struct http_session *session = owner;
	session->connection->server->events->on_message(&session->exchange, message);
}

static void socket_output(void *owner, struct bytes bytes)
{
	struct http_session *session = owner;
	http_connection_write(session->connection, bytes);
}

static void socket_over(void *owner)
{
	struct http_session *session = owner;
	session->exchange.is_ended = true;
	session->keeps_alive = false;
	http_connection_schedule(session->connection);
}

int http_exchange_upgrade(struct http_exchange *exchange)
{
	static const struct websocket_events events = {socket_message, socket_output, socket_over};
	struct buffer answer ATTR_BUFFER = {0};
	if (exchange->ops != &http1_exchange_ops || exchange->has_body || exchange->has_answer_head)
		return 1;
	struct http_session *session = session_of(exchange);
	if (websocket_handshake(exchange, &answer))
		return 1;
	int r = websocket_new(&session->socket, session->connection->server->limits.message_bytes,
			      &events, session);
	if (r < 0)
		return error_trace(r);
	exchange->has_answer_head = true;
	exchange->is_socket = true;
	session->keeps_alive = false;
	session->state = HTTP1_SOCKET;
	session->connection->takes_turns = true;
	http_connection_write(session->connection, buffer_bytes(&answer));
	http_connection_set_reading(session->connection, true);
	return 0;
}

void http_exchange_message(struct http_exchange *exchange, struct text message)
{
	if (exchange->is_socket && !exchange->is_ended)
		websocket_send(session_of(exchange)->socket, message);
}

void http_exchange_close(struct http_exchange *exchange, uint16_t code, const char *reason)
{
	if (exchange->is_socket && !exchange->is_ended)
		websocket_close(session_of(exchange)->socket, code, reason);
}
