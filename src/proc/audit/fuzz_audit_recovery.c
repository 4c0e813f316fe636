/* A journal as a crash, or somebody else, left it: whatever it holds, frames come out whole or not
 * at all. */
#include "proc/audit/entry.h"
#include "proc/audit/journal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = {data, size};
	struct journal_frame frame;
	struct entry_view view;
	for (uint64_t seq = 0;; seq++) {
		struct bytes before = rest;
		if (journal_next_frame(&rest, seq, &frame) != 0)
			break;
		struct buffer again ATTR_BUFFER = {0};
		journal_append_frame(&again, seq, &frame);
		if (again.size != before.size - rest.size ||
		    memcmp(again.data, before.data, again.size) != 0)
			abort();
	}
	struct text entry = {(const char *)data, size};
	if (entry_read(entry, &view) == 0 && view.fields[ENTRY_INPUT_DIGEST].size == 0)
		abort();
	return 0;
}
