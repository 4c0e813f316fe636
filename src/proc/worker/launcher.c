#include "launcher.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "id_map.h"
#include "order.h"
#include "root.h"
#include "sealed.h"
#include "uid_range.h"
#include "walls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AGENT_CHANNEL = 3, AGENT_ARCHIVER = 4, CHILD_SPARE = 64 };

/* What of a slot lasts from one instance to the next. */
struct slot {
	int user_namespace; /* the ids of the instance; -1 until it is used first */
	int project_map;    /* from the owner on disk to the instance's user */
	uint32_t first_uid;
};

/* All of an instance but its project. pid 0: none. */
struct place {
	pid_t pid;
	unsigned slot;
	int order; /* where it waits at the other end */
};

struct launcher {
	struct launcher_options options;
	struct place place;
	struct cgroups *cgroups;
	struct slot *slots;
	struct walls *walls;
	int agent;    /* sealed copies in memory: no path of the host leads to what runs inside */
	int archiver; /* -1 if there is none */
	struct root_template root;
};

/* ---- the child: from a copy of the worker to the agent. Every step takes something away. ---- */

ATTR_NORETURN static void give_up(const char *step)
{
	log_error("instance: cannot %s: %s", step, strerror(errno));
	_exit(1);
}

static void set_limits(const struct launcher *launcher)
{
	const struct rlimit files = {launcher->options.open_files, launcher->options.open_files};
	const struct rlimit none = {0, 0};
	if (setrlimit(RLIMIT_NOFILE, &files) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		give_up("set limits");
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* A place may wait for long, and what it keeps of the worker's descriptors stays open at their
 * other ends: no client would hear that an upload has ended. */
static void keep_only_own(const struct launcher *launcher, unsigned slot, int order)
{
	int kept[CGROUP_DESCRIPTORS_MAX + 5];
	size_t count = cgroups_descriptors(launcher->cgroups, kept);
	unsigned from = 0;
	kept[count++] = STDERR_FILENO;
	kept[count++] = launcher->agent;
	kept[count++] = launcher->slots[slot].user_namespace;
	kept[count++] = order;
	if (launcher->archiver >= 0)
		kept[count++] = launcher->archiver;
	qsort(kept, count, sizeof(*kept), by_number);
	for (size_t i = 0; i < count; i++) {
		if ((unsigned)kept[i] > from)
			syscall(SYS_close_range, from, (unsigned)kept[i] - 1, 0);
		from = (unsigned)kept[i] + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0);
}

static void move_descriptors(const struct launcher *launcher, int channel)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int kept_channel = fcntl(channel, F_DUPFD_CLOEXEC, CHILD_SPARE);
	int kept_archiver =
	    launcher->archiver < 0 ? -1 : fcntl(launcher->archiver, F_DUPFD_CLOEXEC, CHILD_SPARE);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(kept_channel, AGENT_CHANNEL) < 0)
		give_up("arrange descriptors");
	if (kept_archiver >= 0 && dup2(kept_archiver, AGENT_ARCHIVER) < 0)
		give_up("arrange descriptors");
	if (kept_archiver < 0)
		close(AGENT_ARCHIVER);
}

/* Into the slot's user namespace, where the process still has every capability over the namespace
 * and none outside; then to the user, then without any. PDEATHSIG is cleared by a change of user,
 * so it is asked for after. */
