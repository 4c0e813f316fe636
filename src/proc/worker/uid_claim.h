/* Which user ids the instances of this croftd have, where several run on one host: two that gave
 * out the same would give a tenant of one power over the processes of the other's. Worker. */
#pragma once

#include "base/attributes.h"

#include <stdint.h>

/* Claims ranges for `slots` instances: from `wanted` on or, where another croftd has some of these,
 * behind it. `register_file` is the host's, made if it is missing. The claim is a lock on *claim
 * and ends with the process, or when any descriptor of that file is closed in it. -ERANGE if there
 * are no such ids any more. */
int uid_claim(const char *register_file, uint64_t wanted, unsigned slots, uint64_t *base,
	      int *claim) ATTR_MUST_CHECK;
