/* A page of events in the making: {"items":[…],"nextCursor":…}. Full at its limit of events or of
 * bytes; what came behind the last event taken is read again with the next page. Pure. */
#pragma once

#include "base/buffer.h"
#include "proto/event.h"

enum { PAGE_EVENTS_DEFAULT = 100, PAGE_EVENTS_LIMIT = 1000, PAGE_BYTES_LIMIT = 4 << 20 };

struct page {
	struct buffer items; /* joined by commas */
	size_t count;
	size_t limit;
	size_t next_size;
	char next[CURSOR_TEXT_LIMIT];
};

void page_begin(struct page *page, size_t limit);
void page_free(struct page *page);

/* One event behind those that are there. */
void page_add(struct page *page, struct text event_json, struct text cursor);
bool page_is_full(const struct page *page);

/* Where to go on, if it is not behind the last event: where the reader stands. */
void page_set_next(struct page *page, struct text cursor);

/* 0 and the whole document appended, or -ENOMEM. */
int page_write(const struct page *page, struct buffer *out) ATTR_MUST_CHECK;
