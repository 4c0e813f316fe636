/* An event as a record's data in the log. Besides what a reader is handed it carries where its
 * operation stood after it, so that the newest record of an operation tells all that the rules of
 * order (order.h) need. */
#pragma once

#include "engine/stream/order.h"

struct event_record {
	uint8_t type;
	uint8_t stream;
	bool utf8; /* the data are; found out once, when it was appended */
	int64_t time_ms;
	struct uuid workspace;
	struct uuid project;
	struct uuid operation;
	struct uuid message;
	bool started;    /* its operation was */
	uint32_t chunks; /* of its operation, this one included */
	struct text correlation;
	struct text stream_name;
	struct bytes data;
};

/* The record of an event that comes next; `order` is the operation's after it, and empty for a
 * message of a named stream. */
struct event_record event_record_of(const struct event_append *append, const struct order *order);

struct order event_record_order(const struct event_record *record);

int event_record_encode(const struct event_record *record, struct buffer *out) ATTR_MUST_CHECK;

/* Views into `bytes`. -EBADMSG, -ENOMEM. */
int event_record_decode(struct bytes bytes, struct arena *arena,
			struct event_record *record) ATTR_MUST_CHECK;
