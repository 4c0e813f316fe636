#include "proc/stream/figures.h"

#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static const char *const names[FIGURES] = {
    [FIGURE_APPENDED] = "croft_stream_events_appended_total",
    [FIGURE_APPENDED_BYTES] = "croft_stream_appended_bytes_total",
    [FIGURE_ALREADY] = "croft_stream_repeated_appends_total",
    [FIGURE_REFUSED] = "croft_stream_refused_appends_total",
    [FIGURE_NOT_WRITTEN] = "croft_stream_appends_without_space_total",
    [FIGURE_COMMITS] = "croft_stream_commits_total",
    [FIGURE_FAILED_COMMITS] = "croft_stream_failed_commits_total",
    [FIGURE_DELIVERED] = "croft_stream_events_delivered_total",
    [FIGURE_DELIVERED_BYTES] = "croft_stream_delivered_bytes_total",
    [FIGURE_TURNS] = "croft_stream_reader_turns_total",
    [FIGURE_READERS] = "croft_stream_readers",
    [FIGURE_LOG_FIRST] = "croft_stream_log_first_position",
    [FIGURE_LOG_END] = "croft_stream_log_end_position",
    [FIGURE_LOG_BYTES] = "croft_stream_log_bytes",
};

int figures_list(const struct figures *figures, struct arena *arena, struct wire_list *list)
{
	struct wire_pair *pairs = arena_alloc(arena, FIGURES * sizeof(*pairs));
	if (!pairs)
		return error_origin(-ENOMEM);
	for (int i = 0; i < FIGURES; i++) {
		char digits[24];
		int size = snprintf(digits, sizeof(digits), "%" PRIu64, figures->values[i]);
		pairs[i].name = text_of(names[i]);
		pairs[i].value = arena_text(arena, (struct text){digits, (size_t)size});
		if (!pairs[i].value.data)
			return error_origin(-ENOMEM);
	}
	*list = (struct wire_list){pairs, FIGURES};
	return 0;
}
