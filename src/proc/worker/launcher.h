/* Makes instances: a process tree of its own in all namespaces, with a root of its own, the ids of
 * its slot and one project, whose first process is the agent. What can be made before is: the ids
 * of a slot, the system call filter, the copy of the agent, and one place: all of an instance but
 * its project, in a process that waits to be told which.
 *
 * Owned by the worker. Nothing here reads what a tenant wrote. */
#pragma once

#include "base/id.h"
#include "cgroup.h"

#include <sys/types.h>

struct launcher;

struct launcher_options {
	int directory;           /* DIR/worker */
	const char *executables; /* folder with croft-agent and croft-archive */
	unsigned slots;
	uint64_t uid_base;
	uint32_t open_files;
};

struct launch {
	unsigned slot;
	int project; /* the folder, open; stays the caller's */
	struct cgroup_limits limits;
};

int launcher_new(struct launcher **launcher,
		 const struct launcher_options *options) ATTR_MUST_CHECK;
void launcher_free(struct launcher *launcher);

/* Makes the place for the next instance, in this slot, unless there is one. It is the launcher's:
 * its process ends with launcher_free(), and with the worker. */
int launcher_prepare(struct launcher *launcher, unsigned slot) ATTR_MUST_CHECK;
bool launcher_is_prepared(const struct launcher *launcher, unsigned *slot);
void launcher_reaped(struct launcher *launcher, pid_t pid); /* of whatever process it was */

/* The pid of the first process; *channel is connected to the agent's descriptor 3. Returns before
 * the instance is complete: when it cannot be completed, the process ends, having said why in the
 * log. */
pid_t launcher_start(struct launcher *launcher, const struct launch *launch, int *channel);

void launcher_usage(const struct launcher *launcher, unsigned slot, struct cgroup_usage *usage);
void launcher_reset_peak(const struct launcher *launcher, unsigned slot);
