/* A bounded read position in foreign bytes. Every read checks; after the first that does not fit
 * all reads give zeros and `failed` stays set, so that a parser may read a whole header and ask
 * once. Integers are little-endian. */
#pragma once

#include "base/text.h"

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline struct cursor cursor_of(struct bytes bytes)
{
	return (struct cursor){bytes.data, bytes.data + bytes.size, false};
}

static inline size_t cursor_left(const struct cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

struct bytes cursor_bytes(struct cursor *cursor, size_t size);
uint8_t cursor_u8(struct cursor *cursor);
uint16_t cursor_u16(struct cursor *cursor);
uint32_t cursor_u32(struct cursor *cursor);
uint64_t cursor_u64(struct cursor *cursor);

static inline void put_u16(uint8_t *at, uint16_t v)
{
	memcpy(at, &v, 2);
}
static inline void put_u32(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, 4);
}
static inline void put_u64(uint8_t *at, uint64_t v)
{
	memcpy(at, &v, 8);
}
