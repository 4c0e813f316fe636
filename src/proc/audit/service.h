/* What control asks of the audit role, over one channel: entries gather during a turn of the loop
 * and become durable in one sync at its end; acknowledgements leave in the order of the entries.
 * Checkpoints are signed off the way of entries, by a timer, CHECKPOINT_DELAY_MS after the first
 * entry they cover, and CHECKPOINT_INTERVAL_MS apart when it is busy. */
#pragma once

#include "loop/loop.h"
#include "proc/audit/audit_log.h"

enum {
	SERVICE_CHECKPOINT_DELAY_MS = 100,
	SERVICE_CHECKPOINT_INTERVAL_MS = 1000,
	SERVICE_LINGER_MS = 50, /* of entries that nobody waits for */
	SERVICE_WALK_MS = 5,    /* between the steps of the check after a start */
};

struct service;

/* Takes the log on success. */
int service_new(struct service **service, struct loop *loop, struct audit_log *log) ATTR_MUST_CHECK;
int service_connect(struct service *service, int fd) ATTR_MUST_CHECK; /* takes the descriptor */
void service_finish(
    struct service *service); /* what was staged becomes durable, the tree is signed */
void service_free(struct service *service);
const char *
service_state(const struct service *service); /* "" or what is wrong, for the supervisor */
