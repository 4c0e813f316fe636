/* worker <-> agent. The agent lives inside the tenant's walls: everything that it sends is hostile,
 * is checked against this table, and only ever concerns its own project. A bad frame ends the
 * instance.
 *
 * Output is paid for: an operation starts with AGENT_CREDIT bytes, the worker adds CREDIT when
 * output is durable, and without credit the agent stops reading the command's pipe. The frame that
 * overdraws ends the instance.
 *
 * The agent is PID 1, uid and gid 1000, in /project, with nothing but this channel as descriptor 3
 * and /dev/null as 0 to 2; the worker has confined it before (no capability, no_new_privs, seccomp,
 * Landlock). It shares its uid with the tenant's commands and therefore makes itself undumpable
 * before anything else. HOME is /home/user. */
#pragma once

#include "proto/operation.h"
#include "proto/outcome.h"
#include "wire/channel.h"

enum { AGENT_CREDIT = 1 << 20, AGENT_OPERATIONS_MAX = 256 };

enum worker_agent_type {
	WORKER_AGENT_RUN = 1, /* worker; descriptor [0] the body's pipe, if body is not BODY_NONE */
	WORKER_AGENT_CANCEL,  /* worker: TERM, then KILL after kill_after_ms; ends as FINISHED with
				 `outcome` */
	WORKER_AGENT_INPUT,   /* worker */
	WORKER_AGENT_SIGNAL,  /* worker */
	WORKER_AGENT_RESIZE,  /* worker */
	WORKER_AGENT_BODY_END, /* worker */
	WORKER_AGENT_CREDIT,   /* worker */
	WORKER_AGENT_STOP,     /* worker: end all processes, exit 0 */
	WORKER_AGENT_READY,    /* agent: once, when it can take operations */
	WORKER_AGENT_STARTED,  /* agent: once per operation, before any other word about it */
	WORKER_AGENT_OPENED,   /* agent */
	WORKER_AGENT_OUTPUT,   /* agent */
	WORKER_AGENT_FINISHED, /* agent: last word about an operation; its output has been sent
				  before */
	WORKER_AGENT_IDLE,     /* agent: number of processes left from background commands, when it
				  changes */
	WORKER_AGENT_TYPES
};

struct worker_agent_run {
	struct uuid operation;
	uint8_t kind;
	struct bytes input; /* struct operation_input, encoded by control */
	uint8_t body;       /* enum body_direction */
	uint64_t body_size;
	struct wire_list environment; /* of struct wire_pair */
};

struct worker_agent_cancel {
	struct uuid operation;
	uint8_t outcome;
	uint32_t kill_after_ms;
};

struct worker_agent_input {
	struct uuid operation;
	struct bytes data;
	bool eof;
};

struct worker_agent_signal {
	struct uuid operation;
	uint8_t number;
};

struct worker_agent_resize {
	struct uuid operation;
	uint16_t cols, rows;
};

struct worker_agent_body_end {
	struct uuid operation;
	bool whole;
	uint64_t size;
};

struct worker_agent_credit {
	struct uuid operation;
	uint32_t bytes;
};

struct worker_agent_operation { /* STARTED; STOP and READY with a zero operation */
	struct uuid operation;
};

struct worker_agent_opened {
	struct uuid operation;
	bool has_size;
	uint64_t size;
	uint64_t offset, length;
	struct text etag;
	int64_t modified_ms;
	uint32_t mode;
	struct bytes content;
	bool inline_content;
};

struct worker_agent_output {
	struct uuid operation;
	uint8_t stream;    /* enum event_stream */
	struct bytes data; /* at most EVENT_CHUNK_LIMIT; the agent never splits a UTF-8 character */
};

struct worker_agent_finished {
	struct uuid operation;
	uint8_t outcome;
	struct bytes result; /* JSON */
	struct text detail;
	uint64_t cpu_us, memory_peak_bytes, written_bytes;
	bool killed; /* the command was ended by a SIGKILL that was not the agent's: the worker
			looks whether memory ran out */
};

struct worker_agent_idle {
	uint32_t processes;
};

extern const struct protocol worker_agent_protocol;
