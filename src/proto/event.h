/* An event as it travels between roles and lies in the log. What a client sees (API.md, "Events")
 * is written from it by the gateway; `data` is, for a chunk, the raw bytes that were printed, and
 * for all other types the JSON of the event's `data` member, written by control. */
#pragma once

#include "wire/codec.h"

enum event_type {
	EVENT_QUEUED,
	EVENT_STARTED,
	EVENT_CHUNK,
	EVENT_COMPLETED,
	EVENT_FAILED,
	EVENT_TYPES
};

enum event_stream {
	EVENT_STDOUT,
	EVENT_STDERR,
	EVENT_PTY,
	EVENT_RESULT,
	EVENT_LOG,
	EVENT_MESSAGE, /* of a named stream: `data` is the JSON value that was published */
	EVENT_STREAMS
};

extern const char *const event_type_names[EVENT_TYPES];
extern const char *const event_stream_names[EVENT_STREAMS];

enum {
	EVENT_DATA_LIMIT = 3 << 20,
	EVENT_CHUNK_LIMIT =
	    64 << 10, /* of a chunk's data; producers split, never inside a UTF-8 character */
	CORRELATION_LIMIT = 255,
	STREAM_NAME_LIMIT = 64,
	CURSOR_TEXT_LIMIT = 64,
};

static inline bool event_is_terminal(uint8_t type)
{
	return type == EVENT_COMPLETED || type == EVENT_FAILED;
}

/* What a producer hands to the log. */
struct event_append {
	uint64_t token; /* the producer's; comes back in the acknowledgement */
	uint8_t type;   /* enum event_type */
	uint8_t stream; /* enum event_stream, of a chunk */
	int64_t time_ms;
	struct uuid workspace;
	struct uuid project;
	struct uuid operation; /* zero for a message of a named stream */
	struct uuid message;   /* identifies a named stream's message, so that a repeated append is
				  told; zero otherwise */
	uint32_t sequence; /* of chunks within the operation, from 1, dense: a repeated append is
			      told by it */
	struct text correlation; /* may be empty */
	struct text stream_name; /* empty but for a named stream */
	struct bytes data;
};

enum event_append_status {
	EVENT_APPENDED, /* durable */
	EVENT_ALREADY,  /* was there before; durable; not written again */
	EVENT_REFUSED, /* would break the order of the operation: after its terminal event, or a gap
			  in `sequence` */
	EVENT_NO_SPACE, /* not written; try again later */
};

struct event_appended {
	uint64_t token;
	uint8_t status; /* enum event_append_status */
	uint64_t position;
};

/* What a reader is handed. */
struct event_delivered {
	struct text cursor; /* opaque, as the client sees it */
	uint8_t type;
	uint8_t stream;
	bool utf8; /* `data` of a chunk is well-formed UTF-8 */
	int64_t time_ms;
	struct uuid workspace;
	struct uuid project;
	struct uuid operation;
	struct text correlation;
	struct text stream_name;
	struct bytes data;
};

/* What an event takes of a reader's credit (gateway_stream.h): both ends count alike. */
enum { EVENT_OVERHEAD = 256 };

static inline uint64_t event_cost(const struct event_delivered *event)
{
	return event->data.size + EVENT_OVERHEAD;
}

extern const struct wire_struct event_append_struct;
extern const struct wire_struct event_appended_struct;
extern const struct wire_struct event_delivered_struct;
