/* Server-sent events, read as they come in pieces (WHATWG HTML, "Interpreting an event stream"). */
#pragma once

#include "base/buffer.h"

enum { SSE_LINE_LIMIT = 8 << 20 };

struct sse_event {
	struct text id; /* the last one seen, also when this event had none */
	struct text type;
	struct text data;
};

struct sse_parser {
	struct buffer line; /* what has come of a line that is not over */
	struct buffer id, type, data;
	bool has_data;
	bool after_cr;
	bool begun; /* past the place of a byte order mark */
	void (*on_event)(void *owner, const struct sse_event *event);
	void *owner;
};

/* -EMSGSIZE past the limit of a line or an event; the stream is of no use then. */
int sse_parser_feed(struct sse_parser *parser, struct bytes piece) ATTR_MUST_CHECK;

/* For a new connection: what was not dispatched is dropped, the last id stays. */
void sse_parser_restart(struct sse_parser *parser);
void sse_parser_free(struct sse_parser *parser);
