#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- what the agent says: hostile, checked against the table already; here against what may be
 * said when ---- */

static struct operation *own_operation(struct instance *instance, struct uuid id)
{
	struct operation *operation = operation_find(instance->worker, id);
	return operation && operation->instance == instance && !operation->finished ? operation
										    : NULL;
}

static void say_started(struct operation *operation)
{
	struct worker *worker = operation->worker;
	struct buffer data ATTR_BUFFER = {0};
	struct json json = json_to(&data);
	int64_t now = loop_wall_ms(worker->loop), queued = now - operation->run.created_ms;
	struct control_worker_started started = {operation->run.operation,
						 operation->instance->runtime, now};
	json_object(&json);
	json_key(&json, "runtime");
	json_cstring(&json, id_format(ID_RUNTIME, operation->instance->runtime).data);
	json_key(&json, "runtimeClass");
	json_cstring(&json, "standard");
	json_key(&json, "queuedMs");
	json_i64(&json, queued > 0 ? queued : 0);
	json_object_end(&json);
	operation->started_ms = now;
	operation->runtime = operation->instance->runtime;
	operation_print(operation, EVENT_STARTED, 0, buffer_bytes(&data));
	if (worker->control)
		channel_send(worker->control, CONTROL_WORKER_STARTED, &started);
}

static int on_started(struct instance *instance, const void *body)
{
	const struct worker_agent_operation *message = body;
	struct operation *operation = own_operation(instance, message->operation);
	if (operation && operation->started_ms)
		return -EBADMSG;
	if (operation)
		say_started(operation);
	return 0;
}

static int on_opened(struct instance *instance, const void *body)
{
	const struct worker_agent_opened *from = body;
	struct operation *operation = own_operation(instance, from->operation);
	struct control_worker_opened opened = {
	    from->operation, from->has_size,    from->size, from->offset,  from->length,
	    from->etag,      from->modified_ms, from->mode, from->content, from->inline_content};
	if (operation && instance->worker->control)
		channel_send(instance->worker->control, CONTROL_WORKER_OPENED, &opened);
	return 0;
}

static int on_output(struct instance *instance, const void *body)
{
	const struct worker_agent_output *output = body;
	struct operation *operation = own_operation(instance, output->operation);
	if (!operation)
		return 0;
	if (!operation->started_ms || output->stream >= EVENT_MESSAGE ||
	    operation->credit < -OVERDRAFT)
		return -EBADMSG;
	if (output->data.size > 0)
		operation_print(operation, EVENT_CHUNK, output->stream, output->data);
	return 0;
}

static int on_finished(struct instance *instance, const void *body)
{
	const struct worker_agent_finished *finished = body;
	struct operation *operation = own_operation(instance, finished->operation);
	if (operation)
		operation_finish(operation, finished);
	return 0;
}

static int on_idle(struct instance *instance, const void *body)
{
	instance->background = ((const struct worker_agent_idle *)body)->processes;
	instance->idle_since_ms = loop_now_ms(instance->worker->loop);
	return 0;
}

static int on_ready(struct instance *instance ATTR_UNUSED, const void *body ATTR_UNUSED)
{
	return 0;
}

typedef int on_agent_message(struct instance *instance, const void *body);

static on_agent_message *const handlers[WORKER_AGENT_TYPES] = {
    [WORKER_AGENT_READY] = on_ready,       [WORKER_AGENT_STARTED] = on_started,
    [WORKER_AGENT_OPENED] = on_opened,     [WORKER_AGENT_OUTPUT] = on_output,
    [WORKER_AGENT_FINISHED] = on_finished, [WORKER_AGENT_IDLE] = on_idle,
};

static int agent_said(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body, struct channel_descriptors *descriptors)
{
	if (!handlers[type] || descriptors->count > 0)
		return error_origin(-EBADMSG);
	return handlers[type](owner, body);
}

static void agent_gone(void *owner, struct channel *channel ATTR_UNUSED, int why)
{
	struct instance *instance = owner;
	if (instance->state == INSTANCE_LIVES)
		log_warning("an instance ended by itself: %s", strerror(-why));
	instance_end(instance);
}

const struct channel_events agent_events = {agent_said, agent_gone, NULL};

/* ---- use ---- */

/* What the group has used since the last time is shared by the operations that ran meanwhile: the
 * agent's word is not needed, and processes that a command has left to it count as well. */
void instance_account(struct instance *instance)
{
	struct cgroup_usage usage;
	struct operation *operation;
	uint64_t count = 0;
	launcher_usage(instance->worker->launcher, instance->slot, &usage);
	uint64_t used = usage.cpu_us > instance->cpu_us ? usage.cpu_us - instance->cpu_us : 0;
	list_for_each (operation, &instance->operations, link)
		count++;
	list_for_each (operation, &instance->operations, link) {
		struct control_worker_finished *result = &operation->result;
		result->cpu_us += used / count;
		if (result->memory_peak_bytes < usage.memory_peak_bytes)
			result->memory_peak_bytes = usage.memory_peak_bytes;
	}
	instance->cpu_us = usage.cpu_us;
}

