/* Fetches the key set: one GET at a time over libcurl, driven by the loop. The only caller of
 * libcurl in this role.
 *
 * What the other side may do to us is limited: no redirects, FETCH_SIZE_LIMIT bytes,
 * FETCH_TIMEOUT_MS from start to end, certificates checked against the operator's authority or the
 * system's. What it sends is handed on unread; control parses it. */
#pragma once

#include "base/buffer.h"
#include "loop/loop.h"

enum {
	FETCH_SIZE_LIMIT = 256 << 10, /* as in proto/control_issuer.c */
	FETCH_TIMEOUT_MS = 15000,
	FETCH_CONNECT_TIMEOUT_MS = 5000,
};

struct fetch;

struct fetch_target {
	const char *url; /* outlives the fetch, like the rest */
	struct text ca;  /* PEM; empty: the system's authorities */
};

/* Runs once for each fetch_begin(): `why` is NULL on success, else says in words what went wrong.
 */
typedef void fetch_on_done(void *owner, struct bytes body, const char *why);

int fetch_new(struct fetch **fetch, struct loop *loop, const struct fetch_target *target,
	      fetch_on_done *on_done, void *owner) ATTR_MUST_CHECK;
void fetch_free(struct fetch *fetch);                 /* NULL is fine; not from inside on_done */
int fetch_begin(struct fetch *fetch) ATTR_MUST_CHECK; /* 1 if one is under way */
