/* What an instance may use of the machine, and what it has used: one cgroup per slot, on cgroup v1
 * (with the unified hierarchy beside it, if it is there) and on v2. Owned by the worker; the slots'
 * groups are kept and used again, because making and removing one takes milliseconds on v1. */
#pragma once

#include "base/attributes.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cgroups;

struct cgroup_limits {
	uint64_t memory_bytes; /* no swap beyond it */
	uint32_t cpu_percent;  /* 100 is one core */
	uint32_t pids;
};

struct cgroup_usage {
	uint64_t cpu_us;
	uint64_t memory_peak_bytes; /* since cgroups_reset_peak(); 0 on v2, where it cannot be reset
				       and would be that of an earlier instance */
	uint64_t oom_kills;
};

/* `name` tells this croftd's groups from others': what is found under it is left over from a worker
 * that died, and is killed and removed. -ENOTSUP if a controller is missing. */
int cgroups_open(struct cgroups **cgroups, const char *name, unsigned slots) ATTR_MUST_CHECK;
/* The same, with the hierarchies of a mount table in the form of /proc/self/mountinfo. */
int cgroups_open_below(struct cgroups **cgroups, struct text mount_table, const char *name,
		       unsigned slots) ATTR_MUST_CHECK;
void cgroups_close(struct cgroups *cgroups); /* the processes must be gone; removes the groups */

/* The descriptors that cgroups_enter() and cgroups_limit() need, into `fds`: how many. */
enum { CGROUP_DESCRIPTORS_MAX = 8 };
size_t cgroups_descriptors(const struct cgroups *cgroups, int fds[CGROUP_DESCRIPTORS_MAX]);

/* Makes the slot's groups where they are missing and moves the calling process there. Slow: not for
 * the loop. */
int cgroups_enter(const struct cgroups *cgroups, unsigned slot) ATTR_MUST_CHECK;

int cgroups_limit(const struct cgroups *cgroups, unsigned slot,
		  const struct cgroup_limits *limits) ATTR_MUST_CHECK;
void cgroups_usage(const struct cgroups *cgroups, unsigned slot,
		   struct cgroup_usage *usage); /* zeros for what the kernel does not tell */
void cgroups_reset_peak(const struct cgroups *cgroups, unsigned slot);