static void enter(struct instance *instance, struct operation *operation)
{
	instance_account(instance);
	if (list_is_empty(&instance->operations))
		launcher_reset_peak(instance->worker->launcher, instance->slot);
	operation->instance = instance;
	list_append(&instance->operations, &operation->link);
}

bool instance_ran_out_of_memory(struct instance *instance)
{
	struct cgroup_usage usage;
	launcher_usage(instance->worker->launcher, instance->slot, &usage);
	bool more = usage.oom_kills > instance->oom_kills;
	instance->oom_kills = usage.oom_kills;
	return more;
}

/* ---- life ---- */

static struct cgroup_limits limits_for(const struct worker *worker,
				       const struct control_worker_run *run)
{
	struct cgroup_limits limits = worker->limits;
	if (run->memory_bytes)
		limits.memory_bytes = run->memory_bytes;
	if (run->cpu_percent)
		limits.cpu_percent = run->cpu_percent;
	if (run->pids)
		limits.pids = run->pids;
	return limits;
}

static int free_slot(const struct worker *worker, unsigned *slot)
{
	if (launcher_is_prepared(worker->launcher, slot))
		return 0;
	for (unsigned i = 0; i < worker->n_slots; i++) {
		if (!worker->slots[i]) {
			*slot = i;
			return 0;
		}
	}
	return 1;
}

/* Who has background processes makes room only when nobody else can. */
static bool is_better_to_end(const struct instance *a, const struct instance *b)
{
	if (!b || (a->background == 0) != (b->background == 0))
		return !b || a->background == 0;
	return a->idle_since_ms < b->idle_since_ms;
}

/* The longest idle instance makes room; its slot is free when it is reaped. */
static void evict(struct worker *worker)
{
	struct instance *chosen = NULL;
	for (unsigned i = 0; i < worker->n_slots; i++) {
		struct instance *instance = worker->slots[i];
		if (instance && instance->state == INSTANCE_ENDS)
			return;
		if (instance && list_is_empty(&instance->operations) &&
		    is_better_to_end(instance, chosen))
			chosen = instance;
	}
	if (chosen)
		instance_end(chosen);
}

static int launch(struct instance *instance, const struct control_worker_run *run)
{
	struct worker *worker = instance->worker;
	struct cgroup_usage usage;
	struct launch launch = {instance->slot, -1, limits_for(worker, run)};
	int channel;
	bool made;
	int r = project_open(worker, instance->project, &launch.project, &made);
	if (r < 0)
		return error_trace(r);
	instance->pid = launcher_start(worker->launcher, &launch, &channel);
	close(launch.project);
	if (instance->pid < 0)
		return error_trace(instance->pid);
	/* The instance is completed meanwhile; it hears of no operation before this turn ends. */
	r = made ? project_settle(worker) : 0;
	launcher_usage(worker->launcher, instance->slot, &usage);
	instance->oom_kills = usage.oom_kills;
	if (r < 0) {
		close(channel);
		return error_trace(r);
	}
	r = channel_new(&instance->agent, worker->loop, channel, &worker_agent_protocol,
			&agent_events, instance);
	if (r == 0)
		channel_share(instance->agent, &worker->unfinished);
	return error_trace(r);
}

static void release(struct instance *instance)
{
	struct worker *worker = instance->worker;
	worker->slots[instance->slot] = NULL;
	map_remove(&worker->instances, &instance->node);
	channel_free(instance->agent);
	free(instance);
}

static struct instance *instance_in(struct worker *worker, unsigned slot, struct uuid project)
{
	struct instance *instance = calloc(1, sizeof(*instance));
	if (!instance)
		return NULL;
	instance->worker = worker;
	instance->project = project;
	instance->slot = slot;
	instance->runtime = uuid_new(loop_wall_ms(worker->loop));
	instance->idle_since_ms = loop_now_ms(worker->loop);
	list_init(&instance->operations);
	struct bytes key = {instance->project.b, sizeof(instance->project.b)};
	if (map_insert(&worker->instances, &instance->node, key) != 0) {
		free(instance);
		return NULL;
	}
	worker->slots[slot] = instance;
	return instance;
}

void instance_prepare(struct worker *worker)
{
	unsigned slot;
	int r = worker->stopping || free_slot(worker, &slot)
		    ? 0
		    : launcher_prepare(worker->launcher, slot);
	if (r < 0)
		log_warning("no place is ready for the next instance error=%d", r);
}

static void on_prepare_time(struct loop_timer *timer)
{
	instance_prepare(container_of(timer, struct worker, prepare));
}

static void prepare_soon(struct worker *worker)
{
	int r =
	    loop_timer_start(&worker->prepare, worker->loop, PREPARE_AFTER_MS, 0, on_prepare_time);
	if (r < 0)
		log_warning("no place is ready for the next instance error=%d", r);
}

