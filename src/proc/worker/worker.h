/* The worker: runs the operations that control hands it, each in the instance of its project, and
 * brings what they print to the event log. It parses nothing that a tenant wrote but the agents'
 * framed messages.
 *
 * An operation is held from RUN until control's FORGET; what it printed is held until the stream
 * role has it on disk; both are told again on new channels. All memory that an operation can make
 * us hold is bounded by its credit. */
#pragma once

#include "base/map.h"
#include "launcher.h"
#include "output.h"
#include "proto/control_worker.h"
#include "proto/worker_agent.h"
#include "proto/worker_stream.h"
#include "role/role.h"

struct worker {
	struct role *role;
	struct loop *loop;
	struct uuid number; /* of this process: what another one was given, this one never ran */
	struct launcher *launcher;
	struct channel *control, *stream;
	struct loop_signal child;
	struct loop_timer sweep, prepare;
	int uid_claim; /* open as long as the process lives */
	int projects, trash;
	pid_t remover;      /* of what lies in the trash; 0: none */
	bool trash_is_full; /* something came while it was at work */
	unsigned n_slots;
	struct instance **slots;          /* by number; NULL: free */
	struct map instances;             /* by project */
	struct channel_budget unfinished; /* messages of all agents */
	struct map operations;            /* by id */
	struct list waiting;              /* operations for which no slot is free */
	struct output output;
	struct loop_deferred send_output;
	uint64_t retry_at_ms; /* of output that the log had no space for */
	bool agents_wait;     /* too much output is held: agents are not listened to */
	struct cgroup_limits limits;
	uint64_t idle_ms;
	bool stopping;
	uint64_t cancel_at_ms, stop_by_ms; /* while it stops */
	uint32_t kill_after_ms;            /* from TERM to KILL; less while it stops */
};

enum instance_state { INSTANCE_LIVES, INSTANCE_ENDS };

struct instance {
	struct map_node node;
	struct worker *worker;
	struct uuid project;
	struct uuid runtime;
	unsigned slot;
	pid_t pid;
	struct channel *agent;
	enum instance_state state;
	struct list operations;
	uint32_t background;
	uint64_t idle_since_ms;
	uint64_t oom_kills; /* seen so far */
	uint64_t cpu_us;    /* of the group, shared out so far */
	bool delete_project;
};

struct operation {
	struct map_node node;
	struct list link; /* in its instance's list, or in the worker's waiting list */
	struct worker *worker;
	struct instance *instance; /* NULL while it waits, and when it has finished */
	struct arena arena;
	struct arena input;            /* of what the agent alone needs; until it has it */
	struct control_worker_run run; /* its views lie in the arena */
	int pipe;
	uint32_t sequence; /* of the last chunk */
	int64_t credit;    /* that the agent has left */
	size_t n_pending;  /* appends that are not durable */
	uint64_t output_bytes;
	struct uuid runtime;
	int64_t started_ms; /* 0: not yet */
	bool finished, told;
	enum outcome ending; /* what was asked of it; OUTCOME_COMPLETED: nothing */
	uint64_t
	    kill_at_ms; /* when the instance is ended because the agent does not obey; 0: never */
	struct control_worker_finished result; /* its views lie in the arena */
};

enum {
	KILL_AFTER_MS = 5000, /* from TERM to KILL */
	OBEY_MS = 10000,      /* from CANCEL to the end of the instance */
	OVERDRAFT = 4 * EVENT_CHUNK_LIMIT,
	SWEEP_MS = 250,
	PREPARE_AFTER_MS = 20, /* an instance's start: until then its own work goes first */
	APPEND_RETRY_MS = 500,
	OUTPUT_HELD_HIGH = 8 << 20, /* of all operations together */
	OUTPUT_HELD_LOW = 4 << 20,
	WAITING_BYTES_MAX = 16 << 20,
	UNFINISHED_MAX = 32 << 20,
};

/* ---- operation.c ---- */
int operation_accept(struct worker *worker, const struct control_worker_run *run, int pipe);
struct operation *operation_find(struct worker *worker, struct uuid id);
void operation_fail(struct operation *operation, enum outcome outcome, const char *detail);
void operation_finish(struct operation *operation, const struct worker_agent_finished *finished);
void operations_cancel_all(struct worker *worker, enum outcome outcome);
bool operations_are_told(const struct worker *worker); /* control knows how each of them ended */
void operation_cancel(struct operation *operation, enum outcome outcome);
void operation_print(struct operation *operation, uint8_t type, uint8_t stream, struct bytes data);
void operation_tell(
    struct operation *operation); /* FINISHED to control, once all of it is durable */
void operation_forget(struct operation *operation);
void operation_send(struct operation *operation); /* RUN to the agent */

/* ---- instance.c ---- */
/* 0; 1 if it has to wait for a place; negative if none can be made. */
int instance_for(struct worker *worker, const struct control_worker_run *run,
		 struct instance **instance) ATTR_MUST_CHECK;
void instance_end(struct instance *instance);
extern const struct channel_events agent_events;
void instances_hold_too_much(struct channel_budget *budget);
void instance_reaped(struct worker *worker, pid_t pid);
void instance_prepare(struct worker *worker); /* the place of the next one */
void instance_sweep(struct worker *worker, uint64_t now_ms);
void instance_account(struct instance *instance);
bool instance_ran_out_of_memory(struct instance *instance);
void instance_serve_waiting(struct worker *worker);
void instances_listen(struct worker *worker, bool listen); /* to what their agents say */

/* ---- the links ---- */
extern const struct channel_events control_events, stream_events;
void control_link_status(struct worker *worker);
void stream_link_print(struct worker *worker, struct operation *operation, uint8_t type,
		       uint8_t stream, struct bytes data);
void stream_link_connected(struct worker *worker);
void stream_link_sweep(struct worker *worker, uint64_t now_ms);

/* ---- project.c ---- */
/* Makes the folder if it is not there; then it is on disk after project_settle(), which nothing
 * that is written in it may come before. */
int project_open(struct worker *worker, struct uuid project, int *folder,
		 bool *made) ATTR_MUST_CHECK;
int project_settle(struct worker *worker) ATTR_MUST_CHECK;
int project_remove(struct worker *worker, struct uuid project);
void project_empty_trash(struct worker *worker);
bool project_remover_ended(struct worker *worker, pid_t pid, int status); /* false: it is none */
