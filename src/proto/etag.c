#include "proto/etag.h"

#include <string.h>

static bool is_same(struct text item, struct text etag)
{
	return text_equal(item, etag) || (etag.size >= 2 && item.size + 2 == etag.size &&
					  memcmp(item.data, etag.data + 1, item.size) == 0);
}

bool etag_list_has(struct text list, struct text etag, bool weak)
{
	struct text item;
	if (text_equal(text_trim(list), TEXT("*")))
		return true;
	while (list.size > 0) {
		text_split(&list, ',', &item);
		item = text_trim(item);
		if (weak && text_starts(item, TEXT("W/")))
			item = text_skip(item, 2);
		if (is_same(item, etag))
			return true;
	}
	return false;
}
