/* The loop of the agent. It is PID 1: it reaps every process that is orphaned in the instance, and
 * when it ends, all end. */
#include "base/clock.h"
#include "base/log.h"
#include "command.h"
#include "task.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKER_FD = 3, ARCHIVER_FD = 4 };

/* ---- what the worker says ---- */

static int on_run(struct agent *agent, const void *body, int *fd)
{
	int pipe = *fd;
	*fd = -1;
	return task_begin(agent, body, pipe);
}

/* An operation that has ended meanwhile is no error: the words crossed. */
static int on_cancel(struct agent *agent, const void *body, int *fd ATTR_UNUSED)
{
	const struct worker_agent_cancel *cancel = body;
	struct task *task = task_find(agent, cancel->operation);
	if (task && task->operation->cancel)
		task->operation->cancel(task, cancel);
	return 0;
}

static int on_input(struct agent *agent, const void *body, int *fd ATTR_UNUSED)
{
	const struct worker_agent_input *input = body;
	struct task *task = task_find(agent, input->operation);
	if (task && task->operation->input)
		task->operation->input(task, input);
	return 0;
}

static int on_signal(struct agent *agent, const void *body, int *fd ATTR_UNUSED)
{
	const struct worker_agent_signal *message = body;
	struct task *task = task_find(agent, message->operation);
	if (task && task->operation->signal)
		task->operation->signal(task, message->number);
	return 0;
}

static int on_resize(struct agent *agent, const void *body, int *fd ATTR_UNUSED)
{
	const struct worker_agent_resize *resize = body;
	struct task *task = task_find(agent, resize->operation);
	if (task && task->operation->resize)
		task->operation->resize(task, resize->cols, resize->rows);
	return 0;
}

static int on_body_end(struct agent *agent, const void *body, int *fd ATTR_UNUSED)
{
	const struct worker_agent_body_end *end = body;
	struct task *task = task_find(agent, end->operation);
	if (task)
		task_body_end(task, end);
	return 0;
}

static int on_credit(struct agent *agent, const void *body, int *fd ATTR_UNUSED)
{
	const struct worker_agent_credit *credit = body;
	struct task *task = task_find(agent, credit->operation);
	if (!task)
		return 0;
	bool was_out = task->credit <= 0;
	task->credit += credit->bytes;
	if (was_out && task->credit > 0 && task->operation->credit)
		task->operation->credit(task);
	return 0;
}

static int on_stop(struct agent *agent, const void *body ATTR_UNUSED, int *fd ATTR_UNUSED)
{
	agent->stopping = true;
	return 0;
}

typedef int on_worker_message(struct agent *agent, const void *body, int *fd);

static on_worker_message *const handlers[WORKER_AGENT_TYPES] = {
    [WORKER_AGENT_RUN] = on_run,       [WORKER_AGENT_CANCEL] = on_cancel,
    [WORKER_AGENT_INPUT] = on_input,   [WORKER_AGENT_SIGNAL] = on_signal,
    [WORKER_AGENT_RESIZE] = on_resize, [WORKER_AGENT_BODY_END] = on_body_end,
    [WORKER_AGENT_CREDIT] = on_credit, [WORKER_AGENT_STOP] = on_stop,
};

static int take_messages(struct agent *agent)
{
	struct link_message message;
	int r;
	while ((r = link_next(&agent->worker, &message)) == 0) {
		if (!handlers[message.type])
			return -EBADMSG;
		r = handlers[message.type](agent, message.body, &message.fd);
		if (message.fd >= 0)
			close(message.fd);
		if (r < 0)
			return r;
	}
	return r == 1 ? 0 : r;
}

static void worker_ready(struct source *source, uint32_t events)
{
	struct agent *agent = container_of(source, struct agent, worker_source);
	int r = 0;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		r = link_receive(&agent->worker);
	if (r == -EAGAIN)
		r = 0;
	else if (r == 0)
		r = take_messages(agent);
	if (r < 0)
		agent->stopping = true; /* without the worker, or with one that talks nonsense,
					   nothing is left to do */
}

