#include "proto/worker_agent.h"

#include "proto/event.h"

static const struct wire_field run_fields[] = {
    WIRE_FIELD(struct worker_agent_run, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct worker_agent_run, WIRE_U8, kind, 0),
    WIRE_FIELD(struct worker_agent_run, WIRE_BYTES, input, 3 << 20),
    WIRE_FIELD(struct worker_agent_run, WIRE_U8, body, 0),
    WIRE_FIELD(struct worker_agent_run, WIRE_U64, body_size, 0),
    WIRE_FIELD_LIST(struct worker_agent_run, environment, ENV_LIMIT, &wire_pair_element),
};
static const struct wire_field cancel_fields[] = {
    WIRE_FIELD(struct worker_agent_cancel, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct worker_agent_cancel, WIRE_U8, outcome, 0),
    WIRE_FIELD(struct worker_agent_cancel, WIRE_U32, kill_after_ms, 0),
};
static const struct wire_field input_fields[] = {
    WIRE_FIELD(struct worker_agent_input, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct worker_agent_input, WIRE_BYTES, data, INLINE_CONTENT_LIMIT),
    WIRE_FIELD(struct worker_agent_input, WIRE_BOOL, eof, 0),
};
static const struct wire_field signal_fields[] = {
    WIRE_FIELD(struct worker_agent_signal, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct worker_agent_signal, WIRE_U8, number, 0),
};
static const struct wire_field resize_fields[] = {
    WIRE_FIELD(struct worker_agent_resize, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct worker_agent_resize, WIRE_U16, cols, 0),
    WIRE_FIELD(struct worker_agent_resize, WIRE_U16, rows, 0),
};
static const struct wire_field body_end_fields[] = {
    WIRE_FIELD(struct worker_agent_body_end, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct worker_agent_body_end, WIRE_BOOL, whole, 0),
    WIRE_FIELD(struct worker_agent_body_end, WIRE_U64, size, 0),
};
static const struct wire_field credit_fields[] = {
    WIRE_FIELD(struct worker_agent_credit, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct worker_agent_credit, WIRE_U32, bytes, 0),
};
static const struct wire_field operation_fields[] = {
    WIRE_FIELD(struct worker_agent_operation, WIRE_UUID, operation, 0),
};
#define FIELD(kind, member, limit) WIRE_FIELD(struct worker_agent_opened, kind, member, limit)
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
static const struct wire_field output_fields[] = {
    WIRE_FIELD(struct worker_agent_output, WIRE_UUID, operation, 0),
    WIRE_FIELD(struct worker_agent_output, WIRE_U8, stream, 0),
    WIRE_FIELD(struct worker_agent_output, WIRE_BYTES, data, EVENT_CHUNK_LIMIT),
};
#define FIELD(kind, member, limit) WIRE_FIELD(struct worker_agent_finished, kind, member, limit)
static const struct wire_field finished_fields[] = {
    FIELD(WIRE_UUID, operation, 0),
    FIELD(WIRE_U8, outcome, 0),
    FIELD(WIRE_BYTES, result, OPERATION_RESULT_LIMIT),
    FIELD(WIRE_TEXT, detail, 1024),
    FIELD(WIRE_U64, cpu_us, 0),
    FIELD(WIRE_U64, memory_peak_bytes, 0),
    FIELD(WIRE_U64, written_bytes, 0),
    FIELD(WIRE_BOOL, killed, 0),
};
#undef FIELD
static const struct wire_field idle_fields[] = {
    WIRE_FIELD(struct worker_agent_idle, WIRE_U32, processes, 0),
};

static const struct wire_struct run = WIRE_STRUCT(worker_agent_run, run_fields);
static const struct wire_struct cancel = WIRE_STRUCT(worker_agent_cancel, cancel_fields);
static const struct wire_struct input = WIRE_STRUCT(worker_agent_input, input_fields);
static const struct wire_struct signalling = WIRE_STRUCT(worker_agent_signal, signal_fields);
static const struct wire_struct resize = WIRE_STRUCT(worker_agent_resize, resize_fields);
static const struct wire_struct body_end = WIRE_STRUCT(worker_agent_body_end, body_end_fields);
static const struct wire_struct credit = WIRE_STRUCT(worker_agent_credit, credit_fields);
static const struct wire_struct operation = WIRE_STRUCT(worker_agent_operation, operation_fields);
static const struct wire_struct opened = WIRE_STRUCT(worker_agent_opened, opened_fields);
static const struct wire_struct output = WIRE_STRUCT(worker_agent_output, output_fields);
static const struct wire_struct finished = WIRE_STRUCT(worker_agent_finished, finished_fields);
static const struct wire_struct idle = WIRE_STRUCT(worker_agent_idle, idle_fields);

static const struct wire_struct *const messages[WORKER_AGENT_TYPES] = {
    [WORKER_AGENT_RUN] = &run,           [WORKER_AGENT_CANCEL] = &cancel,
    [WORKER_AGENT_INPUT] = &input,       [WORKER_AGENT_SIGNAL] = &signalling,
    [WORKER_AGENT_RESIZE] = &resize,     [WORKER_AGENT_BODY_END] = &body_end,
    [WORKER_AGENT_CREDIT] = &credit,     [WORKER_AGENT_STOP] = &operation,
    [WORKER_AGENT_READY] = &operation,   [WORKER_AGENT_STARTED] = &operation,
    [WORKER_AGENT_OPENED] = &opened,     [WORKER_AGENT_OUTPUT] = &output,
    [WORKER_AGENT_FINISHED] = &finished, [WORKER_AGENT_IDLE] = &idle,
};

const struct protocol worker_agent_protocol = {"worker-agent", 1, messages, WORKER_AGENT_TYPES};
