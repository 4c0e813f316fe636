/* Putting the control role's parts together, apart from the process around them: main.c does it
 * with the supervisor's settings, tests with their own. */
#pragma once

#include "proc/control/control.h"
#include "proc/control/identity.h"
#include "proc/control/limiter.h"
#include "proc/control/operation.h"

struct control_settings {
	const char *database;
	struct limiter_limits limits;
	struct identity_settings identity;
	struct operation_settings operations;
	uint64_t keep_ms; /* of idempotency keys */
};

int control_open(struct loop *loop, const struct control_settings *settings,
		 struct control **control) ATTR_MUST_CHECK;

/* Requests must have been answered, or their gateways gone and their handlers done. */
void control_close(struct control *control);

/* Nothing is under way: no request, and no entry that the audit role has not acknowledged. */
bool control_is_quiet(const struct control *control);
