/* supervisor <-> every role. How a role comes to life:
 *
 *   SETUP (its root directory)  ->  the role confines itself, before it parses anything else
 *   SETTING ... DIRECTORY ... LISTENER ... PEER ...  ->  START  ->  READY
 *
 * PEER comes again whenever the process on the other side was replaced; the old channel has died by
 * then. STOP asks for an orderly end: no new work, finish or park what runs, make state durable,
 * exit 0. */
#pragma once

#include "wire/channel.h"

enum supervisor_role_type {
	SUPERVISOR_ROLE_SETUP = 1, /* supervisor: descriptor [0] is the role's own directory */
	SUPERVISOR_ROLE_SETTING,   /* supervisor */
	SUPERVISOR_ROLE_DIRECTORY, /* supervisor: descriptor [0] */
	SUPERVISOR_ROLE_LISTENER,  /* supervisor: descriptor [0] listens */
	SUPERVISOR_ROLE_PEER,      /* supervisor: descriptor [0] is the channel */
	SUPERVISOR_ROLE_START,     /* supervisor */
	SUPERVISOR_ROLE_STOP,      /* supervisor */
	SUPERVISOR_ROLE_READY,     /* role: serves now; `detail` says what it cannot do */
	SUPERVISOR_ROLE_STATUS,    /* role: a peer or backend became usable or not, for the
				      supervisor's log */
	SUPERVISOR_ROLE_TYPES
};

struct supervisor_role_setup {
	uint32_t uid; /* what the role becomes */
	uint32_t gid;
	uint16_t index; /* of several processes of one role */
	uint8_t log_level;
};

struct supervisor_role_setting {
	struct text name;
	struct text value; /* may be a secret: never logged */
};

struct supervisor_role_directory {
	struct text name;
};

struct supervisor_role_listener {
	struct text address; /* as configured, for messages */
	bool tls;
};

struct supervisor_role_peer {
	uint8_t role; /* enum role_kind */
	uint16_t index;
};

struct supervisor_role_start {
	uint64_t generation; /* how often this role was started; 1 is the first */
};

struct supervisor_role_stop {
	uint32_t grace_ms;
};

struct supervisor_role_ready {
	struct text detail;
};

extern const struct protocol supervisor_role_protocol;
