/* Projects that were deleted: their events below a position are no longer handed out. Kept in the
 * log itself, as records behind the events that they hide, so they expire after them and are
 * durable like everything else. */
#pragma once

#include "base/arena.h"
#include "base/id.h"
#include "base/map.h"
#include "crypt/mac.h"
#include "port/log/log.h"

struct forgotten {
	struct map by_project;
	size_t pending; /* not durable yet */
};

void forgotten_free(struct forgotten *forgotten);

/* What the log holds. */
int forgotten_load(struct forgotten *forgotten, struct log *log,
		   const struct mac_key *key) ATTR_MUST_CHECK;

/* From now on hidden. -ENOMEM. */
int forgotten_add(struct forgotten *forgotten, struct uuid project,
		  uint64_t position) ATTR_MUST_CHECK;

/* Gathers records for what is not yet durable; told by forgotten_settle() whether the commit went
 * well. */
int forgotten_append(struct forgotten *forgotten, struct log *log, const struct mac_key *key,
		     int64_t now_ms) ATTR_MUST_CHECK;
void forgotten_settle(struct forgotten *forgotten, bool durable);

bool forgotten_hides(const struct forgotten *forgotten, struct uuid project, uint64_t position);
