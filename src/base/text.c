#include "base/text.h"

#include <stdlib.h>

bool text_equal(struct text a, struct text b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static char lower(char c)
{
	return (c >= 'A' && c <= 'Z') ? (char)(c + 32) : c;
}

bool text_equal_ignoring_case(struct text a, struct text b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++)
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	return true;
}

bool text_starts(struct text text, struct text prefix)
{
	return text.size >= prefix.size &&
	       text_equal((struct text){text.data, prefix.size}, prefix);
}

bool text_ends(struct text text, struct text suffix)
{
	return text.size >= suffix.size &&
	       text_equal(text_skip(text, text.size - suffix.size), suffix);
}

bool text_has(struct text text, char c)
{
	return text.size > 0 && memchr(text.data, c, text.size) != NULL;
}

struct text text_skip(struct text text, size_t count)
{
	if (count > text.size)
		count = text.size;
	if (count == 0)
		return text; /* `data` may be NULL */
	return (struct text){text.data + count, text.size - count};
}

struct text text_trim(struct text text)
{
	while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
		text = text_skip(text, 1);
	while (text.size > 0 &&
	       (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
		text.size--;
	return text;
}

void text_split(struct text *text, char separator, struct text *head)
{
	const char *found = text->size > 0 ? memchr(text->data, separator, text->size) : NULL;
	if (!found) {
		*head = *text;
		*text = (struct text){0};
		return;
	}
	size_t before = (size_t)(found - text->data);
	*head = (struct text){text->data, before};
	*text = text_skip(*text, before + 1);
}

int text_parse_u64(struct text text, uint64_t limit, uint64_t *value)
{
	uint64_t total = 0;
	if (text.size == 0 || text.size > 20)
		return 1;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return 1;
		uint64_t digit = (uint64_t)(text.data[i] - '0');
		if (total > (UINT64_MAX - digit) / 10)
			return 1;
		total = total * 10 + digit;
	}
	if (total > limit)
		return 1;
	*value = total;
	return 0;
}

/* The length of the well-formed character at `at`; 0 if there is none, -1 if it is cut off by
 * `end`. */
static int utf8_length(const uint8_t *at, const uint8_t *end)
{
	uint8_t first = at[0];
	if (first < 0x80)
		return 1;
	int length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	uint8_t low = 0x80, high = 0xbf;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	for (int i = 1; i < length; i++) {
		if (at + i == end)
			return -1;
		if (at[i] < low || at[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return length;
}

bool text_is_utf8(struct text text)
{
	if (text.size == 0)
		return true;
	const uint8_t *at = (const uint8_t *)text.data, *end = at + text.size;
	while (at < end) {
		uint64_t eight;
		if (end - at >= 8 && (memcpy(&eight, at, 8), !(eight & 0x8080808080808080u))) {
			at += 8;
			continue;
		}
		int length = utf8_length(at, end);
		if (length <= 0)
			return false;
		at += length;
	}
	return true;
}

size_t text_utf8_tail(struct text text)
{
	if (text.size == 0) /* also one without data: not even 0 may be added to NULL */
		return 0;
	const uint8_t *start = (const uint8_t *)text.data, *end = start + text.size;
	for (size_t back = 1; back <= 3 && back <= text.size; back++) {
		const uint8_t *at = end - back;
		if (*at >= 0xc0)
			return utf8_length(at, end) < 0 ? back : 0;
		if (*at < 0x80)
			return 0;
	}
	return 0;
}

char *text_dup(struct text text)
{
	char *copy = malloc(text.size + 1);
	if (copy) {
		if (text.size)
			memcpy(copy, text.data, text.size);
		copy[text.size] = '\0';
	}
	return copy;
}

bool bytes_equal_secret(struct bytes a, struct bytes b)
{
	volatile uint8_t difference = 0;
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++)
		difference |= (uint8_t)(a.data[i] ^ b.data[i]);
	return difference == 0;
}

void text_free(char **text)
{
	free(*text);
	*text = NULL;
}
