#include "proto/gateway_stream.h"

static const struct wire_field number_fields[] = {{"reader", WIRE_U64, 0, 0, NULL}};
const struct wire_struct gateway_stream_reader_number = {"reader", sizeof(uint64_t), number_fields,
							 1};

static const struct wire_field credit_fields[] = {
    WIRE_FIELD(struct gateway_stream_credit, WIRE_U64, reader, 0),
    WIRE_FIELD(struct gateway_stream_credit, WIRE_U32, bytes, 0),
};

static const struct wire_field close_fields[] = {
    WIRE_FIELD(struct gateway_stream_close, WIRE_U64, reader, 0),
};

static const struct wire_field opened_fields[] = {
    WIRE_FIELD(struct gateway_stream_opened, WIRE_U64, reader, 0),
    WIRE_FIELD(struct gateway_stream_opened, WIRE_U8, verdict, 0),
    WIRE_FIELD(struct gateway_stream_opened, WIRE_TEXT, oldest, CURSOR_TEXT_LIMIT),
};

static const struct wire_field deliver_fields[] = {
    WIRE_FIELD_LIST(struct gateway_stream_deliver, readers, 4096, &gateway_stream_reader_number),
    WIRE_FIELD_LIST(struct gateway_stream_deliver, events, 4096, &event_delivered_struct),
    WIRE_FIELD(struct gateway_stream_deliver, WIRE_BOOL, at_end, 0),
    WIRE_FIELD(struct gateway_stream_deliver, WIRE_TEXT, position, CURSOR_TEXT_LIMIT),
};

static const struct wire_field ended_fields[] = {
    WIRE_FIELD(struct gateway_stream_ended, WIRE_U64, reader, 0),
    WIRE_FIELD(struct gateway_stream_ended, WIRE_U8, verdict, 0),
    WIRE_FIELD(struct gateway_stream_ended, WIRE_TEXT, oldest, CURSOR_TEXT_LIMIT),
};

static const struct wire_struct credit = WIRE_STRUCT(gateway_stream_credit, credit_fields);
static const struct wire_struct closing = WIRE_STRUCT(gateway_stream_close, close_fields);
static const struct wire_struct opened = WIRE_STRUCT(gateway_stream_opened, opened_fields);
static const struct wire_struct deliver = WIRE_STRUCT(gateway_stream_deliver, deliver_fields);
static const struct wire_struct ended = WIRE_STRUCT(gateway_stream_ended, ended_fields);

static const struct wire_struct *const messages[GATEWAY_STREAM_TYPES] = {
    [GATEWAY_STREAM_CREDIT] = &credit, [GATEWAY_STREAM_CLOSE] = &closing,
    [GATEWAY_STREAM_OPENED] = &opened, [GATEWAY_STREAM_DELIVER] = &deliver,
    [GATEWAY_STREAM_ENDED] = &ended,
};

const struct protocol gateway_stream_protocol = {"gateway-stream", 1, messages,
						 GATEWAY_STREAM_TYPES};
