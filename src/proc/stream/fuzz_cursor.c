/* A cursor comes from a client: whatever it is, it is refused, or it is exactly the text that the
 * role makes for that position. */
#include "proc/stream/event_cursor.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mac_key key = {{7}};
	struct text text = {(const char *)data, size};
	for (uint8_t project = 0; project < 2; project++) {
		struct event_cursor cursor = {.workspace = {{1}}, .project = {{project}}};
		if (event_cursor_parse(&key, text, &cursor))
			continue;
		struct event_cursor_text again = event_cursor_format(&key, &cursor);
		/* The code that was not asked for may be another's; the one that was must be ours.
		 */
		size_t at = project ? 32 : 16;
		if (memcmp(again.data + at, text.data + at, 16) != 0)
			abort();
	}
	return 0;
}
