/* The life of an operation in the agent: begun, told about, ended; in the loop or in a child. */
#include "task.h"

#include "base/clock.h"
#include "failure.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- words ---- */

void task_output(struct task *task, enum event_stream stream, struct bytes data)
{
	struct worker_agent_output output = {task->id, (uint8_t)stream, data};
	task->credit -= (int64_t)data.size;
	if (link_send(task->up, WORKER_AGENT_OUTPUT, &output) < 0)
		_exit(1); /* out of memory: the instance ends rather than lose output */
}

void task_opened(struct task *task, const struct worker_agent_opened *opened)
{
	if (link_send(task->up, WORKER_AGENT_OPENED, opened) < 0)
		_exit(1);
}

static void say_finished(struct task *task, enum outcome outcome)
{
	struct worker_agent_finished finished = {.operation = task->id,
						 .outcome = (uint8_t)outcome,
						 .cpu_us = task->cpu_us,
						 .memory_peak_bytes = task->memory_peak_bytes,
						 .written_bytes = task->written_bytes,
						 .killed = task->killed};
	if (outcome == OUTCOME_COMPLETED)
		finished.result = buffer_bytes(&task->result);
	else if (text_is_utf8(text_of(task->detail)))
		finished.detail = text_of(task->detail);
	if (link_send(task->up, WORKER_AGENT_FINISHED, &finished) < 0)
		_exit(1);
}

void task_free(struct task *task)
{
	if (task->operation->free && task->own)
		task->operation->free(task);
	list_remove(&task->due_node);
	map_remove(&task->agent->tasks, &task->node);
	if (task->body >= 0)
		close(task->body);
	buffer_free(&task->result);
	free((void *)(uintptr_t)task->raw.data);
	arena_free(&task->arena);
	free(task);
}

void task_finish(struct task *task, enum outcome outcome)
{
	if (task->ending != OUTCOME_COMPLETED)
		outcome = task->ending;
	if (buffer_check(&task->result) < 0 || task->result.size > OPERATION_RESULT_LIMIT)
		outcome =
		    failure_say(task, OUTCOME_INVALID_INPUT,
				"the result is larger than an operation may give; ask for less");
	say_finished(task, outcome);
	task_free(task);
}

void task_set_due(struct task *task, uint64_t in_ms, void (*on_due)(struct task *))
{
	list_remove(&task->due_node);
	task->due_ms = clock_monotonic_ms() + in_ms;
	task->on_due = on_due;
	list_append(&task->agent->due, &task->due_node);
}

/* ---- a long operation, in a child ---- */

enum { TASK_IS_OVER = 2 };

struct child {
	struct source source; /* its words */
	struct link link;
	struct task *task;
	pid_t pid;
};

static struct child *child_of(struct source *source)
{
	return container_of(source, struct child, source);
}

/* In the child: one task, a blocking socket, nothing else of the agent's. */
ATTR_NORETURN static void be_child(struct task *task, int fd)
{
	struct link up;
	link_init(&up, fd, &worker_agent_protocol);
	task->up = &up;
	setpgid(0, 0);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	enum outcome outcome = task->operation->run(task);
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		task->cpu_us =
		    (uint64_t)usage.ru_utime.tv_sec * 1000000 + (uint64_t)usage.ru_utime.tv_usec +
		    (uint64_t)usage.ru_stime.tv_sec * 1000000 + (uint64_t)usage.ru_stime.tv_usec;
	say_finished(task, outcome);
	_exit(link_flush(&up) < 0 ? 1 : 0);
}

static void child_is_over(struct task *task, enum outcome outcome)
{
	struct child *child = task->own;
	kill(child->pid, SIGKILL);
	task_finish(task, outcome);
}

static int pass_on(struct task *task, const struct link_message *message)
{
	const struct worker_agent_finished *finished = message->body;
	switch (message->type) {
	case WORKER_AGENT_OUTPUT: {
		const struct worker_agent_output *output = message->body;
		task_output(task, output->stream, output->data);
		return 0;
	}
	case WORKER_AGENT_OPENED:
		task_opened(task, message->body);
		return 0;
	case WORKER_AGENT_FINISHED:
		buffer_append(&task->result, finished->result.data, finished->result.size);
		snprintf(task->detail, sizeof(task->detail), "%.*s", (int)finished->detail.size,
			 finished->detail.data);
		task->cpu_us = finished->cpu_us;
		task->written_bytes = finished->written_bytes;
		child_is_over(task, finished->outcome);
		return TASK_IS_OVER;
	default:
		return -EBADMSG;
	}
}

/* What was read already is passed on as far as the credit goes; the rest waits in the link. 0: the
 * credit is used up; 1: read on; TASK_IS_OVER: the task is gone. */
static int pass_all_on(struct task *task)
{
	struct child *child = task->own;
	struct link_message message;
	while (task->credit > 0) {
		int r = link_next(&child->link, &message);
		if (r == 0)
			r = pass_on(task, &message);
		if (r != 0)
			return r;
	}
	return 0;
}

static void go_on(struct task *task)
{
	struct child *child = task->own;
	int r = pass_all_on(task);
	if (r == TASK_IS_OVER)
		return;
	if (r < 0)
		child_is_over(task, OUTCOME_INTERNAL);
	else if (r == 1 && !child->source.is_added &&
		 source_add(task->agent, &child->source, EPOLLIN) < 0)
		child_is_over(task, OUTCOME_INTERNAL);
	else if (r == 0)
		source_remove(task->agent, &child->source);
}

static void child_spoke(struct source *source, uint32_t events ATTR_UNUSED)
{
	struct child *child = child_of(source);
	struct task *task = child->task;
	int r = link_receive(&child->link);
	if (r == 0) {
		go_on(task);
	} else if (r != -EAGAIN) {
		failure_say(task, OUTCOME_INTERNAL, "the process that did it died");
		child_is_over(task, OUTCOME_INTERNAL);
	}
}

