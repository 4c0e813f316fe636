#include "proto/control_worker.h"

#define FIELD(kind, member, limit) WIRE_FIELD(struct control_worker_run, kind, member, limit)
static const struct wire_field run_fields[] = {
    FIELD(WIRE_UUID, operation, 0),
    FIELD(WIRE_UUID, workspace, 0),
    FIELD(WIRE_UUID, project, 0),
    FIELD(WIRE_TEXT, correlation, 255),
    FIELD(WIRE_U8, kind, 0),
    FIELD(WIRE_BYTES, input, 3 << 20),
    FIELD(WIRE_U8, body, 0),
    FIELD(WIRE_U64, body_size, 0),
    FIELD(WIRE_U64, memory_bytes, 0),
    FIELD(WIRE_U32, cpu_percent, 0),
    FIELD(WIRE_U32, pids, 0),
    FIELD(WIRE_U64, output_bytes, 0),
    WIRE_FIELD_LIST(struct control_worker_run, environment, ENV_LIMIT, &wire_pair_element),
    FIELD(WIRE_I64, created_ms, 0),
};
#undef FIELD
static const struct wire_field cancel_fields[] = {
    WIRE_FIELD(struct control_worker_cancel, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct control_worker_cancel, WIRE_U8, outcome, 0),
};
static const struct wire_field input_fields[] = {
    WIRE_FIELD(struct control_worker_input, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct control_worker_input, WIRE_BYTES, data, INLINE_CONTENT_LIMIT),
    WIRE_FIELD(struct control_worker_input, WIRE_BOOL, eof, 0),
};
static const struct wire_field signal_fields[] = {
    WIRE_FIELD(struct control_worker_signal, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct control_worker_signal, WIRE_U8, number, 0),
};
static const struct wire_field resize_fields[] = {
    WIRE_FIELD(struct control_worker_resize, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct control_worker_resize, WIRE_U16, cols, 0),
    WIRE_FIELD(struct control_worker_resize, WIRE_U16, rows, 0),
};
static const struct wire_field body_end_fields[] = {
    WIRE_FIELD(struct control_worker_body_end, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct control_worker_body_end, WIRE_BOOL, whole, 0),
    WIRE_FIELD(struct control_worker_body_end, WIRE_U64, size, 0),
};
static const struct wire_field operation_fields[] = {
    WIRE_FIELD(struct control_worker_operation, WIRE_UUID, operation, 0),
};
static const struct wire_field project_fields[] = {
    WIRE_FIELD(struct control_worker_project, WIRE_UUID, project, 0),
    WIRE_FIELD(struct control_worker_project, WIRE_U8, status, 0),
};
static const struct wire_field started_fields[] = {
    WIRE_FIELD(struct control_worker_started, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct control_worker_started, WIRE_UUID, runtime, 0),
    WIRE_FIELD(struct control_worker_started, WIRE_I64, time_ms, 0),
};
#define FIELD(kind, member, limit) WIRE_FIELD(struct control_worker_opened, kind, member, limit)
static const struct wire_field opened_fields[] = {
    FIELD(WIRE_UUID, operation, 0),
    FIELD(WIRE_BOOL, has_size, 0),
    FIELD(WIRE_U64, size, 0),
    FIELD(WIRE_U64, offset, 0),
    FIELD(WIRE_U64, length, 0),
    FIELD(WIRE_TEXT, etag, 256),
    FIELD(WIRE_I64, modified_ms, 0),
    FIELD(WIRE_U32, mode, 0),
    FIELD(WIRE_BYTES, content, 256 << 10),
    FIELD(WIRE_BOOL, inline_content, 0),
};
#undef FIELD
#define FIELD(kind, member, limit) WIRE_FIELD(struct control_worker_finished, kind, member, limit)
static const struct wire_field finished_fields[] = {
    FIELD(WIRE_UUID, operation, 0),
    FIELD(WIRE_U8, outcome, 0),
    FIELD(WIRE_BYTES, result, OPERATION_RESULT_LIMIT),
    FIELD(WIRE_TEXT, detail, 1024),
    FIELD(WIRE_I64, time_ms, 0),
    FIELD(WIRE_U32, chunks, 0),
    FIELD(WIRE_U64, cpu_us, 0),
    FIELD(WIRE_U64, memory_peak_bytes, 0),
    FIELD(WIRE_U64, output_bytes, 0),
    FIELD(WIRE_U64, written_bytes, 0),
};
#undef FIELD
static const struct wire_field holding_fields[] = {
    WIRE_FIELD(struct control_worker_holding, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct control_worker_holding, WIRE_BOOL, finished, 0),
    WIRE_FIELD(struct control_worker_holding, WIRE_UUID, worker, 0),
    WIRE_FIELD(struct control_worker_holding, WIRE_UUID, runtime, 0),
    WIRE_FIELD(struct control_worker_holding, WIRE_I64, started_ms, 0),
};
static const struct wire_field status_fields[] = {
    WIRE_FIELD(struct control_worker_status, WIRE_BOOL, ready, 0),
    WIRE_FIELD(struct control_worker_status, WIRE_TEXT, detail, 1024),
    WIRE_FIELD(struct control_worker_status, WIRE_U32, instances, 0),
    WIRE_FIELD(struct control_worker_status, WIRE_U32, capacity, 0),
};

static const struct wire_struct run = WIRE_STRUCT(control_worker_run, run_fields);
static const struct wire_struct cancel = WIRE_STRUCT(control_worker_cancel, cancel_fields);
static const struct wire_struct input = WIRE_STRUCT(control_worker_input, input_fields);
static const struct wire_struct signalling = WIRE_STRUCT(control_worker_signal, signal_fields);
static const struct wire_struct resize = WIRE_STRUCT(control_worker_resize, resize_fields);
static const struct wire_struct body_end = WIRE_STRUCT(control_worker_body_end, body_end_fields);
static const struct wire_struct operation = WIRE_STRUCT(control_worker_operation, operation_fields);
static const struct wire_struct project = WIRE_STRUCT(control_worker_project, project_fields);
static const struct wire_struct started = WIRE_STRUCT(control_worker_started, started_fields);
static const struct wire_struct opened = WIRE_STRUCT(control_worker_opened, opened_fields);
static const struct wire_struct finished = WIRE_STRUCT(control_worker_finished, finished_fields);
static const struct wire_struct holding = WIRE_STRUCT(control_worker_holding, holding_fields);
static const struct wire_struct status = WIRE_STRUCT(control_worker_status, status_fields);

static const struct wire_struct *const messages[CONTROL_WORKER_TYPES] = {
    [CONTROL_WORKER_RUN] = &run,
    [CONTROL_WORKER_CANCEL] = &cancel,
    [CONTROL_WORKER_INPUT] = &input,
    [CONTROL_WORKER_SIGNAL] = &signalling,
    [CONTROL_WORKER_RESIZE] = &resize,
    [CONTROL_WORKER_BODY_END] = &body_end,
    [CONTROL_WORKER_FORGET] = &operation,
    [CONTROL_WORKER_INVENTORY] = &operation,
    [CONTROL_WORKER_PROJECT_DELETE] = &project,
    [CONTROL_WORKER_STARTED] = &started,
    [CONTROL_WORKER_OPENED] = &opened,
    [CONTROL_WORKER_FINISHED] = &finished,
    [CONTROL_WORKER_HOLDING] = &holding,
    [CONTROL_WORKER_PROJECT_DELETED] = &project,
    [CONTROL_WORKER_STATUS] = &status,
};

const struct protocol control_worker_protocol = {"control-worker", 1, messages,
						 CONTROL_WORKER_TYPES};
