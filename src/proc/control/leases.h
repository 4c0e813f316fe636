/* Event streams and sockets live no longer than the credential that opened them. A lease is held
 * for each key or user with an end in sight whose streams are open; of several tokens of one user
 * the one that lasts longest counts. */
#pragma once

#include "base/id.h"
#include "loop/loop.h"

struct control;
struct leases;

enum { LEASES_MAX = 20000 };

int leases_new(struct control *control, struct leases **leases) ATTR_MUST_CHECK;
void leases_free(struct leases *leases);

/* `holder` is a key or a user. 0; -ENOBUFS or -ENOMEM: the stream must not be opened. */
int leases_take(struct leases *leases, struct uuid holder, int64_t ends_ms) ATTR_MUST_CHECK;

/* Now: it was revoked, or its membership has ended. Closes its streams and sockets. */
void leases_end(struct leases *leases, struct uuid holder);
