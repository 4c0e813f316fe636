/* Stands in for launcher and disk where the worker's links are tried without them: nothing is
 * started. */
#include "proc/worker/worker.h"

pid_t launcher_start(struct launcher *launcher ATTR_UNUSED, const struct launch *launch ATTR_UNUSED,
		     int *channel ATTR_UNUSED)
{
	return -1;
}

int launcher_prepare(struct launcher *launcher ATTR_UNUSED, unsigned slot ATTR_UNUSED)
{
	return 0;
}

bool launcher_is_prepared(const struct launcher *launcher ATTR_UNUSED, unsigned *slot ATTR_UNUSED)
{
	return false;
}

void launcher_usage(const struct launcher *launcher ATTR_UNUSED, unsigned slot ATTR_UNUSED,
		    struct cgroup_usage *usage)
{
	*usage = (struct cgroup_usage){0};
}

void launcher_reset_peak(const struct launcher *launcher ATTR_UNUSED, unsigned slot ATTR_UNUSED)
{
}

int project_open(struct worker *worker ATTR_UNUSED, struct uuid project ATTR_UNUSED,
		 int *folder ATTR_UNUSED, bool *made ATTR_UNUSED)
{
	return -1;
}

int project_settle(struct worker *worker ATTR_UNUSED)
{
	return -1;
}

int project_remove(struct worker *worker ATTR_UNUSED, struct uuid project ATTR_UNUSED)
{
	return 0;
}
