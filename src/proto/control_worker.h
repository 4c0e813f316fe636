/* control <-> worker: operations to run in the instances of projects.
 *
 *   RUN  ->  STARTED  ->  [OPENED]  ->  FINISHED  ->  FORGET
 *
 * The worker keeps a finished operation until FORGET, so that nothing is lost when control dies in
 * between: on a new channel control sends INVENTORY, the worker answers with one HOLDING for each
 * operation it has (running or finished and not forgotten), closed by HOLDING with a zero
 * operation, and sends FINISHED again for the finished ones. FINISHED is sent only when all output
 * of the operation is durable in the event log. Every HOLDING carries the number that the worker
 * process chose when it started: control sends RUN again, for an operation that is not held, only
 * to the very process that it had sent it to before (the first RUN then died with the channel);
 * with any other process it ends as worker_lost. A RUN for an operation that the worker holds is
 * therefore a repeat, and is ignored.
 *
 * fs.read with BODY_OUT: OPENED is sent whatever offset and length ask for (length 0 when nothing
 * is left; offset UINT64_MAX: the last `length` bytes); conditions and ranges are answered by
 * control from it. When the reader of the pipe has gone away the operation completes all the same.
 * With BODY_IN the pipe's end is not the upload's end: BODY_END says whether it was whole.
 *
 * The worker writes an operation's `started` event (sequence 0) and its chunks (from 1); control
 * writes `queued`, has it acknowledged before it sends RUN, and writes the terminal event after
 * FINISHED: so the order in the log holds. */
#pragma once

#include "proto/operation.h"
#include "proto/outcome.h"
#include "wire/channel.h"

enum control_worker_type {
	CONTROL_WORKER_RUN = 1,  /* control; descriptors: [0] the body's pipe, if has_pipe */
	CONTROL_WORKER_CANCEL,   /* control: ends it with `outcome` */
	CONTROL_WORKER_INPUT,    /* control: standard input */
	CONTROL_WORKER_SIGNAL,   /* control */
	CONTROL_WORKER_RESIZE,   /* control */
	CONTROL_WORKER_BODY_END, /* control: the upload through the pipe is whole, or was broken off
				  */
	CONTROL_WORKER_FORGET,   /* control: FINISHED is durable */
	CONTROL_WORKER_INVENTORY,       /* control */
	CONTROL_WORKER_PROJECT_DELETE,  /* control: ends its instance, then removes its files */
	CONTROL_WORKER_STARTED,         /* worker */
	CONTROL_WORKER_OPENED,          /* worker: a streamed answer begins: its head */
	CONTROL_WORKER_FINISHED,        /* worker */
	CONTROL_WORKER_HOLDING,         /* worker */
	CONTROL_WORKER_PROJECT_DELETED, /* worker */
	CONTROL_WORKER_STATUS, /* worker: what it can do and has; on a new channel and when it
				  changes */
	CONTROL_WORKER_TYPES
};

enum body_direction { BODY_NONE, BODY_IN, BODY_OUT };

struct control_worker_run {
	struct uuid operation;
	struct uuid workspace;
	struct uuid project;
	struct text correlation;
	uint8_t kind;          /* enum operation_kind */
	struct bytes input;    /* struct operation_input, encoded: the worker passes it on unread */
	uint8_t body;          /* enum body_direction of the pipe that comes with it */
	uint64_t body_size;    /* of BODY_IN; UINT64_MAX if it is not known */
	uint64_t memory_bytes; /* limits of the instance; 0: the worker's default */
	uint32_t cpu_percent;  /* 100 is one core */
	uint32_t pids;
	uint64_t output_bytes;        /* of this operation at most; 0: no limit */
	struct wire_list environment; /* of struct wire_pair: the project's */
	int64_t
	    created_ms; /* when the operation was accepted: for `queuedMs` of its `started` event */
};

struct control_worker_cancel {
	struct uuid operation;
	uint8_t outcome; /* OUTCOME_CANCELLED or OUTCOME_TIMEOUT */
};

struct control_worker_input {
	struct uuid operation;
	struct bytes data;
	bool eof;
};

struct control_worker_signal {
	struct uuid operation;
	uint8_t number;
};

struct control_worker_resize {
	struct uuid operation;
	uint16_t cols, rows;
};

struct control_worker_body_end {
	struct uuid operation;
	bool whole;
	uint64_t size;
};

struct control_worker_operation { /* FORGET, INVENTORY (operation unused) */
	struct uuid operation;
};

struct control_worker_project {
	struct uuid project;
	uint8_t status; /* of PROJECT_DELETED: 0 done */
};

struct control_worker_started {
	struct uuid operation;
	struct uuid runtime;
	int64_t time_ms;
};

struct control_worker_opened {
	struct uuid operation;
	bool has_size;
	uint64_t size;           /* of the whole file */
	uint64_t offset, length; /* of what will come */
	struct text etag;
	int64_t modified_ms;
	uint32_t mode;
	struct bytes content; /* all of what will come, when it is small: then nothing comes through
				 the pipe */
	bool inline_content;
};

struct control_worker_finished {
	struct uuid operation;
	uint8_t outcome;     /* enum outcome */
	struct bytes result; /* JSON by the agent: hostile until control has parsed it */
	struct text detail;  /* of a failure: for people; foreign text */
	int64_t time_ms;
	uint32_t chunks; /* written to the event log; the next sequence is chunks + 1 */
	uint64_t cpu_us, memory_peak_bytes, output_bytes, written_bytes;
};

struct control_worker_holding {
	struct uuid operation;
	bool finished;
	struct uuid worker; /* this worker process's own number, in the closing HOLDING too: what it
			       never held it never ran */
	struct uuid runtime; /* of what has started */
	int64_t started_ms;  /* 0: not yet */
};

struct control_worker_status {
	bool ready;
	struct text detail; /* why it is not, or what is missing */
	uint32_t instances;
	uint32_t capacity; /* instances that it takes at most */
};

extern const struct protocol control_worker_protocol;
