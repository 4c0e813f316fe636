/* The identities of the last REPEATS_MAX entries: what control appends again after a lost
 * connection is told from what is new. Control holds fewer than that unacknowledged
 * (AUDIT_UNACKNOWLEDGED_MAX). */
#pragma once

#include "base/id.h"
#include "base/map.h"

enum { REPEATS_MAX = 16384 };

struct repeats_item {
	struct map_node node;
	struct uuid id;
	uint64_t seq;
};

struct repeats {
	struct map map;
	struct repeats_item *items; /* a ring */
	uint64_t added;
};

int repeats_init(struct repeats *repeats) ATTR_MUST_CHECK;
void repeats_free(struct repeats *repeats);
int repeats_add(struct repeats *repeats, struct uuid id,
		uint64_t seq) ATTR_MUST_CHECK; /* 1 if it is there */
bool repeats_find(const struct repeats *repeats, struct uuid id, uint64_t *seq);
void repeats_undo(
    struct repeats *repeats); /* takes the newest back; at most as many as were just added */
