#include "base/json.h"

#include "base/clock.h"
#include "base/encode.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

static void before_value(struct json *json)
{
	if (json->comma)
		buffer_append_byte(json->out, ',');
	json->comma = true;
}

static void open_level(struct json *json, uint8_t bracket)
{
	before_value(json);
	buffer_append_byte(json->out, bracket);
	json->comma = false;
	json->depth++;
}

static void close_level(struct json *json, uint8_t bracket)
{
	assert(json->depth > 0);
	buffer_append_byte(json->out, bracket);
	json->comma = true;
	json->depth--;
}

void json_object(struct json *json)
{
	open_level(json, '{');
}

void json_object_end(struct json *json)
{
	close_level(json, '}');
}

void json_array(struct json *json)
{
	open_level(json, '[');
}

void json_array_end(struct json *json)
{
	close_level(json, ']');
}

void json_key(struct json *json, const char *key)
{
	before_value(json);
	buffer_append_byte(json->out, '"');
	buffer_append_text(json->out, text_of(key));
	buffer_append(json->out, "\":", 2);
	json->comma = false;
}

/* The two-character escape of a byte, 'u' for the long form, 0 where none is needed. */
static char escape_of(uint8_t c)
{
	switch (c) {
	case '"':
		return '"';
	case '\\':
		return '\\';
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return c < 0x20 ? 'u' : 0;
	}
}

/* Eight bytes at once: the high bit of each byte that is below 0x20, a quote or a backslash, and
 * perhaps of some behind it. Output of commands passes here byte by byte otherwise, which was a
 * third of the time of delivering it. */
static uint64_t needs_escape(uint64_t eight)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
	uint64_t quote = eight ^ ones * '"', backslash = eight ^ ones * '\\';
	uint64_t control = (eight - ones * 0x20) & ~eight;
	return (control | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs;
}

/* How many bytes from the start stand for themselves. */
static size_t plain_run(struct text text)
{
	size_t i = 0;
	for (uint64_t eight; i + sizeof(eight) <= text.size; i += sizeof(eight)) {
		memcpy(&eight, text.data + i, sizeof(eight));
		if (needs_escape(eight))
			break;
	}
	while (i < text.size && escape_of((uint8_t)text.data[i]) == 0)
		i++;
	return i;
}

void json_escape(struct buffer *out, struct text text)
{
	for (;;) {
		size_t plain = plain_run(text);
		buffer_append(out, text.data, plain);
		if (plain == text.size)
			return;
		uint8_t c = (uint8_t)text.data[plain];
		char escape = escape_of(c);
		if (escape == 'u') {
			buffer_append_format(out, "\\u%04x", c);
		} else {
			char two[2] = {'\\', escape};
			buffer_append(out, two, 2);
		}
		text = text_skip(text, plain + 1);
	}
}

void json_text(struct json *json, struct text text)
{
	before_value(json);
	buffer_append_byte(json->out, '"');
	json_escape(json->out, text);
	buffer_append_byte(json->out, '"');
}

void json_cstring(struct json *json, const char *text)
{
	if (text)
		json_text(json, text_of(text));
	else
		json_null(json);
}

void json_u64(struct json *json, uint64_t value)
{
	char digits[24];
	int size = snprintf(digits, sizeof(digits), "%" PRIu64, value);
	json_raw(json, (struct text){digits, (size_t)size});
}

void json_i64(struct json *json, int64_t value)
{
	char digits[24];
	int size = snprintf(digits, sizeof(digits), "%" PRId64, value);
	json_raw(json, (struct text){digits, (size_t)size});
}

void json_bool(struct json *json, bool value)
{
	json_raw(json, value ? TEXT("true") : TEXT("false"));
}

void json_null(struct json *json)
{
	json_raw(json, TEXT("null"));
}

void json_raw(struct json *json, struct text json_value)
{
	before_value(json);
	buffer_append_text(json->out, json_value);
}

void json_time(struct json *json, int64_t wall_ms)
{
	char text[CLOCK_TEXT_SIZE];
	if (wall_ms == 0) {
		json_null(json);
		return;
	}
	clock_format(wall_ms, text);
	json_text(json, text_of(text));
}

void json_base64(struct json *json, struct bytes bytes)
{
	before_value(json);
	buffer_append_byte(json->out, '"');
	encode_base64(json->out, bytes);
	buffer_append_byte(json->out, '"');
}
