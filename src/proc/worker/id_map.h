/* A user namespace as a map of ids, without a process that lives in it. */
#pragma once

#include "base/attributes.h"

#include <stdint.h>

/* `inside` and the `count` ids from it stand for the host's from `outside`; users and groups alike.
 */
int id_map_open(uint32_t inside, uint32_t outside, uint32_t count, int *fd) ATTR_MUST_CHECK;
