/* A growing run of bytes with a limit. Appending fails softly: the first failure is kept in
 * `failed` (-ENOMEM, or -EMSGSIZE past the limit), later appends do nothing, and the one who takes
 * the result asks buffer_check() once. */
#pragma once

#include "base/text.h"

struct buffer {
	uint8_t *data;
	size_t size;
	size_t capacity;
	size_t limit; /* 0 stands for BUFFER_LIMIT_DEFAULT */
	int failed;
};

enum { BUFFER_LIMIT_DEFAULT = 64 << 20 };

void buffer_free(struct buffer *buffer); /* leaves a valid empty buffer with the same limit */
void buffer_clear(struct buffer *buffer);
int buffer_check(const struct buffer *buffer) ATTR_MUST_CHECK;

/* Room for `size` more bytes at data + size, or NULL. The caller then raises `size` itself. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_append_text(struct buffer *buffer, struct text text);
void buffer_append_byte(struct buffer *buffer, uint8_t byte);
void buffer_append_format(struct buffer *buffer, const char *format, ...) ATTR_PRINTF(2, 3);
void buffer_drop_front(struct buffer *buffer, size_t size);

static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
	return (struct bytes){buffer->data, buffer->size};
}

static inline struct text buffer_text(const struct buffer *buffer)
{
	return (struct text){(const char *)buffer->data, buffer->size};
}

#define ATTR_BUFFER ATTR_CLEANUP(buffer_free)
