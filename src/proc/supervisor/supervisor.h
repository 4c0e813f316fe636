/* The set of processes: started together, wired to each other, restarted when one dies, stopped in
 * order. */
#pragma once

#include "process.h"

enum { PROCESSES_MAX = 32 };

struct supervisor;

struct supervisor_events {
	void (*on_all_ready)(void *owner);                /* once */
	void (*on_stopped)(void *owner, int exit_status); /* all processes are gone */
};

int supervisor_new(struct supervisor **supervisor, struct loop *loop,
		   const struct process_context *context, const struct supervisor_events *events,
		   void *owner) ATTR_MUST_CHECK;
int supervisor_start(struct supervisor *supervisor) ATTR_MUST_CHECK;
void supervisor_stop(struct supervisor *supervisor); /* a second call kills what is left */
void supervisor_reap(struct supervisor *supervisor); /* SIGCHLD came */
void supervisor_free(struct supervisor *supervisor);
