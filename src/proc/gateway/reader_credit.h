/* How many bytes of events a reader may be sent, so that a client that does not read costs a
 * bounded piece of memory and one that does is never kept waiting. The window is what may be under
 * way: granted to the stream role, or waiting for the client. It starts small and doubles each time
 * the client has taken all of it, while memory is not tight. Decides, does no I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	READER_WINDOW_FIRST = 64 << 10,
	READER_WINDOW_LIMIT = 1 << 20,
	READER_WINDOW_TIGHT = 4 << 10,
};

struct reader_credit {
	uint32_t window;
	uint64_t granted; /* and not used yet */
	uint64_t used;    /* since the window grew */
};

void reader_credit_init(struct reader_credit *credit);

/* Events of this cost came. The last one may overdraw. */
void reader_credit_use(struct reader_credit *credit, uint64_t cost);

/* What to grant now, given the bytes that the client has not taken; 0 while half of the window is
 * still under way. */
uint32_t reader_credit_due(struct reader_credit *credit, size_t backlog, bool tight);
