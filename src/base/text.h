/* Views of text and of bytes. A view owns nothing and is valid only as long as what it looks at.
 * A text may hold any byte, NUL too, until it has been checked. */
#pragma once

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *data;
	size_t size;
};

struct bytes {
	const uint8_t *data;
	size_t size;
};

#define TEXT(literal) ((struct text){"" literal, sizeof(literal) - 1})

static inline struct text text_of(const char *c_string)
{
	return (struct text){c_string, c_string ? strlen(c_string) : 0};
}

static inline struct bytes text_bytes(struct text text)
{
	return (struct bytes){(const uint8_t *)text.data, text.size};
}

static inline struct text bytes_text(struct bytes bytes)
{
	return (struct text){(const char *)bytes.data, bytes.size};
}

bool text_equal(struct text a, struct text b);
bool text_equal_ignoring_case(struct text a, struct text b); /* ASCII only */
bool text_starts(struct text text, struct text prefix);
bool text_ends(struct text text, struct text suffix);
bool text_has(struct text text, char c);
struct text text_skip(struct text text, size_t count); /* without its first `count` bytes */
struct text text_trim(struct text text);               /* without blanks and tabs at both ends */

/* Splits at the first `separator`: `head` gets what stands before it, `text` keeps what stands
 * after. Without a separator `head` gets all and `text` becomes empty with data NULL. */
void text_split(struct text *text, char separator, struct text *head);

/* Decimal digits only; 1 if it is anything else or does not fit below `limit` + 1. */
int text_parse_u64(struct text text, uint64_t limit, uint64_t *value);

/* True if all of it is well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong). */
bool text_is_utf8(struct text text);

/* How many bytes at the end begin a character that is not complete yet: 0 to 3. */
size_t text_utf8_tail(struct text text);

/* A NUL-terminated copy, to be freed; NULL when memory is short. */
char *text_dup(struct text text);

/* Compares in a time that depends on the sizes alone: for secrets. */
bool bytes_equal_secret(struct bytes a, struct bytes b);

void text_free(char **text); /* for ATTR_CLEANUP */
