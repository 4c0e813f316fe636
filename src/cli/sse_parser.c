#include "sse_parser.h"

static void set(struct buffer *buffer, struct text value)
{
	buffer_clear(buffer);
	buffer_append_text(buffer, value);
}

static void dispatch(struct sse_parser *parser)
{
	if (parser->has_data) {
		struct sse_event event = {buffer_text(&parser->id), buffer_text(&parser->type),
					  buffer_text(&parser->data)};
		if (event.type.size == 0)
			event.type = TEXT("message");
		parser->on_event(parser->owner, &event);
	}
	buffer_clear(&parser->type);
	buffer_clear(&parser->data);
	parser->has_data = false;
}

static void take_field(struct sse_parser *parser, struct text name, struct text value)
{
	if (text_equal(name, TEXT("data"))) {
		if (parser->has_data)
			buffer_append_byte(&parser->data, '\n');
		buffer_append_text(&parser->data, value);
		parser->has_data = true;
	} else if (text_equal(name, TEXT("event"))) {
		set(&parser->type, value);
	} else if (text_equal(name, TEXT("id")) && !text_has(value, '\0')) {
		set(&parser->id, value);
	}
}

static void take_line(struct sse_parser *parser, struct text line)
{
	static const struct text mark = {"\xef\xbb\xbf", 3};
	if (!parser->begun && text_starts(line, mark))
		line = text_skip(line, mark.size);
	parser->begun = true;
	if (line.size == 0) {
		dispatch(parser);
		return;
	}
	if (line.data[0] == ':')
		return;
	struct text name, value = line;
	text_split(&value, ':', &name);
	if (value.size > 0 && value.data[0] == ' ')
		value = text_skip(value, 1);
	take_field(parser, name, value);
}

static int check(const struct sse_parser *parser)
{
	int r = buffer_check(&parser->line);
	if (r == 0)
		r = buffer_check(&parser->data);
	if (r == 0)
		r = buffer_check(&parser->id);
	return r == 0 ? buffer_check(&parser->type) : r;
}

int sse_parser_feed(struct sse_parser *parser, struct bytes piece)
{
	parser->line.limit = SSE_LINE_LIMIT;
	parser->data.limit = SSE_LINE_LIMIT;
	size_t start = 0;
	for (size_t i = 0; i < piece.size; i++) {
		uint8_t c = piece.data[i];
		bool second_half = parser->after_cr && c == '\n';
		parser->after_cr = c == '\r';
		if (second_half) {
			start = i + 1;
			continue;
		}
		if (c != '\n' && c != '\r')
			continue;
		buffer_append(&parser->line, piece.data + start, i - start);
		start = i + 1;
		take_line(parser, buffer_text(&parser->line));
		buffer_clear(&parser->line);
	}
	buffer_append(&parser->line, piece.data + start, piece.size - start);
	return check(parser);
}

void sse_parser_restart(struct sse_parser *parser)
{
	buffer_clear(&parser->line);
	buffer_clear(&parser->type);
	buffer_clear(&parser->data);
	parser->has_data = parser->after_cr = parser->begun = false;
}

void sse_parser_free(struct sse_parser *parser)
{
	buffer_free(&parser->line);
	buffer_free(&parser->id);
	buffer_free(&parser->type);
	buffer_free(&parser->data);
}
