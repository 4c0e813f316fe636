/* Request targets (RFC 3986): percent-decoding, strict, and the parameters of a query. */
#pragma once

#include "base/arena.h"

/* Into the arena, NUL-terminated; may hold any byte. 1 if an escape is malformed; -ENOMEM. */
int target_decode(struct text encoded, struct arena *arena, struct text *decoded) ATTR_MUST_CHECK;

/* Takes the next `name=value` off `query`, decoded ('+' is a blank in values and names). 0; 1 if an
 * escape is malformed; -ENOMEM. Call while query->size > 0. */
int target_next_parameter(struct text *query, struct arena *arena, struct text *name,
			  struct text *value) ATTR_MUST_CHECK;
