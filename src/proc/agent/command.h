/* command.run: processes of the tenant, their streams and their end. */
#pragma once

#include "agent.h"

#include <sys/resource.h>

/* A child of the agent ended: a command, one left in the background, a long operation, or an
 * orphan. */
void command_reaped(struct agent *agent, pid_t pid, int status, const struct rusage *usage);
