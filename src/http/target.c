#include "http/target.h"

#include <errno.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int decode(struct text encoded, bool plus_is_blank, struct arena *arena,
		  struct text *decoded)
{
	char *out = arena_alloc(arena, encoded.size + 1);
	size_t size = 0;
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < encoded.size; i++) {
		char c = encoded.data[i];
		if (c == '%') {
			if (encoded.size - i < 3)
				return 1;
			int high = hex_value(encoded.data[i + 1]),
			    low = hex_value(encoded.data[i + 2]);
			if (high < 0 || low < 0)
				return 1;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		out[size++] = c;
	}
	*decoded = (struct text){out, size};
	return 0;
}

int target_decode(struct text encoded, struct arena *arena, struct text *decoded)
{
	return decode(encoded, false, arena, decoded);
}

int target_next_parameter(struct text *query, struct arena *arena, struct text *name,
			  struct text *value)
{
	struct text pair, key;
	text_split(query, '&', &pair);
	text_split(&pair, '=', &key);
	int r = decode(key, true, arena, name);
	return r ? r : decode(pair, true, arena, value);
}
