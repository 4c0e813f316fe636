/* control's end of the channel to the worker. It only carries messages: what they mean for an
 * operation is decided by the orchestrator (operation.h). While the worker is away nothing is sent;
 * the orchestrator learns of both ends of a channel and sorts out by inventory what was lost. */
#pragma once

#include "proc/control/control.h"
#include "proto/control_worker.h"

struct worker_link;

int worker_link_new(struct control *control, struct worker_link **link) ATTR_MUST_CHECK;
void worker_link_free(struct worker_link *link);
int worker_link_connect(struct worker_link *link, int fd) ATTR_MUST_CHECK; /* takes it */
bool worker_link_is_up(const struct worker_link *link);
bool worker_link_is_ready(const struct worker_link *link); /* and the worker can run something */

/* -EPIPE while it is away. The second takes the pipe (-1: none), also on failure. */
int worker_link_send(struct worker_link *link, unsigned type, const void *message);
int worker_link_run(struct worker_link *link, const struct control_worker_run *run, int pipe);

/* Ends the project's instance and removes its files, now or when the worker is there again;
 * project_torn_down() follows. */
void worker_link_remove_project(struct worker_link *link, struct uuid workspace,
				struct uuid project);
