/* The user ids of an instance: a range of the host's ids of its own, so that what escapes from one
 * instance is nobody in all others. Pure; worker. */
#pragma once

#include "base/attributes.h"

#include <stdint.h>

enum {
	UID_RANGE_SIZE = 65536,
	INSTANCE_UID = 1000, /* of agent and commands, inside */
	/* Owner of all project files on disk, whatever instance made them. Written on disk: never
	   change it. */
	PROJECT_OWNER = 64390,
};

/* 0 and the first id of the slot's range; -ERANGE if it would touch the host's own ids or pass the
 * end. */
int uid_range_first(uint64_t base, unsigned slot, uint32_t *first) ATTR_MUST_CHECK;