static void child_credit(struct task *task)
{
	go_on(task);
}

static void child_cancel(struct task *task, const struct worker_agent_cancel *cancel)
{
	task->ending = (enum outcome)cancel->outcome;
	child_is_over(task, task->ending);
}

static void child_free(struct task *task)
{
	struct child *child = task->own;
	source_remove(task->agent, &child->source);
	link_free(&child->link);
	free(child);
}

static const struct agent_operation in_child = {
    .cancel = child_cancel,
    .credit = child_credit,
    .free = child_free,
};

static int fork_child(struct task *task, struct child *child)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	child->pid = fork();
	if (child->pid == 0) {
		close(pair[0]);
		be_child(task, pair[1]);
	}
	int r = child->pid < 0 ? -errno : 0;
	close(pair[1]);
	link_init(&child->link, pair[0], &worker_agent_protocol);
	child->source.fd = pair[0];
	child->source.ready = child_spoke;
	if (task->body >= 0)
		close(task->body);
	task->body = -1;
	return r < 0 ? r : source_add(task->agent, &child->source, EPOLLIN);
}

static void run_in_child(struct task *task)
{
	struct child *child = calloc(1, sizeof(*child));
	if (!child) {
		task_finish(task, OUTCOME_INTERNAL);
		return;
	}
	child->task = task;
	child->link.fd = -1;
	int r = fork_child(task, child);
	task->own = child;
	task->operation = &in_child;
	if (r < 0)
		task_finish(task, failure_say(task, OUTCOME_QUOTA_EXCEEDED,
					      "cannot start a process for it: %s", strerror(-r)));
}

/* The agent passes the word on; the child waits for it once its pipe is at the end. */
void task_body_end(struct task *task, const struct worker_agent_body_end *end)
{
	if (task->operation != &in_child)
		return;
	struct child *child = task->own;
	if (link_send(&child->link, WORKER_AGENT_BODY_END, end) < 0 || link_flush(&child->link) < 0)
		child_is_over(task, OUTCOME_INTERNAL);
}

bool task_body_is_whole(struct task *task, uint64_t *size)
{
	struct link_message message;
	int r;
	while ((r = link_next(task->up, &message)) == 1)
		if (link_receive(task->up) < 0)
			return false;
	const struct worker_agent_body_end *end = message.body;
	if (r < 0 || message.type != WORKER_AGENT_BODY_END)
		return false;
	*size = end->size;
	return end->whole;
}

/* ---- beginning ---- */

static int decode_input(struct task *task, const struct worker_agent_run *run)
{
	uint8_t *raw = malloc(run->input.size + 1);
	if (!raw)
		return -ENOMEM;
	memcpy(raw, run->input.data, run->input.size);
	task->raw = (struct bytes){raw, run->input.size};
	return wire_decode(&operation_input_struct, task->raw, &task->arena, &task->input);
}

static int copy_environment(struct task *task, const struct wire_list *from)
{
	const struct wire_pair *pairs = from->items;
	struct wire_pair *copies = arena_alloc(&task->arena, from->count * sizeof(*copies));
	if (!copies)
		return -ENOMEM;
	for (size_t i = 0; i < from->count; i++) {
		copies[i].name = arena_text(&task->arena, pairs[i].name);
		copies[i].value = arena_text(&task->arena, pairs[i].value);
		if (!copies[i].name.data || !copies[i].value.data)
			return -ENOMEM;
	}
	task->environment = (struct wire_list){copies, from->count};
	return 0;
}

/* Control may be newer than the agent of an instance that has been running for long. */
static enum outcome run_unknown(struct task *task)
{
	return failure_say(task, OUTCOME_INVALID_INPUT,
			   "the agent of this instance does not know the operation");
}

static const struct agent_operation unknown = {.run = run_unknown};

static struct task *task_new(struct agent *agent, const struct worker_agent_run *run, int body)
{
	struct task *task = calloc(1, sizeof(*task));
	if (!task)
		return NULL;
	task->agent = agent;
	task->operation = agent_operations[run->kind] ? agent_operations[run->kind] : &unknown;
	task->id = run->operation;
	task->body = body;
	task->direction = run->body;
	task->body_size = run->body_size;
	task->credit = AGENT_CREDIT;
	task->up = &agent->worker;
	list_init(&task->due_node);
	if (map_insert(&agent->tasks, &task->node,
		       (struct bytes){task->id.b, sizeof(task->id.b)})) {
		free(task);
		return NULL;
	}
	return task;
}

int task_begin(struct agent *agent, const struct worker_agent_run *run, int body)
{
	if (run->kind >= OPERATION_KINDS || agent->tasks.count >= AGENT_OPERATIONS_MAX)
		return -EBADMSG;
	struct task *task = task_new(agent, run, body);
	if (!task)
		return -EBADMSG;
	struct worker_agent_operation started = {task->id};
	if (link_send(&agent->worker, WORKER_AGENT_STARTED, &started) < 0)
		return -ENOMEM;
	if (decode_input(task, run) < 0 || copy_environment(task, &run->environment) < 0)
		task_finish(task,
			    failure_say(task, OUTCOME_INVALID_INPUT, "the input cannot be read"));
	else if (task->operation->start)
		task->operation->start(task);
	else if (task->operation->is_long && task->operation->is_long(task))
		run_in_child(task);
	else
		task_finish(task, task->operation->run(task));
	return 0;
}

struct task *task_find(struct agent *agent, struct uuid id)
{
	return map_object(&agent->tasks, ((struct bytes){id.b, sizeof(id.b)}), struct task, node);
}
