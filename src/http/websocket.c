#include "http/websocket.h"

#include "base/encode.h"
#include "base/error.h"
#include "http/exchange.h"
#include "http/server_internal.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <wslay/wslay.h>

struct websocket {
	wslay_event_context_ptr frames;
	const struct websocket_events *events;
	void *owner;
	struct bytes input; /* what wslay may take during websocket_input() */
	bool has_heard;     /* since the last tick */
	bool has_asked;
	uint64_t heard_ms; /* 0: no tick yet */
	uint64_t closed_ms;
	bool is_over;
};

static ssize_t give_input(wslay_event_context_ptr frames, uint8_t *room, size_t size,
			  int flags ATTR_UNUSED, void *owner)
{
	struct websocket *socket = owner;
	if (socket->input.size == 0) {
		wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	size_t taken = size < socket->input.size ? size : socket->input.size;
	memcpy(room, socket->input.data, taken);
	socket->input = (struct bytes){socket->input.data + taken, socket->input.size - taken};
	return (ssize_t)taken;
}

static ssize_t take_output(wslay_event_context_ptr frames ATTR_UNUSED, const uint8_t *data,
			   size_t size, int flags ATTR_UNUSED, void *owner)
{
	struct websocket *socket = owner;
	socket->events->on_output(socket->owner, (struct bytes){data, size});
	return (ssize_t)size;
}

static void message_came(wslay_event_context_ptr frames,
			 const struct wslay_event_on_msg_recv_arg *message, void *owner)
{
	struct websocket *socket = owner;
	struct text text = {(const char *)message->msg, message->msg_length};
	if (message->opcode == WSLAY_TEXT_FRAME)
		socket->events->on_message(socket->owner, text);
	else if (message->opcode == WSLAY_BINARY_FRAME)
		wslay_event_queue_close(frames, WSLAY_CODE_UNSUPPORTED_DATA,
					(const uint8_t *)"text only", 9);
}

static const struct wslay_event_callbacks callbacks = {
    .recv_callback = give_input,
    .send_callback = take_output,
    .on_msg_recv_callback = message_came,
};

int websocket_handshake(const struct http_exchange *exchange, struct buffer *answer)
{
	static const struct text guid = TEXT("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	uint8_t digest[SHA_DIGEST_LENGTH];
	struct text key = http_exchange_field(exchange, TEXT("sec-websocket-key"));
	struct buffer raw ATTR_BUFFER = {0};
	if (!text_equal(http_exchange_method(exchange), TEXT("GET")) ||
	    !http_fields_list(exchange->fields, exchange->n_fields, TEXT("upgrade"),
			      TEXT("websocket")) ||
	    !http_fields_list(exchange->fields, exchange->n_fields, TEXT("connection"),
			      TEXT("upgrade")) ||
	    !text_equal(http_exchange_field(exchange, TEXT("sec-websocket-version")), TEXT("13")) ||
	    http_exchange_count(exchange, TEXT("sec-websocket-key")) != 1 ||
	    decode_base64(&raw, key) || raw.size != 16)
		return 1;
	buffer_clear(&raw);
	buffer_append_text(&raw, key);
	buffer_append_text(&raw, guid);
	if (buffer_check(&raw) < 0)
		return 1;
	SHA1(raw.data, raw.size, digest);
	buffer_append_text(answer, TEXT("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
					"Connection: Upgrade\r\nSec-WebSocket-Accept: "));
	encode_base64(answer, (struct bytes){digest, sizeof(digest)});
	buffer_append_text(answer, TEXT("\r\n\r\n"));
	return buffer_check(answer) < 0 ? 1 : 0;
}

int websocket_new(struct websocket **out, uint32_t message_limit,
		  const struct websocket_events *events, void *owner)
{
	struct websocket *socket = calloc(1, sizeof(*socket));
	if (!socket || wslay_event_context_server_init(&socket->frames, &callbacks, socket)) {
		free(socket);
		return error_origin(-ENOMEM);
	}
	wslay_event_config_set_max_recv_msg_length(socket->frames, message_limit);
	socket->events = events;
	socket->owner = owner;
	*out = socket;
	return 0;
}

void websocket_free(struct websocket *socket)
{
	if (!socket)
		return;
	wslay_event_context_free(socket->frames);
	free(socket);
}

static void end(struct websocket *socket)
{
	if (socket->is_over)
		return;
	socket->is_over = true;
	socket->events->on_over(socket->owner);
}

static void pump(struct websocket *socket)
{
	wslay_event_send(socket->frames);
	if (wslay_event_get_close_sent(socket->frames) &&
	    (wslay_event_get_close_received(socket->frames) ||
	     !wslay_event_get_read_enabled(socket->frames)))
		end(socket);
}

int websocket_input(struct websocket *socket, struct buffer *input)
{
	socket->has_heard = true;
	socket->input = buffer_bytes(input);
	int r = wslay_event_recv(socket->frames);
	buffer_drop_front(input, input->size - socket->input.size);
	pump(socket); /* pongs, and the close that answers a broken rule */
	if (!wslay_event_get_read_enabled(socket->frames))
		buffer_clear(input);
	return r == 0 ? 0 : -EPROTO;
}

static void ask(struct websocket *socket)
{
	static const struct wslay_event_msg ping = {.opcode = WSLAY_PING};
	socket->has_asked = true;
	if (wslay_event_queue_msg(socket->frames, &ping) == 0)
		pump(socket);
}

int websocket_tick(struct websocket *socket, uint64_t now_ms, uint64_t silence_ms, bool waits)
{
	bool closed = wslay_event_get_close_sent(socket->frames);
	if (closed && socket->closed_ms == 0)
		socket->closed_ms = now_ms;
	else if (closed && now_ms - socket->closed_ms > HTTP_LINGER_MS)
		end(socket);
	if (socket->has_heard || waits || socket->heard_ms == 0) {
		socket->heard_ms = now_ms;
		socket->has_heard = socket->has_asked = false;
	}
	if (now_ms - socket->heard_ms > silence_ms)
		return -ETIMEDOUT;
	if (!closed && !socket->has_asked && now_ms - socket->heard_ms > silence_ms / 2)
		ask(socket);
	return 0;
}

void websocket_send(struct websocket *socket, struct text message)
{
	struct wslay_event_msg frame = {WSLAY_TEXT_FRAME, (const uint8_t *)message.data,
					message.size};
	if (wslay_event_queue_msg(socket->frames, &frame) == 0)
		pump(socket);
}

void websocket_close(struct websocket *socket, uint16_t code, const char *reason)
{
	wslay_event_queue_close(socket->frames, code, (const uint8_t *)reason, strlen(reason));
	pump(socket);
}
