/* The one word to a place that waits for its project: from the worker to its own copy, over a
 * socket that no one else has. */
#pragma once

#include "cgroup.h"

struct order {
	struct cgroup_limits limits;
	int channel; /* becomes the agent's */
	int project; /* a detached mount */
};

/* The descriptors stay the caller's. Negative if the place is gone. */
int order_send(int fd, const struct order *order) ATTR_MUST_CHECK;

/* Waits. 0, 1 if the worker does not need the place any more, or negative. */
int order_receive(int fd, struct order *order) ATTR_MUST_CHECK;