static void become_tenant(const struct slot *slot)
{
	if (setns(slot->user_namespace, CLONE_NEWUSER) < 0)
		give_up("enter the user namespace");
	if (walls_drop_bounding_set() < 0)
		give_up("drop the bounding set");
	if (syscall(SYS_setgroups, 0, NULL) < 0 ||
	    setresgid(INSTANCE_UID, INSTANCE_UID, INSTANCE_UID) < 0 ||
	    setresuid(INSTANCE_UID, INSTANCE_UID, INSTANCE_UID) < 0)
		give_up("change the user");
	if (walls_drop_capabilities() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		give_up("drop capabilities");
}

/* The group first: all that is made from here on is counted to the instance. Then the view of
 * groups, whose root is the group that the process is in. */
static void become_place(struct launcher *launcher, unsigned slot, int order)
{
	prctl(PR_SET_NAME, "croft-place");
	keep_only_own(launcher, slot, order);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		give_up("be tied to the worker");
	if (cgroups_enter(launcher->cgroups, slot) < 0)
		give_up("enter the control group");
	if (unshare(CLONE_NEWCGROUP) < 0)
		give_up("leave the host's control groups");
	if (root_build(&launcher->root, launcher->slots[slot].first_uid + INSTANCE_UID) < 0)
		give_up("make the root");
}

ATTR_NORETURN static void become_agent(struct launcher *launcher, unsigned slot,
				       const struct order *order)
{
	char *const argv[] = {(char *)"agent", NULL};
	char *const envp[] = {NULL};
	if (cgroups_limit(launcher->cgroups, slot, &order->limits) < 0)
		give_up("limit the control group");
	if (root_enter(order->project) < 0)
		give_up("enter the root");
	move_descriptors(launcher, order->channel);
	set_limits(launcher);
	int agent = fcntl(launcher->agent, F_DUPFD_CLOEXEC, CHILD_SPARE);
	int log = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, CHILD_SPARE);
	become_tenant(&launcher->slots[slot]);
	if (chdir("/project") < 0)
		give_up("enter the project");
	if (walls_close(launcher->walls) < 0)
		give_up("close the walls");
	/* Standard error was the log until here; a word about execve alone can still be said. */
	if (dup2(0, STDERR_FILENO) < 0 ||
	    syscall(SYS_execveat, agent, "", argv, envp, AT_EMPTY_PATH) < 0)
		dprintf(log, "instance: cannot execute the agent: %s\n", strerror(errno));
	_exit(1);
}

ATTR_NORETURN static void be_place(struct launcher *launcher, unsigned slot, int fd)
{
	struct order order;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	become_place(launcher, slot, fd);
	int r = order_receive(fd, &order);
	if (r == 0)
		become_agent(launcher, slot, &order);
	_exit(r > 0 ? 0 : 1);
}

/* ---- the parent ---- */

static int prepare_slot(struct launcher *launcher, unsigned number)
{
	struct slot *slot = &launcher->slots[number];
	if (slot->user_namespace >= 0)
		return 0;
	int r = uid_range_first(launcher->options.uid_base, number, &slot->first_uid);
	if (r == 0)
		r = id_map_open(0, slot->first_uid, UID_RANGE_SIZE, &slot->user_namespace);
	if (r == 0)
		r = id_map_open(PROJECT_OWNER, slot->first_uid + INSTANCE_UID, 1,
				&slot->project_map);
	if (r < 0)
		descriptor_close(&slot->user_namespace);
	return error_trace(r);
}

