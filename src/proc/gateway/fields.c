#include "proc/gateway/fields.h"

#include "proto/gateway_control.h"

/* ---- Prefer ---- */

static struct text unquoted(struct text value)
{
	if (value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"')
		return (struct text){value.data + 1, value.size - 2};
	return value;
}

uint32_t fields_prefer_wait(struct text prefer, bool *applied)
{
	*applied = false;
	while (prefer.data) {
		struct text preference, name;
		text_split(&prefer, ',', &preference);
		text_split(&preference, ';', &name);
		struct text value = name;
		text_split(&value, '=', &name);
		uint64_t seconds;
		if (!text_equal_ignoring_case(text_trim(name), TEXT("wait")) ||
		    text_parse_u64(unquoted(text_trim(value)), UINT32_MAX, &seconds))
			continue;
		*applied = true;
		return seconds > PREFER_WAIT_LIMIT_S ? PREFER_WAIT_LIMIT_S : (uint32_t)seconds;
	}
	return 0;
}

/* ---- traceparent ---- */

enum { TRACEPARENT_SIZE = 55 };

static bool is_lower_hex(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!(text.data[i] >= '0' && text.data[i] <= '9') &&
		    !(text.data[i] >= 'a' && text.data[i] <= 'f'))
			return false;
	return true;
}

static bool is_zero(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] != '0')
			return false;
	return true;
}

bool fields_traceparent_is_valid(struct text traceparent)
{
	const char *data = traceparent.data;
	if (traceparent.size < TRACEPARENT_SIZE)
		return false;
	struct text version = {data, 2}, trace = {data + 3, 32}, parent = {data + 36, 16},
		    flags = {data + 53, 2};
	if (data[2] != '-' || data[35] != '-' || data[52] != '-')
		return false;
	if (!is_lower_hex(version) || !is_lower_hex(trace) || !is_lower_hex(parent) ||
	    !is_lower_hex(flags))
		return false;
	if (is_zero(trace) || is_zero(parent) || text_equal(version, TEXT("ff")))
		return false;
	if (traceparent.size == TRACEPARENT_SIZE)
		return true;
	return !is_zero(version) &&
	       data[TRACEPARENT_SIZE] == '-'; /* later versions may add fields */
}

/* ---- X-Request-Id ---- */

static bool is_plain(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

bool fields_request_id_is_plain(struct text id)
{
	for (size_t i = 0; i < id.size; i++)
		if (!is_plain(id.data[i]))
			return false;
	return id.size > 0 && id.size <= REQUEST_ID_LIMIT;
}

/* ---- Idempotency-Key ---- */

static int append_quoted(struct text inner, struct buffer *out)
{
	for (size_t i = 0; i < inner.size; i++) {
		char c = inner.data[i];
		if (c == '"' || c < 0x20 || c > 0x7e)
			return 1;
		if (c == '\\') {
			if (++i == inner.size || (inner.data[i] != '"' && inner.data[i] != '\\'))
				return 1;
			c = inner.data[i];
		}
		buffer_append_byte(out, (uint8_t)c);
	}
	return 0;
}

/* UTF-8 has one byte per character that is no continuation. */
static size_t count_characters(struct text text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.size; i++)
		count += ((uint8_t)text.data[i] & 0xc0) != 0x80;
	return count;
}

static bool has_controls(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if ((uint8_t)text.data[i] < 0x20 || text.data[i] == 0x7f)
			return true;
	return false;
}

int fields_idempotency_key(struct text field, struct buffer *out)
{
	size_t start = out->size;
	struct text key = text_trim(field);
	bool quoted = key.size >= 2 && key.data[0] == '"' && key.data[key.size - 1] == '"';
	if (quoted && append_quoted((struct text){key.data + 1, key.size - 2}, out))
		return 1;
	if (!quoted)
		buffer_append_text(out, key);
	if (buffer_check(out) != 0 || out->size == start)
		return 1;
	struct text result = {(const char *)out->data + start, out->size - start};
	if (!text_is_utf8(result) || has_controls(result))
		return 1;
	return count_characters(result) > IDEMPOTENCY_KEY_LIMIT;
}

/* ---- media types ---- */

struct text fields_media_type(struct text content_type)
{
	struct text type;
	text_split(&content_type, ';', &type);
	return text_trim(type);
}

static bool quality_is_zero(struct text parameters)
{
	while (parameters.data) {
		struct text value, name;
		text_split(&parameters, ';', &value);
		text_split(&value, '=', &name);
		if (!text_equal_ignoring_case(text_trim(name), TEXT("q")))
			continue;
		value = text_trim(value);
		for (size_t i = 0; i < value.size; i++)
			if (value.data[i] != '0' && value.data[i] != '.')
				return false;
		return true;
	}
	return false;
}

bool fields_accept_names(struct text accept, struct text type)
{
	while (accept.data) {
		struct text range, name;
		text_split(&accept, ',', &range);
		text_split(&range, ';', &name);
		if (text_equal_ignoring_case(text_trim(name), type))
			return !quality_is_zero(range);
	}
	return false;
}
