/* Pages of lists: ?limit= and ?cursor=. A cursor is opaque: the position and a keyed digest over it
 * and over what list it belongs to, so that a forged one, or one of another list, is told and
 * refused. The key lies in the store: cursors survive restarts. */
#pragma once

#include "proc/control/request.h"

enum { PAGE_LIMIT_DEFAULT = 100, PAGE_LIMIT_MAX = 1000, PAGE_CURSOR_SIZE = 2 * BASE32_SIZE + 1 };

struct cursor_key;

int cursor_key_load(struct store *store,
		    struct cursor_key **key) ATTR_MUST_CHECK; /* makes it at the first start */
void cursor_key_free(struct cursor_key *key);

void page_cursor_write(const struct cursor_key *key, const char *list, struct uuid scope,
		       struct uuid position, char text[PAGE_CURSOR_SIZE]);
int page_cursor_read(const struct cursor_key *key, const char *list, struct uuid scope,
		     struct text text, struct uuid *position); /* 1 if it is none of this list */

struct page {
	const char *list;  /* names the list: "projects", ... */
	struct uuid scope; /* whose list */
	struct uuid after;
	size_t limit;
};

/* Reads the query. The list's own parameters are named in `known`, NULL-terminated; limit and
 * cursor are known. 0; 1: answered. */
int page_read(struct control_request *request, const char *list, struct uuid scope,
	      const char *const *known, struct page *page) ATTR_MUST_CHECK;

/* Around the rows, of which the caller has asked for one more than the page's limit:
 *     page_begin(&json);  ...one value a row, at most page.limit of them...  page_end(...) */
void page_begin(struct json *json);
/* `last` is the position of the last row written; `more`: there is another behind it. */
void page_end(struct json *json, const struct control_request *request, const struct page *page,
	      struct uuid last, bool more);

/* What lists of one kind have of their own, where the store answers at once. */
struct page_kind {
	const char *list;
	size_t row_size, id_offset; /* of a row; its id is its position */
	/* At most `limit` rows behind page->after, in the request's arena. */
	int (*read)(struct control_request *request, const struct page *page, size_t limit,
		    void **rows, size_t *count);
	void (*write)(struct json *json, struct control_request *request, void *row);
};

#define PAGE_ROW(type, id) .row_size = sizeof(type), .id_offset = offsetof(type, id)

/* Answers a request for a page of such a list. `scope`: whose. */
void page_answer(struct control_request *request, const struct page_kind *kind, struct uuid scope);
