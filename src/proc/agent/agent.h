/* The agent: PID 1 of an instance, uid of the tenant's commands, the only process of ours that
 * touches a tenant's files. It holds nothing of ours: whoever takes it over has what the tenant had
 * anyway.
 *
 * One loop over epoll. An operation is a `struct task`. Short operations run at once; long ones in
 * a child of the agent, which speaks the same protocol over a socket pair and whose words are
 * passed on under the task's credit; a command is a process of its own (command.c). */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "link.h"
#include "proto/control_worker.h"
#include "proto/event.h"
#include "proto/worker_agent.h"

#include <sys/types.h>

struct agent;
struct task;

enum { AGENT_BACKGROUND_MAX = 256 };

/* A descriptor of the loop and who is told when it is ready. */
struct source {
	int fd;
	uint32_t events; /* of epoll */
	bool is_added;
	void (*ready)(struct source *source, uint32_t events);
};

struct agent {
	int epoll;
	struct link worker;
	struct source worker_source, child_source;
	struct map tasks;    /* by operation */
	struct list due;     /* of tasks with a deadline */
	uint32_t background; /* commands that were left running */
	pid_t background_pids[AGENT_BACKGROUND_MAX];
	uint32_t told_background;
	bool stopping;
	int archiver; /* executable that packs and unpacks archives, or -1 */
};

/* How one kind of operation is done. */
struct agent_operation {
	/* Does it, to its end, without waiting for a tenant: sets task->result or task->detail. */
	enum outcome (*run)(struct task *task);
	/* Whether it would keep others waiting; then `run` runs in a child. NULL: never. */
	bool (*is_long)(struct task *task);
	/* In place of `run`, for what lives in the loop. */
	void (*start)(struct task *task);
	void (*cancel)(struct task *task, const struct worker_agent_cancel *cancel);
	void (*input)(struct task *task, const struct worker_agent_input *input);
	void (*signal)(struct task *task, uint8_t number);
	void (*resize)(struct task *task, uint16_t cols, uint16_t rows);
	void (*credit)(struct task *task); /* there is credit again */
	void (*free)(struct task *task);
};

enum { DETAIL_SIZE = 512 };

struct task {
	struct map_node node;
	struct list due_node;
	uint64_t due_ms; /* 0: no deadline */
	void (*on_due)(struct task *task);
	struct agent *agent;
	const struct agent_operation *operation;
	struct uuid id;
	struct operation_input input; /* points into `arena` */
	struct arena arena;
	struct wire_list environment;
	struct bytes raw; /* the encoded input, which the views point into */
	int body;         /* the pipe, or -1 */
	uint8_t direction;
	uint64_t body_size;
	int64_t credit;
	enum outcome ending; /* what a cancel asked for; OUTCOME_COMPLETED: nothing */

	struct buffer result;
	char detail[DETAIL_SIZE];
	uint64_t cpu_us, memory_peak_bytes, written_bytes;
	bool killed;

	struct link *up; /* where its words go: the worker, or in a child the agent */
	void *own;       /* of the operation */
};

/* ---- what operations say ---- */

void task_output(struct task *task, enum event_stream stream, struct bytes data);
void task_opened(struct task *task, const struct worker_agent_opened *opened);
/* The last word; frees the task. */
void task_finish(struct task *task, enum outcome outcome);
void task_set_due(struct task *task, uint64_t in_ms, void (*on_due)(struct task *));

/* In a child: waits for the word that the body is whole. True if it is, with the size that was
 * sent. */
bool task_body_is_whole(struct task *task, uint64_t *size);

int source_add(struct agent *agent, struct source *source, uint32_t events);
void source_change(struct agent *agent, struct source *source, uint32_t events);
void source_remove(struct agent *agent, struct source *source);

extern const struct agent_operation *const agent_operations[OPERATION_KINDS];
