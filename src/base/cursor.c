#include "base/cursor.h"
#include <assert.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the codecs copy integers as they lie");

struct bytes cursor_bytes(struct cursor *cursor, size_t size)
{
	if (cursor->failed || size > cursor_left(cursor)) {
		cursor->failed = true;
		return (struct bytes){0};
	}
	struct bytes taken = {cursor->at, size};
	cursor->at += size;
	return taken;
}

#define CURSOR_INTEGER(name, type)                                                                 \
	type name(struct cursor *cursor)                                                           \
	{                                                                                          \
		struct bytes raw = cursor_bytes(cursor, sizeof(type));                             \
		type value = 0;                                                                    \
		if (raw.data)                                                                      \
			memcpy(&value, raw.data, sizeof(value));                                   \
		return value;                                                                      \
	}

CURSOR_INTEGER(cursor_u8, uint8_t)
CURSOR_INTEGER(cursor_u16, uint16_t)
CURSOR_INTEGER(cursor_u32, uint32_t)
CURSOR_INTEGER(cursor_u64, uint64_t)
