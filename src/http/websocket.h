/* Frames of a WebSocket (RFC 6455), server side; the only caller of wslay. It moves bytes between
 * its owner and buffers, and touches no descriptor. */
#pragma once

#include "http/server.h"

struct websocket;

struct websocket_events {
	void (*on_message)(void *owner, struct text message); /* text, UTF-8 checked */
	void (*on_output)(void *owner, struct bytes bytes);
	void (*on_over)(
	    void *owner); /* both sides have closed, or the peer broke the rules and was told */
};

/* Appends the answer that accepts the upgrade. 1 if the request does not ask properly for one. */
int websocket_handshake(const struct http_exchange *exchange, struct buffer *answer);

int websocket_new(struct websocket **socket, uint32_t message_limit,
		  const struct websocket_events *events, void *owner) ATTR_MUST_CHECK;
void websocket_free(struct websocket *socket);

/* Uses up `input`. Negative: nothing more will come of it. */
int websocket_input(struct websocket *socket, struct buffer *input);
/* From time to time. Asks a silent peer whether it is there, and stops waiting for its Close.
 * `waits`: the peer takes nothing, so that its silence says nothing. -ETIMEDOUT: it is gone. */
int websocket_tick(struct websocket *socket, uint64_t now_ms, uint64_t silence_ms, bool waits);
void websocket_send(struct websocket *socket, struct text message);
void websocket_close(struct websocket *socket, uint16_t code, const char *reason);
