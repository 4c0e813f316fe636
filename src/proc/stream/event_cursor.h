/* What a client is given to resume from: opaque, and of use only where it was given.
 *
 * It holds the position of the next event and two codes over it, one bound to the workspace and one
 * to the project, so that the cursor of any event works for all readers of its project and for the
 * correlations of its workspace, and for nothing else. The position is hidden by a mask made from
 * the codes: a tenant does not learn how much the others write. Written as hexadecimal. */
#pragma once

#include "base/id.h"
#include "crypt/mac.h"

enum { EVENT_CURSOR_SIZE = 3 * sizeof(uint64_t), EVENT_CURSOR_TEXT = 2 * EVENT_CURSOR_SIZE };

struct event_cursor {
	struct uuid workspace;
	struct uuid project; /* zero where it is not known: then it serves correlations alone */
	uint64_t position;
};

/* NUL-terminated. */
struct event_cursor_text {
	char data[EVENT_CURSOR_TEXT + 1];
};

struct event_cursor_text event_cursor_format(const struct mac_key *key,
					     const struct event_cursor *cursor);

/* 0 and the position, if the text was made for the cursor's project, or, with a zero project, for
 * its workspace; 1 if not. */
int event_cursor_parse(const struct mac_key *key, struct text text, struct event_cursor *cursor);
