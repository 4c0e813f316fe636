#include "result_lines.h"

enum { RESULT_LINES_GATHERED = 16 << 10 };

struct json result_lines_begin(struct result_lines *lines)
{
	struct json json = json_to(&lines->pending);
	json_object(&json);
	return json;
}

int result_lines_flush(struct result_lines *lines)
{
	struct text left = buffer_text(&lines->pending);
	while (left.size > 0) {
		struct text piece = left;
		if (piece.size > EVENT_CHUNK_LIMIT)
			piece.size = EVENT_CHUNK_LIMIT;
		piece.size -= text_utf8_tail(piece);
		task_output(lines->task, EVENT_RESULT, text_bytes(piece));
		left = text_skip(left, piece.size);
	}
	buffer_free(&lines->pending);
	return link_flush(lines->task->up);
}

int result_lines_end(struct result_lines *lines, struct json *json)
{
	json_object_end(json);
	buffer_append_byte(&lines->pending, '\n');
	int r = buffer_check(&lines->pending);
	return r == 0 && lines->pending.size >= RESULT_LINES_GATHERED ? result_lines_flush(lines)
								      : r;
}

void result_lines_text(struct json *json, const char *key, struct text text)
{
	struct buffer shown ATTR_BUFFER = {0};
	json_key(json, key);
	if (text_is_utf8(text)) {
		json_text(json, text);
		return;
	}
	for (size_t i = 0; i < text.size; i++)
		buffer_append_byte(
		    &shown, (uint8_t)((unsigned char)text.data[i] < 0x80 ? text.data[i] : '?'));
	json_text(json, buffer_text(&shown));
}
