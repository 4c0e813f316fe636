#include "proto/event.h"

const char *const event_type_names[EVENT_TYPES] = {
    [EVENT_QUEUED] = "queued",       [EVENT_STARTED] = "started", [EVENT_CHUNK] = "chunk",
    [EVENT_COMPLETED] = "completed", [EVENT_FAILED] = "failed",
};

const char *const event_stream_names[EVENT_STREAMS] = {
    [EVENT_STDOUT] = "stdout", [EVENT_STDERR] = "stderr", [EVENT_PTY] = "pty",
    [EVENT_RESULT] = "result", [EVENT_LOG] = "log",       [EVENT_MESSAGE] = "message",
};

#define FIELD(kind, member, limit) WIRE_FIELD(struct event_append, kind, member, limit)
static const struct wire_field append_fields[] = {
    FIELD(WIRE_U64, token, 0),
    FIELD(WIRE_U8, type, 0),
    FIELD(WIRE_U8, stream, 0),
    FIELD(WIRE_I64, time_ms, 0),
    FIELD(WIRE_UUID, workspace, 0),
    FIELD(WIRE_UUID, project, 0),
    FIELD(WIRE_UUID, operation, 0),
    FIELD(WIRE_UUID, message, 0),
    FIELD(WIRE_U32, sequence, 0),
    FIELD(WIRE_TEXT, correlation, CORRELATION_LIMIT),
    FIELD(WIRE_TEXT, stream_name, STREAM_NAME_LIMIT),
    FIELD(WIRE_BYTES, data, EVENT_DATA_LIMIT),
};
#undef FIELD

static const struct wire_field appended_fields[] = {
    WIRE_FIELD(struct event_appended, WIRE_U64, token, 0),
    WIRE_FIELD(struct event_appended, WIRE_U8, status, 0),
    WIRE_FIELD(struct event_appended, WIRE_U64, position, 0),
};

#define FIELD(kind, member, limit) WIRE_FIELD(struct event_delivered, kind, member, limit)
static const struct wire_field delivered_fields[] = {
    FIELD(WIRE_TEXT, cursor, CURSOR_TEXT_LIMIT),
    FIELD(WIRE_U8, type, 0),
    FIELD(WIRE_U8, stream, 0),
    FIELD(WIRE_BOOL, utf8, 0),
    FIELD(WIRE_I64, time_ms, 0),
    FIELD(WIRE_UUID, workspace, 0),
    FIELD(WIRE_UUID, project, 0),
    FIELD(WIRE_UUID, operation, 0),
    FIELD(WIRE_TEXT, correlation, CORRELATION_LIMIT),
    FIELD(WIRE_TEXT, stream_name, STREAM_NAME_LIMIT),
    FIELD(WIRE_BYTES, data, EVENT_DATA_LIMIT),
};
#undef FIELD

const struct wire_struct event_append_struct = WIRE_STRUCT(event_append, append_fields);
const struct wire_struct event_appended_struct = WIRE_STRUCT(event_appended, appended_fields);
const struct wire_struct event_delivered_struct = WIRE_STRUCT(event_delivered, delivered_fields);
