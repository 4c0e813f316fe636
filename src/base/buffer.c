#include "base/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUFFER_FIRST = 256 };

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){.limit = buffer->limit};
}

void buffer_clear(struct buffer *buffer)
{
	buffer->size = 0;
	buffer->failed = 0;
}

int buffer_check(const struct buffer *buffer)
{
	return buffer->failed;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t size)
{
	size_t limit = buffer->limit ? buffer->limit : BUFFER_LIMIT_DEFAULT;
	if (buffer->failed)
		return NULL;
	if (buffer->data && size <= buffer->capacity - buffer->size)
		return buffer->data + buffer->size;
	if (size > limit || buffer->size > limit - size) {
		buffer->failed = -EMSGSIZE;
		return NULL;
	}
	size_t capacity = buffer->capacity ? buffer->capacity : BUFFER_FIRST;
	while (capacity < buffer->size + size)
		capacity *= 2;
	if (capacity > limit)
		capacity = limit;
	uint8_t *data = realloc(buffer->data, capacity);
	if (!data) {
		buffer->failed = -ENOMEM;
		return NULL;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return data + buffer->size;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
	if (size == 0)
		return;
	uint8_t *room = buffer_reserve(buffer, size);
	if (!room)
		return;
	memcpy(room, data, size);
	buffer->size += size;
}

void buffer_append_text(struct buffer *buffer, struct text text)
{
	buffer_append(buffer, text.data, text.size);
}

void buffer_append_byte(struct buffer *buffer, uint8_t byte)
{
	buffer_append(buffer, &byte, 1);
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	uint8_t *room = size < 0 ? NULL : buffer_reserve(buffer, (size_t)size + 1);
	if (room) {
		vsnprintf((char *)room, (size_t)size + 1, format, again);
		buffer->size += (size_t)size;
	}
	va_end(again);
}

void buffer_drop_front(struct buffer *buffer, size_t size)
{
	if (size >= buffer->size) {
		buffer->size = 0;
		return;
	}
	memmove(buffer->data, buffer->data + size, buffer->size - size);
	buffer->size -= size;
}
