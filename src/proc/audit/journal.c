#include "proc/audit/journal.h"

#include "base/cursor.h"
#include "crypt/digest.h"

static uint64_t check_of(uint64_t seq, const struct journal_frame *frame)
{
	uint8_t number[8];
	uint64_t check;
	put_u64(number, seq);
	const struct bytes parts[] = {
	    {number, sizeof(number)}, {frame->id.b, sizeof(frame->id.b)}, text_bytes(frame->entry)};
	struct digest_value hash = digest_of_parts(parts, ARRAY_SIZE(parts));
	memcpy(&check, hash.b, sizeof(check));
	return check;
}

void journal_append_frame(struct buffer *out, uint64_t seq, const struct journal_frame *frame)
{
	uint8_t head[JOURNAL_FRAME_HEAD];
	put_u32(head, (uint32_t)frame->entry.size);
	put_u64(head + 4, check_of(seq, frame));
	memcpy(head + 12, frame->id.b, sizeof(frame->id.b));
	buffer_append(out, head, sizeof(head));
	buffer_append_text(out, frame->entry);
}

int journal_next_frame(struct bytes *rest, uint64_t seq, struct journal_frame *frame)
{
	struct cursor cursor = cursor_of(*rest);
	struct journal_frame read;
	if (rest->size == 0)
		return 1;
	uint32_t size = cursor_u32(&cursor);
	uint64_t check = cursor_u64(&cursor);
	struct bytes id = cursor_bytes(&cursor, sizeof(read.id.b));
	if (cursor.failed || size == 0 || size > JOURNAL_ENTRY_MAX)
		return 2;
	read.entry = bytes_text(cursor_bytes(&cursor, size));
	if (cursor.failed)
		return 2;
	memcpy(read.id.b, id.data, sizeof(read.id.b));
	if (check_of(seq, &read) != check)
		return 2;
	*rest = (struct bytes){cursor.at, cursor_left(&cursor)};
	*frame = read;
	return 0;
}
