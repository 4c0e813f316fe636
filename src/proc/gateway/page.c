#include "proc/gateway/page.h"

#include "base/error.h"
#include "base/json.h"

void page_begin(struct page *page, size_t limit)
{
	*page = (struct page){.limit = limit};
}

void page_free(struct page *page)
{
	buffer_free(&page->items);
}

void page_set_next(struct page *page, struct text cursor)
{
	if (cursor.size == 0 || cursor.size > sizeof(page->next))
		return;
	memcpy(page->next, cursor.data, cursor.size);
	page->next_size = cursor.size;
}

void page_add(struct page *page, struct text event_json, struct text cursor)
{
	if (page->count > 0)
		buffer_append_byte(&page->items, ',');
	buffer_append_text(&page->items, event_json);
	page->count++;
	page_set_next(page, cursor);
}

bool page_is_full(const struct page *page)
{
	return page->count >= page->limit || page->items.size >= PAGE_BYTES_LIMIT;
}

int page_write(const struct page *page, struct buffer *out)
{
	if (buffer_check(&page->items) != 0)
		return error_trace(buffer_check(&page->items));
	buffer_append_text(out, TEXT("{\"items\":["));
	buffer_append_text(out, buffer_text(&page->items));
	buffer_append_text(out, TEXT("],\"nextCursor\":"));
	struct json json = json_to(out);
	if (page->next_size > 0)
		json_text(&json, (struct text){page->next, page->next_size});
	else
		json_null(&json);
	buffer_append_byte(out, '}');
	return error_trace(buffer_check(out));
}
