/* Starts a tenant's command: looks its program up, makes its environment and standard streams,
 * forks and executes. */
#pragma once

#include "agent.h"

struct spawn {
	const char *const *argv; /* NULL-terminated */
	char **environment;      /* NULL-terminated */
	const char *folder;
	const char *terminal; /* path of a pty's slave, or NULL */
	int streams[3]; /* what become 0, 1 and 2; the terminal's slave in their place if there is
			   one */
};

/* The pid: also of its process group and session. Or -errno, of whichever step failed. */
pid_t spawn_start(const struct spawn *spawn);

/* argv of the input and the environment: base, then the project's, then the input's. NULL without
 * memory. */
const char *const *spawn_argv(struct task *task);
char **spawn_environment(struct task *task);