static void flush_worker(struct agent *agent)
{
	int r = link_flush(&agent->worker);
	if (r < 0)
		agent->stopping = true;
	source_change(agent, &agent->worker_source, EPOLLIN | (r == 1 ? EPOLLOUT : 0));
}

/* ---- children ---- */

static void child_ended(struct source *source, uint32_t events ATTR_UNUSED)
{
	struct agent *agent = container_of(source, struct agent, child_source);
	struct signalfd_siginfo info;
	struct rusage usage;
	int status;
	pid_t pid;
	while (read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
	}
	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0)
		command_reaped(agent, pid, status, &usage);
}

/* The worker ends an instance in which nothing is left: it must know of each that starts as of each
 * that ends. */
static void tell_background(struct agent *agent)
{
	struct worker_agent_idle idle = {agent->background};
	if (agent->background == agent->told_background)
		return;
	agent->told_background = agent->background;
	if (link_send(&agent->worker, WORKER_AGENT_IDLE, &idle) < 0)
		agent->stopping = true;
}

/* ---- time ---- */

static int next_wait_ms(const struct agent *agent)
{
	uint64_t now = clock_monotonic_ms(), nearest = UINT64_MAX;
	const struct task *task;
	list_for_each (task, &agent->due, due_node)
		nearest = task->due_ms < nearest ? task->due_ms : nearest;
	if (nearest == UINT64_MAX)
		return -1;
	return nearest <= now ? 0 : (int)(nearest - now);
}

static void run_due(struct agent *agent)
{
	uint64_t now = clock_monotonic_ms();
	struct task *task;
	list_for_each (task, &agent->due, due_node) {
		if (task->due_ms > now)
			continue;
		list_remove(&task->due_node);
		task->on_due(task);
	}
}

/* ---- life ---- */

static int set_up(struct agent *agent)
{
	struct worker_agent_operation ready = {{{0}}};
	sigset_t children;
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	/* What the host ignores is no tenant's business. Once for all commands: their start waits
	 * for each call between vfork and execve. */
	for (int number = 1; number < _NSIG; number++)
		signal(number, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	agent->epoll = epoll_create1(EPOLL_CLOEXEC);
	agent->child_source = (struct source){
	    .fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK), .ready = child_ended};
	link_init(&agent->worker, WORKER_FD, &worker_agent_protocol);
	agent->worker_source = (struct source){.fd = WORKER_FD, .ready = worker_ready};
	agent->archiver = fcntl(ARCHIVER_FD, F_GETFD) < 0 ? -1 : ARCHIVER_FD;
	if (agent->epoll < 0 || agent->child_source.fd < 0 ||
	    fcntl(WORKER_FD, F_SETFL, fcntl(WORKER_FD, F_GETFL) | O_NONBLOCK) < 0 ||
	    fcntl(WORKER_FD, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	if (agent->archiver >= 0 && fcntl(ARCHIVER_FD, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	list_init(&agent->due);
	if (source_add(agent, &agent->child_source, EPOLLIN) < 0 ||
	    source_add(agent, &agent->worker_source, EPOLLIN) < 0 || link_greet(&agent->worker) < 0)
		return -ENOMEM;
	return link_send(&agent->worker, WORKER_AGENT_READY, &ready);
}

static void serve(struct agent *agent)
{
	struct epoll_event event;
	while (!agent->stopping) {
		tell_background(agent);
		flush_worker(agent);
		/* One at a time: a source that is told of may free another that waits behind it. */
		int count = epoll_wait(agent->epoll, &event, 1, next_wait_ms(agent));
		if (count > 0)
			((struct source *)event.data.ptr)->ready(event.data.ptr, event.events);
		run_due(agent);
	}
}

int main(void)
{
	struct agent agent = {0};
	prctl(PR_SET_DUMPABLE, 0); /* the tenant's processes share our uid and shall not trace us */
	prctl(PR_SET_NAME, "croft-agent"); /* it was started from a descriptor, which has no name */
	log_open("agent", LOG_ERROR);
	if (set_up(&agent) < 0)
		return 1;
	serve(&agent);
	return 0;
}
