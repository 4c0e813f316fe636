#include "engine/stream/event_record.h"

#include "base/error.h"

#include <errno.h>

#define FIELD(kind, member, limit) WIRE_FIELD(struct event_record, kind, member, limit)
static const struct wire_field fields[] = {
    FIELD(WIRE_U8, type, 0),
    FIELD(WIRE_U8, stream, 0),
    FIELD(WIRE_BOOL, utf8, 0),
    FIELD(WIRE_I64, time_ms, 0),
    FIELD(WIRE_UUID, workspace, 0),
    FIELD(WIRE_UUID, project, 0),
    FIELD(WIRE_UUID, operation, 0),
    FIELD(WIRE_UUID, message, 0),
    FIELD(WIRE_BOOL, started, 0),
    FIELD(WIRE_U32, chunks, 0),
    FIELD(WIRE_TEXT, correlation, CORRELATION_LIMIT),
    FIELD(WIRE_TEXT, stream_name, STREAM_NAME_LIMIT),
    FIELD(WIRE_BYTES, data, EVENT_DATA_LIMIT),
};
#undef FIELD

static const struct wire_struct description = WIRE_STRUCT(event_record, fields);

struct event_record event_record_of(const struct event_append *append, const struct order *order)
{
	return (struct event_record){
	    .type = append->type,
	    .stream = append->stream,
	    .utf8 = text_is_utf8(bytes_text(append->data)),
	    .time_ms = append->time_ms,
	    .workspace = append->workspace,
	    .project = append->project,
	    .operation = append->operation,
	    .message = append->message,
	    .started = order->started,
	    .chunks = order->chunks,
	    .correlation = append->correlation,
	    .stream_name = append->stream_name,
	    .data = append->data,
	};
}

struct order event_record_order(const struct event_record *record)
{
	struct order order = {.stage = record->started ? ORDER_STARTED : ORDER_QUEUED,
			      .started = record->started,
			      .chunks = record->chunks};
	if (event_is_terminal(record->type)) {
		order.stage = ORDER_ENDED;
		order.terminal = record->type;
	}
	return order;
}

int event_record_encode(const struct event_record *record, struct buffer *out)
{
	return error_trace(wire_encode(&description, record, out));
}

int event_record_decode(struct bytes bytes, struct arena *arena, struct event_record *record)
{
	struct event_record decoded;
	int r = wire_decode(&description, bytes, arena, &decoded);
	if (r < 0)
		return error_trace(r);
	if (decoded.type >= EVENT_TYPES || decoded.stream >= EVENT_STREAMS)
		return error_origin(-EBADMSG);
	*record = decoded;
	return 0;
}
