/* Where the HTTP library and the gateway meet: requests become exchanges, and what the library
 * refuses by itself is answered with the same problem documents as everything else. */
#pragma once

#include "proc/gateway/gateway.h"

/* Takes the listeners that the role was given. */
int server_start(struct gateway *gateway) ATTR_MUST_CHECK;

/* No new work: readers end, what control still answers is passed on; `on_stopped` then. */
void server_stop(struct gateway *gateway, void (*on_stopped)(void *owner));
void server_free(struct gateway *gateway);
