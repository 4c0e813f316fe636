/* Identifiers: UUIDv7 (RFC 9562), shown as a prefix that says of what and 26 characters of
 * Crockford base32. They sort by the time of their making; within one process they never repeat and
 * never go back. */
#pragma once

#include "base/encode.h"

enum id_kind {
	ID_WORKSPACE,
	ID_PROJECT,
	ID_OPERATION,
	ID_RUNTIME,
	ID_PREVIEW,
	ID_SNAPSHOT,
	ID_SECRET,
	ID_KEY,
	ID_USER,
	ID_KINDS
};

struct uuid {
	uint8_t b[16];
};

enum { ID_TEXT_SIZE = 4 + BASE32_SIZE + 1 }; /* the longest prefix, the digits, NUL */

struct id_text {
	char data[ID_TEXT_SIZE];
};

struct uuid uuid_new(int64_t wall_ms);
bool uuid_is_zero(struct uuid uuid);
bool uuid_equal(struct uuid a, struct uuid b);
int64_t uuid_time_ms(struct uuid uuid);

/* A NUL-terminated text by value: id_format(ID_OPERATION, op).data. */
struct id_text id_format(enum id_kind kind, struct uuid uuid);
int id_parse(enum id_kind kind, struct text text,
	     struct uuid *uuid); /* 1 if it is no such identifier */