static int instance_new(struct worker *worker, const struct control_worker_run *run,
			struct instance **out)
{
	unsigned slot;
	if (free_slot(worker, &slot)) {
		evict(worker);
		return 1;
	}
	struct instance *instance = instance_in(worker, slot, run->project);
	if (!instance)
		return error_origin(-ENOMEM);
	int r = launch(instance, run);
	if (r < 0) {
		log_error("cannot start an instance: %s", strerror(-r));
		if (instance->pid > 0)
			instance_end(instance); /* released when it is reaped */
		else
			release(instance);
		return r;
	}
	control_link_status(worker);
	prepare_soon(worker);
	*out = instance;
	return 0;
}

int instance_for(struct worker *worker, const struct control_worker_run *run, struct instance **out)
{
	struct bytes key = {run->project.b, sizeof(run->project.b)};
	struct instance *instance = map_object(&worker->instances, key, struct instance, node);
	if (worker->stopping || (instance && instance->state != INSTANCE_LIVES))
		return 1;
	if (!instance)
		return instance_new(worker, run, out);
	*out = instance;
	return 0;
}

void instance_serve_waiting(struct worker *worker)
{
	struct operation *operation;
	list_for_each (operation, &worker->waiting, link) {
		struct instance *instance;
		int r = instance_for(worker, &operation->run, &instance);
		if (r > 0)
			continue;
		if (r < 0) {
			operation_fail(operation, OUTCOME_INTERNAL, "no instance could be started");
			continue;
		}
		list_remove(&operation->link);
		enter(instance, operation);
		operation_send(operation);
	}
}

void instances_listen(struct worker *worker, bool listen)
{
	for (unsigned i = 0; i < worker->n_slots; i++) {
		struct instance *instance = worker->slots[i];
		if (!instance || !instance->agent || instance->state != INSTANCE_LIVES)
			continue;
		if (listen)
			channel_resume(instance->agent);
		else
			channel_pause(instance->agent);
	}
}

void instance_end(struct instance *instance)
{
	struct operation *operation;
	bool by_itself = instance->state == INSTANCE_LIVES;
	if (!by_itself)
		return;
	instance->state = INSTANCE_ENDS;
	bool out_of_memory = instance_ran_out_of_memory(instance);
	kill(instance->pid,
	     SIGKILL); /* the first process of a pid namespace takes all others with it */
	list_for_each (operation, &instance->operations, link)
		operation_fail(operation, out_of_memory ? OUTCOME_OOM : OUTCOME_WORKER_LOST,
			       "the instance ended");
}

/* Who holds most of it ends, whoever came last: half a message costs a hostile agent nothing, and
 * honest ones finish theirs. */
void instances_hold_too_much(struct channel_budget *budget)
{
	struct worker *worker = container_of(budget, struct worker, unfinished);
	struct instance *largest = NULL;
	for (unsigned i = 0; i < worker->n_slots; i++) {
		struct instance *instance = worker->slots[i];
		if (instance && instance->agent &&
		    (!largest ||
		     channel_unfinished(instance->agent) > channel_unfinished(largest->agent)))
			largest = instance;
	}
	if (!largest)
		return;
	log_warning("agents do not finish their messages: the instance with the most is ended");
	instance_end(largest);
	channel_free(largest->agent);
	largest->agent = NULL;
}

void instance_reaped(struct worker *worker, pid_t pid)
{
	for (unsigned i = 0; i < worker->n_slots; i++) {
		struct instance *instance = worker->slots[i];
		if (!instance || instance->pid != pid)
			continue;
		struct uuid project = instance->project;
		bool delete_project = instance->delete_project;
		instance_end(instance);
		release(instance);
		control_link_status(worker);
		if (delete_project)
			project_remove(worker, project);
		instance_serve_waiting(worker);
		prepare_soon(worker);
		return;
	}
}

static void sweep_operations(struct instance *instance, uint64_t now_ms)
{
	struct operation *operation;
	list_for_each (operation, &instance->operations, link) {
		if (operation->kill_at_ms == 0 || operation->kill_at_ms > now_ms)
			continue;
		log_warning("an agent did not end an operation: its instance is ended");
		instance_end(instance);
		return;
	}
}

/* Idle is who has neither operations nor processes that a command left in the background. */
void instance_sweep(struct worker *worker, uint64_t now_ms)
{
	for (unsigned i = 0; i < worker->n_slots; i++) {
		struct instance *instance = worker->slots[i];
		if (!instance || instance->state != INSTANCE_LIVES)
			continue;
		sweep_operations(instance, now_ms);
		if (instance->state == INSTANCE_LIVES && list_is_empty(&instance->operations) &&
		    instance->background == 0 && now_ms - instance->idle_since_ms > worker->idle_ms)
			instance_end(instance);
	}
}
