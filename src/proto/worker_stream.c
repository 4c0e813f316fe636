#include "proto/worker_stream.h"

static const struct wire_struct *const messages[WORKER_STREAM_TYPES] = {
    [WORKER_STREAM_APPEND] = &event_append_struct,
    [WORKER_STREAM_APPENDED] = &event_appended_struct,
};

const struct protocol worker_stream_protocol = {"worker-stream", 1, messages, WORKER_STREAM_TYPES};
