/* worker <-> stream: what operations print. The worker appends and is told, in order, what is
 * durable. It keeps what is not acknowledged and appends it again on a new channel; `sequence`
 * tells repeats. */
#pragma once

#include "proto/event.h"
#include "wire/channel.h"

enum worker_stream_type {
	WORKER_STREAM_APPEND = 1, /* worker: struct event_append */
	WORKER_STREAM_APPENDED,   /* stream: struct event_appended */
	WORKER_STREAM_TYPES
};

extern const struct protocol worker_stream_protocol;
