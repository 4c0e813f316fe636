/* gateway <-> stream: readers that control has admitted (control_stream.h).
 *
 *   OPENED  ->  DELIVER ...  ->  ENDED, or CLOSE by the gateway
 *
 * A reader starts with no credit; the gateway grants bytes as its client takes them, and the stream
 * role sends no more than was granted (one event more at the most: it sends while what is left of
 * the credit is above zero, and takes event_cost() off). A reader without credit costs the stream
 * role its cursor and nothing else. One DELIVER may serve several readers that stand at the same
 * place. */
#pragma once

#include "proto/control_stream.h"

enum gateway_stream_type {
	GATEWAY_STREAM_CREDIT = 1, /* gateway */
	GATEWAY_STREAM_CLOSE,      /* gateway */
	GATEWAY_STREAM_OPENED,     /* stream */
	GATEWAY_STREAM_DELIVER,    /* stream */
	GATEWAY_STREAM_ENDED,      /* stream: no more will come */
	GATEWAY_STREAM_TYPES
};

enum reader_verdict {
	READER_OPEN,
	READER_BAD_CURSOR,  /* 400 invalid_cursor: forged, of another project, or of the future */
	READER_EXPIRED,     /* 410 cursor_expired; `oldest` is where the scope begins now */
	READER_TOO_MANY,    /* 429: limit of readers */
	READER_WITHDRAWN,   /* 401: the right to read is gone */
	READER_UNAVAILABLE, /* 503: the log cannot be read */
	READER_COMPLETE, /* in ENDED: the position is behind the operation's terminal event; nothing
			    will ever come */
};

struct gateway_stream_credit {
	uint64_t reader;
	uint32_t bytes; /* granted in addition */
};

struct gateway_stream_close {
	uint64_t reader;
};

struct gateway_stream_opened {
	uint64_t reader;
	uint8_t verdict; /* enum reader_verdict */
	struct text oldest;
};

struct gateway_stream_deliver {
	struct wire_list readers; /* of uint64_t (gateway_stream_reader_number) */
	struct wire_list events;  /* of struct event_delivered; empty to tell `at_end` alone */
	bool at_end;              /* there is nothing behind these now */
	struct text position;     /* cursor that resumes behind these events, also where the filter
				     passed over some */
};

struct gateway_stream_ended {
	uint64_t reader;
	uint8_t verdict;
	struct text oldest;
};

extern const struct wire_struct gateway_stream_reader_number;
extern const struct protocol gateway_stream_protocol;
