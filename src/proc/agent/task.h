/* For the agent's loop: tasks from the worker's messages. */
#pragma once

#include "agent.h"

/* Takes the body's descriptor. Negative: the worker broke the protocol. */
int task_begin(struct agent *agent, const struct worker_agent_run *run, int body);
struct task *task_find(struct agent *agent, struct uuid id); /* or NULL: it has ended */
void task_body_end(struct task *task, const struct worker_agent_body_end *end);
void task_free(struct task *task);
