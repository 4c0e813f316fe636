/* What the role counts. Handed to control every few seconds, which shows it with the other metrics.
 */
#pragma once

#include "base/arena.h"
#include "wire/codec.h"

enum figure {
	FIGURE_APPENDED,
	FIGURE_APPENDED_BYTES,
	FIGURE_ALREADY,
	FIGURE_REFUSED,
	FIGURE_NOT_WRITTEN,
	FIGURE_COMMITS,
	FIGURE_FAILED_COMMITS,
	FIGURE_DELIVERED,
	FIGURE_DELIVERED_BYTES,
	FIGURE_TURNS,
	FIGURE_READERS,
	FIGURE_LOG_FIRST,
	FIGURE_LOG_END,
	FIGURE_LOG_BYTES,
	FIGURES
};

struct figures {
	uint64_t values[FIGURES];
};

/* As a list of struct wire_pair; lies in the arena. -ENOMEM. */
int figures_list(const struct figures *figures, struct arena *arena,
		 struct wire_list *list) ATTR_MUST_CHECK;