static pid_t clone_into_namespaces(void)
{
	struct clone_args args = {.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
					   CLONE_NEWIPC | CLONE_NEWUTS,
				  .exit_signal = SIGCHLD};
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static int make_place(struct launcher *launcher, unsigned slot)
{
	int pair[2];
	int r = prepare_slot(launcher, slot);
	if (r < 0)
		return error_trace(r);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_origin(-errno);
	pid_t pid = clone_into_namespaces();
	if (pid == 0)
		be_place(launcher, slot, pair[1]);
	r = pid < 0 ? error_origin(-errno) : 0;
	close(pair[1]);
	if (r < 0)
		close(pair[0]);
	else
		launcher->place = (struct place){pid, slot, pair[0]};
	return r;
}

static void forget_place(struct launcher *launcher)
{
	descriptor_close(&launcher->place.order);
	launcher->place.pid = 0;
}

static void end_place(struct launcher *launcher)
{
	if (launcher->place.pid == 0)
		return;
	kill(launcher->place.pid, SIGKILL);
	waitpid(launcher->place.pid, NULL, 0);
	forget_place(launcher);
}

bool launcher_is_prepared(const struct launcher *launcher, unsigned *slot)
{
	*slot = launcher->place.slot;
	return launcher->place.pid != 0;
}

int launcher_prepare(struct launcher *launcher, unsigned slot)
{
	return launcher->place.pid ? 0 : error_trace(make_place(launcher, slot));
}

void launcher_reaped(struct launcher *launcher, pid_t pid)
{
	if (launcher->place.pid == pid)
		forget_place(launcher);
}

static pid_t give_order(struct launcher *launcher, unsigned slot, const struct order *order)
{
	if (launcher->place.slot != slot)
		end_place(launcher);
	int r = launcher_prepare(launcher, slot);
	if (r == 0)
		r = order_send(launcher->place.order, order);
	if (r < 0)
		return error_trace(r);
	pid_t pid = launcher->place.pid;
	forget_place(launcher);
	return pid;
}

pid_t launcher_start(struct launcher *launcher, const struct launch *launch, int *channel)
{
	int pair[2];
	int project ATTR_DESCRIPTOR = -1;
	int r = prepare_slot(launcher, launch->slot);
	if (r == 0)
		r = root_map_project(launch->project, launcher->slots[launch->slot].project_map,
				     &project);
	if (r < 0)
		return error_trace(r);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_origin(-errno);
	struct order order = {launch->limits, pair[1], project};
	pid_t pid = give_order(launcher, launch->slot, &order);
	close(pair[1]);
	if (pid < 0)
		close(pair[0]);
	else
		*channel = pair[0];
	return pid;
}

void launcher_usage(const struct launcher *launcher, unsigned slot, struct cgroup_usage *usage)
{
	cgroups_usage(launcher->cgroups, slot, usage);
}

void launcher_reset_peak(const struct launcher *launcher, unsigned slot)
{
	cgroups_reset_peak(launcher->cgroups, slot);
}

/* ---- life ---- */

static int open_executable(const struct launcher *launcher, const char *name, int *fd)
{
	static const char *const layouts[] = {"%s/%s", "%s/agent/%s"};
	char path[PATH_MAX];
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		snprintf(path, sizeof(path), layouts[i], launcher->options.executables, name);
		if (access(path, X_OK) == 0)
			return sealed_copy(path, name, fd);
	}
	return -ENOENT;
}

static int open_groups(struct launcher *launcher)
{
	struct stat status;
	char name[64];
	/* One name for one data folder: what an earlier worker of it left behind is found, what
	 * other croftd run is not touched. */
	if (fstat(launcher->options.directory, &status) < 0)
		return error_origin(-errno);
	snprintf(name, sizeof(name), "croft-%lx-%lx", (unsigned long)status.st_dev,
		 (unsigned long)status.st_ino);
	return error_trace(cgroups_open(&launcher->cgroups, name, launcher->options.slots));
}

static int open_slots(struct launcher *launcher)
{
	launcher->slots = calloc(launcher->options.slots, sizeof(*launcher->slots));
	if (!launcher->slots)
		return error_origin(-ENOMEM);
	for (unsigned i = 0; i < launcher->options.slots; i++)
		launcher->slots[i] = (struct slot){-1, -1, 0};
	return 0;
}

int launcher_new(struct launcher **out, const struct launcher_options *options)
{
	struct launcher *launcher = calloc(1, sizeof(*launcher));
	if (!launcher)
		return error_origin(-ENOMEM);
	launcher->options = *options;
	launcher->agent = launcher->archiver = launcher->place.order = -1;
	int r = open_slots(launcher);
	if (r == 0)
		r = open_groups(launcher);
	if (r == 0)
		r = root_template_open(&launcher->root, options->directory);
	if (r == 0)
		r = walls_new(&launcher->walls);
	if (r == 0)
		r = open_executable(launcher, "croft-agent", &launcher->agent);
	if (r == 0)
		open_executable(launcher, "croft-archive", &launcher->archiver);
	if (r < 0) {
		launcher_free(launcher);
		return error_trace(r);
	}
	*out = launcher;
	return 0;
}

void launcher_free(struct launcher *launcher)
{
	if (!launcher)
		return;
	end_place(launcher);
	for (unsigned i = 0; launcher->slots && i < launcher->options.slots; i++) {
		descriptor_close(&launcher->slots[i].user_namespace);
		descriptor_close(&launcher->slots[i].project_map);
	}
	free(launcher->slots);
	cgroups_close(launcher->cgroups);
	walls_free(launcher->walls);
	descriptor_close(&launcher->agent);
	descriptor_close(&launcher->archiver);
	free(launcher);
}
