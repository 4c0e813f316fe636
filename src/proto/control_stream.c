#include "proto/control_stream.h"

#define FIELD(kind, member, limit)                                                                 \
	WIRE_FIELD(struct control_stream_reader_open, kind, member, limit)
static const struct wire_field reader_open_fields[] = {
    FIELD(WIRE_U16, gateway, 0),
    FIELD(WIRE_U64, reader, 0),
    FIELD(WIRE_U8, scope, 0),
    FIELD(WIRE_UUID, workspace, 0),
    FIELD(WIRE_UUID, project, 0),
    FIELD(WIRE_UUID, operation, 0),
    FIELD(WIRE_TEXT, name, CORRELATION_LIMIT),
    FIELD(WIRE_U8, start, 0),
    FIELD(WIRE_BYTES, cursor, 4096),
    FIELD(WIRE_U32, types, 0),
    FIELD(WIRE_UUID, key, 0),
};
#undef FIELD

static const struct wire_field reader_stop_fields[] = {
    WIRE_FIELD(struct control_stream_reader_stop, WIRE_UUID, key, 0),
    WIRE_FIELD(struct control_stream_reader_stop, WIRE_UUID, project, 0),
};

static const struct wire_field forget_fields[] = {
    WIRE_FIELD(struct control_stream_forget, WIRE_UUID, workspace, 0),
    WIRE_FIELD(struct control_stream_forget, WIRE_UUID, project, 0),
};

static const struct wire_field figures_fields[] = {
    WIRE_FIELD_LIST(struct control_stream_figures, figures, 64, &wire_pair_element),
};

static const struct wire_struct reader_open =
    WIRE_STRUCT(control_stream_reader_open, reader_open_fields);
static const struct wire_struct reader_stop =
    WIRE_STRUCT(control_stream_reader_stop, reader_stop_fields);
static const struct wire_struct forget = WIRE_STRUCT(control_stream_forget, forget_fields);
static const struct wire_struct figures = WIRE_STRUCT(control_stream_figures, figures_fields);

static const struct wire_struct *const messages[CONTROL_STREAM_TYPES] = {
    [CONTROL_STREAM_APPEND] = &event_append_struct,
    [CONTROL_STREAM_APPENDED] = &event_appended_struct,
    [CONTROL_STREAM_READER_OPEN] = &reader_open,
    [CONTROL_STREAM_READER_STOP] = &reader_stop,
    [CONTROL_STREAM_FORGET] = &forget,
    [CONTROL_STREAM_FIGURES] = &figures,
};

const struct protocol control_stream_protocol = {"control-stream", 1, messages,
						 CONTROL_STREAM_TYPES};
