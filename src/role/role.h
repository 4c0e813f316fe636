/* What the main of every role does alike: greet the supervisor, confine itself, take settings and
 * peers, serve, stop. */
#pragma once

#include "base/text.h"
#include "confine/confine.h"
#include "loop/loop.h"
#include "proto/roles.h"

struct role;

struct role_definition {
	enum role_kind kind;
	const struct confine_powers *powers;

	/* All settings, directories and listeners have come. Sets *state. The role calls
	 * role_ready() when it can serve. */
	int (*start)(struct role *role, void **state);

	/* A channel to a peer: the first, or a new one because the peer's process was replaced (the
	 * old channel dies or has died). Takes the descriptor; the role makes the channel with the
	 * protocol of proto/. May come before start() has finished asynchronous work, never before
	 * start() was called. */
	int (*peer)(void *state, enum role_kind kind, uint16_t index, int fd);

	/* Orderly end; calls role_exit() when state is durable, at the latest after grace_ms. */
	void (*stop)(void *state, uint32_t grace_ms);
};

/* The whole of main(). Returns the exit status. */
int role_main(const struct role_definition *definition);

struct loop *role_loop(struct role *role);
uint16_t role_index(const struct role *role);      /* of several processes of the role */
uint64_t role_generation(const struct role *role); /* 1 at the first start of this role */

/* Settings by name (proto/settings.h); a name that the role is not given aborts: it is a bug. */
struct text role_setting(const struct role *role, const char *name);
uint64_t role_setting_number(const struct role *role, const char *name);

/* A directory that the supervisor passed besides the role's own, or -1. Where the role's own did
 * not become "/" (confine_powers.root_stays), it is "own". */
int role_directory(const struct role *role, const char *name);

struct role_listener {
	int fd;
	struct text address;
	bool tls;
};
const struct role_listener *role_listeners(const struct role *role, size_t *count);

void role_ready(struct role *role, const char *detail);  /* detail: what is missing, or "" */
void role_status(struct role *role, const char *detail); /* for the supervisor's log */
void role_exit(struct role *role, int status);
