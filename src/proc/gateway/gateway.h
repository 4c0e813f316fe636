/* The gateway process: what all of its parts share. It holds clients' connections and TLS keys, and
 * no data of its own: killing it costs connections, nothing else. Owned by main.c; exchanges point
 * to it. */
#pragma once

#include "proc/gateway/address_limit.h"
#include "proc/gateway/answer.h"
#include "proc/gateway/control_link.h"
#include "proc/gateway/metrics.h"
#include "proc/gateway/readers.h"
#include "proc/gateway/router.h"
#include "role/role.h"

struct http_server;

enum {
	CONTROL_SILENCE_MS = 15000
}; /* without a word from control this long the gateway is not ready */

/* What control says of itself and the roles behind it, as it came. */
struct control_report {
	struct buffer exposition;
	struct buffer readiness;
	bool ready;
	uint64_t heard_ms; /* 0: never */
};

struct gateway {
	struct role *role;
	struct loop *loop;
	struct http_server *server;
	struct router router;
	struct cors cors;
	struct control_link control;
	struct readers readers;
	struct address_limit addresses;
	struct metrics metrics;
	struct control_report report;
	struct list sockets; /* of struct socket: for WITHDRAW */
	uint64_t upload_limit;
	struct loop_timer grace; /* after STOP */
	bool stopping;
};
