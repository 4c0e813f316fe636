/* Where the host has its control groups, read from a mount table. Pure. */
#pragma once

#include "base/text.h"

enum cgroup_controller {
	CGROUP_MEMORY,
	CGROUP_CPU,
	CGROUP_CPUACCT,
	CGROUP_PIDS,
	CGROUP_CONTROLLERS
};

struct cgroup_mounts {
	struct text v1[CGROUP_CONTROLLERS]; /* mount points; data NULL where there is none */
	struct text unified;
};

/* `table` is in the form of /proc/self/mountinfo; the results point into it. */
void cgroup_mounts_find(struct text table, struct cgroup_mounts *mounts);

/* All controllers are there in the old form. */
bool cgroup_mounts_are_v1(const struct cgroup_mounts *mounts);
