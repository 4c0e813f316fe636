#include "proc/control/page.h"

#include "base/error.h"
#include "crypt/digest.h"
#include "crypt/random.h"
#include "crypt/secret.h"
#include "proc/control/answer.h"

#include <errno.h>
#include <stdlib.h>

struct cursor_key {
	uint8_t b[32];
};

static const struct text key_name = TEXT("cursor.key");

int cursor_key_load(struct store *store, struct cursor_key **out)
{
	struct arena arena ATTR_ARENA = {0};
	struct bytes stored;
	struct cursor_key *key = calloc(1, sizeof(*key));
	if (!key)
		return error_origin(-ENOMEM);
	int r = store->base->value_get(store, key_name, &arena, &stored);
	if (r == 0 && stored.size == sizeof(key->b)) {
		memcpy(key->b, stored.data, sizeof(key->b));
	} else if (r == STORE_NOT_FOUND) {
		random_fill(key->b, sizeof(key->b));
		store->base->value_set(store, key_name, (struct bytes){key->b, sizeof(key->b)},
				       NULL);
		r = store->base->flush(store) == STORE_DONE ? 0 : error_origin(-EIO);
	} else {
		r = error_origin(-EUCLEAN);
	}
	if (r < 0) {
		cursor_key_free(key);
		return r;
	}
	*out = key;
	return 0;
}

void cursor_key_free(struct cursor_key *key)
{
	if (!key)
		return;
	secret_wipe(key, sizeof(*key));
	free(key);
}

static struct digest_value seal(const struct cursor_key *key, const char *list, struct uuid scope,
				struct uuid position)
{
	uint8_t message[64] = {0};
	size_t name = strlen(list);
	memcpy(message, scope.b, sizeof(scope.b));
	memcpy(message + 16, position.b, sizeof(position.b));
	memcpy(message + 32, list, name < 32 ? name : 32);
	return digest_hmac((struct bytes){key->b, sizeof(key->b)},
			   (struct bytes){message, sizeof(message)});
}

void page_cursor_write(const struct cursor_key *key, const char *list, struct uuid scope,
		       struct uuid position, char text[PAGE_CURSOR_SIZE])
{
	struct digest_value mac = seal(key, list, scope, position);
	encode_base32(position.b, text);
	encode_base32(mac.b, text + BASE32_SIZE);
	text[2 * BASE32_SIZE] = '\0';
}

int page_cursor_read(const struct cursor_key *key, const char *list, struct uuid scope,
		     struct text text, struct uuid *position)
{
	struct uuid claimed, mac;
	if (text.size != 2 * BASE32_SIZE || decode_base32(text.data, claimed.b) ||
	    decode_base32(text.data + BASE32_SIZE, mac.b))
		return 1;
	struct digest_value expected = seal(key, list, scope, claimed);
	if (!bytes_equal_secret((struct bytes){mac.b, sizeof(mac.b)},
				(struct bytes){expected.b, sizeof(mac.b)}))
		return 1;
	*position = claimed;
	return 0;
}

/* ---- the query ---- */

enum { KNOWN_MAX = 16 };

static int check_names(struct control_request *request, const char *const *known)
{
	const char *all[KNOWN_MAX + 3] = {"limit", "cursor"};
	for (size_t i = 0; known && known[i] && i < KNOWN_MAX; i++)
		all[2 + i] = known[i];
	return control_request_check_query(request, all);
}

int page_read(struct control_request *request, const char *list, struct uuid scope,
	      const char *const *known, struct page *page)
{
	struct page read = {.list = list, .scope = scope, .limit = PAGE_LIMIT_DEFAULT};
	uint64_t limit;
	if (check_names(request, known))
		return 1;
	struct text text = control_request_query(request, "limit");
	if (text.data && (text_parse_u64(text, PAGE_LIMIT_MAX, &limit) || limit == 0)) {
		control_answer_problem(request, PROBLEM_INVALID_INPUT,
				       "\"limit\" must be a number from 1 to %d", PAGE_LIMIT_MAX);
		return 1;
	}
	if (text.data)
		read.limit = (size_t)limit;
	text = control_request_query(request, "cursor");
	if (text.data &&
	    page_cursor_read(request->control->cursors, list, scope, text, &read.after)) {
		control_answer_problem(request, PROBLEM_INVALID_CURSOR, NULL);
		return 1;
	}
	*page = read;
	return 0;
}

void page_begin(struct json *json)
{
	json_object(json);
	json_key(json, "items");
	json_array(json);
}

void page_end(struct json *json, const struct control_request *request, const struct page *page,
	      struct uuid last, bool more)
{
	char cursor[PAGE_CURSOR_SIZE];
	json_array_end(json);
	json_key(json, "nextCursor");
	if (more) {
		page_cursor_write(request->control->cursors, page->list, page->scope, last, cursor);
		json_cstring(json, cursor);
	} else {
		json_null(json);
	}
	json_object_end(json);
}

void page_answer(struct control_request *request, const struct page_kind *kind, struct uuid scope)
{
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	struct page page;
	void *rows = NULL;
	size_t count = 0;
	if (page_read(request, kind->list, scope, NULL, &page))
		return;
	/* One more than is shown tells whether there are more. */
	int r = kind->read(request, &page, page.limit + 1, &rows, &count);
	if (r != 0) {
		control_answer_outcome(request, r);
		return;
	}
	bool more = count > page.limit;
	struct uuid last = page.after;
	page_begin(&json);
	for (size_t i = 0; i < count - more; i++) {
		char *row = (char *)rows + i * kind->row_size;
		memcpy(last.b, row + kind->id_offset, sizeof(last.b));
		kind->write(&json, request, row);
	}
	page_end(&json, request, &page, last, more);
	control_answer_json(request, 200, &body);
}
