/* When the key set is fetched, and whom it is handed to: at the start, every ISSUER_INTERVAL_MS,
 * sooner after a failure, and when control has met an unknown key id, but never twice within
 * ISSUER_PAUSE_MS: tokens with made-up key ids must not turn us into a flood upon the issuer. The
 * last key set stays in force while the issuer cannot be reached. */
#pragma once

#include "proc/issuer/fetch.h"

enum { ISSUER_INTERVAL_MS = 3600000, ISSUER_PAUSE_MS = 30000 };

struct issuer;

int issuer_new(struct issuer **issuer, struct loop *loop,
	       const struct fetch_target *target) ATTR_MUST_CHECK;
void issuer_free(struct issuer *issuer);
int issuer_connect(struct issuer *issuer, int fd) ATTR_MUST_CHECK; /* takes the descriptor */
