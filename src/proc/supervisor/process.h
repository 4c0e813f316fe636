/* One child process of the supervisor: started, spoken to, watched until it ends. */
#pragma once

#include "data.h"
#include "options.h"
#include "proto/supervisor_role.h"

struct process;

struct process_events {
	void (*on_ready)(void *owner, struct process *process, struct text detail);
	/* The process has ended and was reaped; it may be started again. */
	void (*on_ended)(void *owner, struct process *process, int status);
};

struct process {
	enum role_kind kind;
	uint16_t index;
	pid_t pid; /* 0 while there is none */
	bool is_ready;
	bool was_told_to_stop;
	uint64_t generation;
	uint64_t started_ms;
	struct channel *channel;
	struct loop *loop;
	const struct process_events *events;
	void *owner;
};

/* What a start needs and every process shares. */
struct process_context {
	const struct options *options;
	const struct data *data;
	const char *executables; /* folder of the roles' executables */
	int listener;
	struct text address;
};

/* Forks, executes and sends everything up to START. */
int process_start(struct process *process, const struct process_context *context) ATTR_MUST_CHECK;

/* Gives it one end of a channel to a peer. Takes the descriptor. */
void process_introduce(struct process *process, enum role_kind peer, uint16_t index, int fd);

void process_stop(struct process *process, uint32_t grace_ms);
void process_kill(struct process *process);

/* After SIGCHLD said that `pid` ended. */
void process_ended(struct process *process, int status);
