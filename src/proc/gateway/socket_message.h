/* What a client says on its WebSocket (openapi.yaml, /v1/ws): one JSON object a message, hostile.
 * Parsed strictly by a table of the members that each type may have. */
#pragma once

#include "proto/event.h"
#include "json/document.h"

enum { SOCKET_MESSAGE_LIMIT = 1 << 20, SOCKET_ID_LIMIT = 64 };

enum socket_message_type {
	SOCKET_SUBSCRIBE,
	SOCKET_UNSUBSCRIBE,
	SOCKET_INPUT,
	SOCKET_SIGNAL,
	SOCKET_RESIZE,
	SOCKET_PING,
	SOCKET_MESSAGE_TYPES
};

/* Texts lie in the document or in the arena. Those that were not there have data NULL. */
struct socket_message {
	struct text type_name;
	enum socket_message_type type;
	struct text id;
	struct text operation, correlation, project, stream, cursor, from;
	struct text data, data_base64, signal;
	bool eof;
	uint64_t cols, rows;
};

/* The outcomes of socket_message_parse(). */
enum {
	SOCKET_MESSAGE_BROKEN =
	    1, /* no JSON object with a known `type`: the connection cannot go on */
	SOCKET_MESSAGE_REFUSED, /* understood but not valid: an answer with `message->id` is due */
};

/* 0, one of the outcomes with `error`, or -ENOMEM. The texts of `message` live as long as
 * `document` and `arena`. */
int socket_message_parse(struct bytes json, struct arena *arena, struct document **document,
			 struct socket_message *message,
			 struct document_error *error) ATTR_MUST_CHECK;

/* The body of the call that an input, signal or resize stands for. */
void socket_message_body(const struct socket_message *message, struct buffer *out);
