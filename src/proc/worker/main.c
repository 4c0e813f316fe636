#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "powers.h"
#include "uid_claim.h"
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of all croftd of this host. */
#define HOST_FOLDER "/run/croft"

static void child_ended(struct loop_signal *signal, int number ATTR_UNUSED)
{
	struct worker *worker = container_of(signal, struct worker, child);
	pid_t pid;
	int status;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		launcher_reaped(worker->launcher, pid);
		if (!project_remover_ended(worker, pid, status))
			instance_reaped(worker, pid);
	}
}

static void stop_now(struct worker *worker)
{
	for (unsigned i = 0; i < worker->n_slots; i++) {
		struct instance *instance = worker->slots[i];
		if (!instance)
			continue;
		instance_end(instance);
		waitpid(instance->pid, NULL,
			0); /* killed: it takes no time that a tenant could choose */
	}
	launcher_free(worker->launcher);
	role_exit(worker->role, 0);
}

/* What runs may end by itself for half of the grace; then it is told to, and killed after another
 * quarter; the rest is for writing down how it ended. */
static void stop_when_quiet(struct worker *worker, uint64_t now_ms)
{
	if (now_ms >= worker->cancel_at_ms) {
		worker->cancel_at_ms = UINT64_MAX;
		operations_cancel_all(worker, OUTCOME_WORKER_LOST);
	}
	/* Without control nothing more can be written down: it ends what is left as lost when it is
	 * back. */
	if (!worker->control || operations_are_told(worker) || now_ms >= worker->stop_by_ms)
		stop_now(worker);
}

static void sweep(struct loop_timer *timer)
{
	struct worker *worker = container_of(timer, struct worker, sweep);
	uint64_t now = loop_now_ms(worker->loop);
	instance_sweep(worker, now);
	stream_link_sweep(worker, now);
	if (worker->stopping)
		stop_when_quiet(worker, now);
}

static int open_folder(int parent, const char *name, int *fd)
{
	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return error_origin(-errno);
	*fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *fd < 0 ? error_origin(-errno) : 0;
}

/* The folder of our own executable; in a build folder the others lie in folders beside it. */
static int find_executables(char folder[PATH_MAX])
{
	ssize_t size = readlink("/proc/self/exe", folder, PATH_MAX - 1);
	if (size < 0)
		return error_origin(-errno);
	folder[size] = '\0';
	*strrchr(folder, '/') = '\0';
	char probe[PATH_MAX + 16];
	snprintf(probe, sizeof(probe), "%s/croft-agent", folder);
	if (access(probe, X_OK) < 0)
		*strrchr(folder, '/') = '\0';
	return 0;
}

/* Beside another croftd, which must not share them. */
static int claim_uids(struct worker *worker, uint64_t *base)
{
	uint64_t wanted = role_setting_number(worker->role, "instance.uid_base");
	if (mkdir(HOST_FOLDER, 0755) < 0 && errno != EEXIST)
		return error_origin(-errno);
	int r = uid_claim(HOST_FOLDER "/instance-uids", wanted, worker->n_slots, base,
			  &worker->uid_claim);
	if (r < 0)
		log_error("instance.uid_base: no ids for %u instances are free from %" PRIu64
			  " on: %s",
			  worker->n_slots, wanted, strerror(-r));
	else if (*base != wanted)
		log_info("another croftd has user ids from instance.uid_base %" PRIu64
			 " on: instances get those from %" PRIu64,
			 wanted, *base);
	return error_trace(r);
}

static int open_launcher(struct worker *worker)
{
	char executables[PATH_MAX];
	struct launcher_options options = {
	    .directory = role_directory(worker->role, "own"),
	    .executables = executables,
	    .slots = worker->n_slots,
	    .open_files = (uint32_t)role_setting_number(worker->role, "instance.open_files")};
	int r = find_executables(executables);
	if (r == 0)
		r = claim_uids(worker, &options.uid_base);
	if (r == 0)
		r = open_folder(options.directory, "projects", &worker->projects);
	if (r == 0)
		r = open_folder(options.directory, "trash", &worker->trash);
	return r < 0 ? r : launcher_new(&worker->launcher, &options);
}

static void read_settings(struct worker *worker)
{
	worker->n_slots = (unsigned)role_setting_number(worker->role, "instance.limit");
	worker->idle_ms = role_setting_number(worker->role, "instance.idle");
	worker->limits = (struct cgroup_limits){
	    .memory_bytes = role_setting_number(worker->role, "instance.memory"),
	    .cpu_percent = (uint32_t)role_setting_number(worker->role, "instance.cpu_percent"),
	    .pids = (uint32_t)role_setting_number(worker->role, "instance.pids")};
}

static int start(struct role *role, void **state)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		return error_origin(-ENOMEM);
	worker->role = role;
	worker->loop = role_loop(role);
	worker->kill_after_ms = KILL_AFTER_MS;
	worker->number = uuid_new(loop_wall_ms(worker->loop));
	list_init(&worker->waiting);
	output_init(&worker->output);
	worker->unfinished = (struct channel_budget){.limit = UNFINISHED_MAX,
						     .on_exceeded = instances_hold_too_much};
	read_settings(worker);
	worker->slots = calloc(worker->n_slots, sizeof(*worker->slots));
	int r = worker->slots ? open_launcher(worker) : error_origin(-ENOMEM);
	if (r == 0)
		r = loop_signal_start(&worker->child, worker->loop, SIGCHLD, child_ended);
	if (r == 0)
		r = loop_timer_start(&worker->sweep, worker->loop, SWEEP_MS, SWEEP_MS, sweep);
	if (r < 0)
		return error_trace(r);
	instance_prepare(worker);
	project_empty_trash(worker); /* what the last worker could not finish */
	*state = worker;
	role_ready(role, "");
	return 0;
}

static int peer(void *state, enum role_kind kind, uint16_t index ATTR_UNUSED, int fd)
{
	struct worker *worker = state;
	int r;
	if (kind == ROLE_CONTROL) {
		channel_free(worker->control);
		worker->control = NULL;
		r = channel_new(&worker->control, worker->loop, fd, &control_worker_protocol,
				&control_events, worker);
		control_link_status(worker);
	} else if (kind == ROLE_STREAM) {
		channel_free(worker->stream);
		worker->stream = NULL;
		r = channel_new(&worker->stream, worker->loop, fd, &worker_stream_protocol,
				&stream_events, worker);
		stream_link_connected(worker);
	} else {
		descriptor_close(&fd);
		r = error_origin(-EPROTO);
	}
	return error_trace(r);
}

static void stop(void *state, uint32_t grace_ms)
{
	struct worker *worker = state;
	uint64_t now = loop_now_ms(worker->loop);
	worker->stopping = true;
	worker->cancel_at_ms = now + grace_ms / 2;
	worker->kill_after_ms = grace_ms / 4 < KILL_AFTER_MS ? grace_ms / 4 : KILL_AFTER_MS;
	worker->stop_by_ms = now + grace_ms;
	stop_when_quiet(worker, now);
}

int main(void)
{
	static const struct role_definition definition = {ROLE_WORKER, &worker_powers, start, peer,
							  stop};
	return role_main(&definition);
}
