#include "supervisor.h"

#include "base/error.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	RESTART_FIRST_MS = 50,
	RESTART_MAX_MS = 10000,
	FIRST_START_ATTEMPTS =
	    3,                 /* of a role that never became ready: then the whole start fails */
	STOP_MARGIN_MS = 5000, /* beyond the grace, before a role that does not end is killed */
};

/* A stop goes through these steps, each waiting for its processes to end. Control and worker first
 * and together: the one takes no new work and writes down how what runs ends, the other ends it
 * when half of the grace is over. Readers see the last events, as the gateways end after them. The
 * two logs last: nobody is left to write to them then. */
static const unsigned stop_steps[] = {
    ROLE_BIT(ROLE_CONTROL) | ROLE_BIT(ROLE_WORKER),
    ROLE_BIT(ROLE_GATEWAY) | ROLE_BIT(ROLE_ISSUER),
    ROLE_BIT(ROLE_STREAM) | ROLE_BIT(ROLE_AUDIT),
};

struct slot {
	struct process process;
	struct supervisor *supervisor;
	struct loop_timer restart;
	uint64_t delay_ms;
	unsigned failures; /* in a row, without having become ready */
};

struct supervisor {
	struct loop *loop;
	const struct process_context *context;
	const struct supervisor_events *events;
	void *owner;
	struct slot slots[PROCESSES_MAX];
	size_t n_slots;
	bool was_ready;
	bool stopping;
	size_t stop_step;
	int exit_status;
	struct loop_timer stop_timer;
};

/* ---- wiring ---- */

static void connect_pair(struct process *first, struct process *second)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		log_error("cannot connect %s to %s: %s", role_names[first->kind],
			  role_names[second->kind], strerror(errno));
		return;
	}
	process_introduce(first, second->kind, second->index, pair[0]);
	process_introduce(second, first->kind, first->index, pair[1]);
}

static bool are_peers(enum role_kind a, enum role_kind b)
{
	for (size_t i = 0; i < n_role_edges; i++)
		if ((role_edges[i].first == a && role_edges[i].second == b) ||
		    (role_edges[i].first == b && role_edges[i].second == a))
			return true;
	return false;
}

static void connect_to_peers(struct supervisor *supervisor, struct process *process)
{
	for (size_t i = 0; i < supervisor->n_slots; i++) {
		struct process *other = &supervisor->slots[i].process;
		if (other != process && other->channel && are_peers(process->kind, other->kind))
			connect_pair(process, other);
	}
}

/* ---- starting and restarting ---- */

static void restart_due(struct loop_timer *timer);

static void schedule_restart(struct slot *slot)
{
	if (loop_timer_start(&slot->restart, slot->supervisor->loop, slot->delay_ms, 0,
			     restart_due) < 0)
		abort(); /* without memory for a timer nothing goes on */
}

static int start_slot(struct slot *slot)
{
	int r = process_start(&slot->process, slot->supervisor->context);
	if (r < 0) {
		log_error("cannot start %s: %s", role_names[slot->process.kind], strerror(-r));
		return error_trace(r);
	}
	connect_to_peers(slot->supervisor, &slot->process);
	return 0;
}

static void restart_due(struct loop_timer *timer)
{
	struct slot *slot = container_of(timer, struct slot, restart);
	loop_timer_stop(timer);
	if (slot->supervisor->stopping || slot->process.pid > 0)
		return;
	if (start_slot(slot) < 0)
		schedule_restart(slot);
}

static void role_is_ready(void *owner, struct process *process, struct text detail)
{
	struct slot *slot = owner;
	struct supervisor *supervisor = slot->supervisor;
	char shown[256];
	slot->failures = 0;
	log_info("%s %u is ready%s%s", role_names[process->kind], process->index,
		 detail.size ? ": " : "", log_text(shown, sizeof(shown), detail));
	for (size_t i = 0; i < supervisor->n_slots; i++)
		if (!supervisor->slots[i].process.is_ready)
			return;
	if (!supervisor->was_ready) {
		supervisor->was_ready = true;
		supervisor->events->on_all_ready(supervisor->owner);
	}
}

