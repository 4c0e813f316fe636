#include "port/log/record.h"

#include "base/cursor.h"
#include "base/error.h"
#include "port/log/crc32c.h"

#include <errno.h>

static size_t padded(size_t size)
{
	return (size + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1);
}

static void put_header(uint8_t *at, uint64_t position, uint32_t back,
		       const struct log_append *append)
{
	put_u32(at + 4, (uint32_t)append->data.size);
	put_u64(at + 8, position);
	put_u64(at + 16, (uint64_t)append->time_ms);
	put_u32(at + 24, back);
	at[28] = append->tag;
	at[29] = append->n_subjects;
	put_u16(at + 30, 0);
	for (size_t i = 0; i < append->n_subjects; i++)
		put_u64(at + RECORD_HEADER + i * 8, append->subjects[i]);
}

int record_encode(struct buffer *out, uint64_t salt, uint64_t position,
		  const struct log_append *append)
{
	if (append->data.size > LOG_DATA_LIMIT || append->n_subjects > LOG_SUBJECTS_MAX ||
	    append->tag > LOG_TAG_MAX)
		return error_origin(-EMSGSIZE);
	size_t head = RECORD_HEADER + append->n_subjects * (size_t)8;
	size_t size = head + append->data.size;
	uint8_t *at = buffer_reserve(out, padded(size));
	if (!at)
		return error_origin(buffer_check(out));
	put_header(at, position ^ salt, (uint32_t)(out->size / RECORD_ALIGN), append);
	if (append->data.size)
		memcpy(at + head, append->data.data, append->data.size);
	memset(at + size, 0, padded(size) - size);
	put_u32(at, crc32c((uint32_t)salt, (struct bytes){at + 4, size - 4}));
	out->size += padded(size);
	return 0;
}

/* Everything but the checksum. */
static int parse(struct bytes bytes, struct record *record, uint32_t *checksum, size_t *checked)
{
	struct cursor cursor = cursor_of(bytes);
	*checksum = cursor_u32(&cursor);
	uint32_t size = cursor_u32(&cursor);
	record->position = cursor_u64(&cursor);
	record->time_ms = (int64_t)cursor_u64(&cursor);
	record->back = cursor_u32(&cursor);
	record->tag = cursor_u8(&cursor);
	record->n_subjects = cursor_u8(&cursor);
	uint16_t zero = cursor_u16(&cursor);
	if (size > LOG_DATA_LIMIT || record->n_subjects > LOG_SUBJECTS_MAX ||
	    record->tag > LOG_TAG_MAX || zero)
		return RECORD_DAMAGED;
	*checked = RECORD_HEADER + record->n_subjects * (size_t)8 + size;
	record->size = padded(*checked);
	if (bytes.size < record->size)
		return RECORD_SHORT;
	for (size_t i = 0; i < record->n_subjects; i++)
		record->subjects[i] = cursor_u64(&cursor);
	record->data = cursor_bytes(&cursor, size);
	return 0;
}

int record_decode(struct bytes bytes, uint64_t salt, struct record *record)
{
	uint32_t checksum;
	size_t checked;
	struct record parsed = {.size = RECORD_HEADER};
	int r =
	    bytes.size < RECORD_HEADER ? RECORD_SHORT : parse(bytes, &parsed, &checksum, &checked);
	if (r == RECORD_SHORT)
		record->size = parsed.size;
	if (r)
		return r;
	if (crc32c((uint32_t)salt, (struct bytes){bytes.data + 4, checked - 4}) != checksum)
		return RECORD_DAMAGED;
	parsed.position ^= salt;
	*record = parsed;
	return 0;
}