static void log_end(const struct process *process, int status)
{
	const char *name = role_names[process->kind];
	if (WIFSIGNALED(status))
		log_warning("%s %u was ended by signal %d", name, process->index, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		log_warning("%s %u ended with status %d", name, process->index,
			    WEXITSTATUS(status));
	else
		log_info("%s %u ended", name, process->index);
}

static void continue_stop(struct supervisor *supervisor);

static void role_has_ended(void *owner, struct process *process, int status)
{
	struct slot *slot = owner;
	struct supervisor *supervisor = slot->supervisor;
	log_end(process, status);
	if (supervisor->stopping) {
		continue_stop(supervisor);
		return;
	}
	slot->failures++;
	if (!supervisor->was_ready && slot->failures >= FIRST_START_ATTEMPTS) {
		log_error("%s does not start; giving up", role_names[process->kind]);
		supervisor->exit_status = 1;
		supervisor_stop(supervisor);
		return;
	}
	uint64_t stable_ms = options_number(supervisor->context->options, "restart.stable");
	bool was_stable = loop_now_ms(supervisor->loop) - process->started_ms >= stable_ms;
	slot->delay_ms = was_stable || slot->delay_ms == 0 ? RESTART_FIRST_MS : slot->delay_ms * 2;
	if (slot->delay_ms > RESTART_MAX_MS)
		slot->delay_ms = RESTART_MAX_MS;
	schedule_restart(slot);
}

static const struct process_events process_events = {role_is_ready, role_has_ended};

/* ---- stopping ---- */

static bool step_is_over(const struct supervisor *supervisor, unsigned roles)
{
	for (size_t i = 0; i < supervisor->n_slots; i++)
		if ((roles & ROLE_BIT(supervisor->slots[i].process.kind)) &&
		    supervisor->slots[i].process.pid > 0)
			return false;
	return true;
}

static void kill_step(struct loop_timer *timer)
{
	struct supervisor *supervisor = container_of(timer, struct supervisor, stop_timer);
	for (size_t i = 0; i < supervisor->n_slots; i++)
		if (stop_steps[supervisor->stop_step] & ROLE_BIT(supervisor->slots[i].process.kind))
			process_kill(&supervisor->slots[i].process);
}

static void begin_step(struct supervisor *supervisor)
{
	uint32_t grace = (uint32_t)options_number(supervisor->context->options, "stop.grace");
	for (size_t i = 0; i < supervisor->n_slots; i++)
		if (stop_steps[supervisor->stop_step] & ROLE_BIT(supervisor->slots[i].process.kind))
			process_stop(&supervisor->slots[i].process, grace);
	if (loop_timer_start(&supervisor->stop_timer, supervisor->loop,
			     (uint64_t)grace + STOP_MARGIN_MS, 0, kill_step) < 0)
		abort();
}

static void continue_stop(struct supervisor *supervisor)
{
	while (step_is_over(supervisor, stop_steps[supervisor->stop_step])) {
		if (++supervisor->stop_step == ARRAY_SIZE(stop_steps)) {
			loop_timer_stop(&supervisor->stop_timer);
			supervisor->events->on_stopped(supervisor->owner, supervisor->exit_status);
			return;
		}
		begin_step(supervisor);
	}
}

void supervisor_stop(struct supervisor *supervisor)
{
	if (supervisor->stopping) {
		for (size_t i = 0; i < supervisor->n_slots; i++)
			process_kill(&supervisor->slots[i].process);
		return;
	}
	supervisor->stopping = true;
	for (size_t i = 0; i < supervisor->n_slots; i++)
		loop_timer_stop(&supervisor->slots[i].restart);
	begin_step(supervisor);
	continue_stop(supervisor);
}

void supervisor_reap(struct supervisor *supervisor)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < supervisor->n_slots; i++)
			if (supervisor->slots[i].process.pid == pid)
				process_ended(&supervisor->slots[i].process, status);
}

/* ---- life ---- */

static void add_slot(struct supervisor *supervisor, enum role_kind kind, uint16_t index)
{
	struct slot *slot = &supervisor->slots[supervisor->n_slots++];
	slot->supervisor = supervisor;
	slot->process = (struct process){.kind = kind,
					 .index = index,
					 .loop = supervisor->loop,
					 .events = &process_events,
					 .owner = slot};
}

int supervisor_new(struct supervisor **out, struct loop *loop,
		   const struct process_context *context, const struct supervisor_events *events,
		   void *owner)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	if (!supervisor)
		return error_origin(-ENOMEM);
	supervisor->loop = loop;
	supervisor->context = context;
	supervisor->events = events;
	supervisor->owner = owner;
	uint64_t gateways = options_number(context->options, "gateway.processes");
	for (int kind = ROLE_SUPERVISOR + 1; kind < ROLE_KINDS; kind++) {
		uint64_t count = kind == ROLE_GATEWAY ? gateways : 1;
		if (!(context->options->roles & ROLE_BIT(kind)))
			continue;
		for (uint64_t i = 0; i < count && supervisor->n_slots < PROCESSES_MAX; i++)
			add_slot(supervisor, (enum role_kind)kind, (uint16_t)i);
	}
	*out = supervisor;
	return 0;
}

int supervisor_start(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->n_slots; i++) {
		int r = start_slot(&supervisor->slots[i]);
		if (r < 0)
			return error_trace(r);
	}
	return 0;
}

void supervisor_free(struct supervisor *supervisor)
{
	if (!supervisor)
		return;
	for (size_t i = 0; i < supervisor->n_slots; i++) {
		loop_timer_stop(&supervisor->slots[i].restart);
		channel_free(supervisor->slots[i].process.channel);
	}
	loop_timer_stop(&supervisor->stop_timer);
	free(supervisor);
}
