#include "http/http2_head.h"

#include <stdlib.h>

/* Until the head is whole a field's views are offsets: the buffer may move while it grows. */
static struct text keep(struct http_exchange *exchange, struct text text)
{
	size_t at = exchange->head.size;
	buffer_append_text(&exchange->head, text);
	return (struct text){(const char *)at, text.size};
}

static void settle_view(const struct http_exchange *exchange, struct text *view)
{
	view->data = (const char *)exchange->head.data + (uintptr_t)view->data;
}

static void keep_field(struct http_stream *stream, struct text name, struct text value)
{
	struct http_exchange *exchange = &stream->exchange;
	if (!exchange->fields)
		exchange->fields = calloc(HTTP_FIELDS_MAX, sizeof(*exchange->fields));
	if (!exchange->fields || exchange->n_fields == HTTP_FIELDS_MAX) {
		stream->too_large = true;
		return;
	}
	struct http_field *field = &exchange->fields[exchange->n_fields++];
	field->name = keep(exchange, name);
	field->value = keep(exchange, value);
}

void http2_head_add(struct http_stream *stream, struct text name, struct text value)
{
	struct http_exchange *exchange = &stream->exchange;
	if (text_equal(name, TEXT(":method")))
		exchange->method = keep(exchange, value);
	else if (text_equal(name, TEXT(":path")))
		exchange->target = keep(exchange, value);
	else if (text_equal(name, TEXT(":authority")))
		keep_field(stream, TEXT("host"), value);
	else if (!text_starts(name, TEXT(":")))
		keep_field(stream, name, value);
	if (buffer_check(&exchange->head) < 0)
		stream->too_large = true;
}

static void settle_views(struct http_exchange *exchange)
{
	settle_view(exchange, &exchange->method);
	settle_view(exchange, &exchange->target);
	for (size_t i = 0; i < exchange->n_fields; i++) {
		settle_view(exchange, &exchange->fields[i].name);
		settle_view(exchange, &exchange->fields[i].value);
	}
}

/* RFC 9113 section 8.3.1: `:authority` and Host, if both came, name the same. One is kept. */
static bool has_one_host(struct http_exchange *exchange)
{
	struct text host = http_exchange_field(exchange, TEXT("host"));
	size_t kept = 0;
	bool is_first = true;
	for (size_t i = 0; i < exchange->n_fields; i++) {
		if (text_equal(exchange->fields[i].name, TEXT("host"))) {
			if (!text_equal_ignoring_case(exchange->fields[i].value, host))
				return false;
			if (!is_first)
				continue;
			is_first = false;
		}
		exchange->fields[kept++] = exchange->fields[i];
	}
	exchange->n_fields = kept;
	return host.data && http_is_authority(host);
}

static bool is_target(const struct http_exchange *exchange)
{
	struct text target = exchange->target;
	if (text_equal(target, TEXT("*")))
		return text_equal(exchange->method, TEXT("OPTIONS"));
	return text_starts(target, TEXT("/")) && http_is_target(target);
}

static void describe_body(struct http_exchange *exchange, bool has_body)
{
	struct text length = http_exchange_field(exchange, TEXT("content-length"));
	uint64_t size = 0;
	exchange->has_body = has_body;
	exchange->body_size = !has_body ? 0 : HTTP_LENGTH_UNKNOWN;
	if (has_body && length.data && text_parse_u64(length, INT64_MAX, &size) == 0)
		exchange->body_size = size;
}

int http2_head_finish(struct http_stream *stream, bool has_body, struct http_refusal *refusal)
{
	static const struct http_refusal too_large = {431, "head_too_large",
						      "The head of the request is too large"};
	static const struct http_refusal two_hosts = {
	    400, "bad_request", ":authority and Host are malformed or differ"};
	static const struct http_refusal too_long = {414, "target_too_long",
						     "The target is longer than 8192 bytes"};
	static const struct http_refusal no_path = {400, "bad_request", "The target is not a path"};
	struct http_exchange *exchange = &stream->exchange;
	const struct http_refusal *found = NULL;
	if (stream->too_large) {
		*refusal = too_large;
		return 1;
	}
	settle_views(exchange);
	exchange->is_head_request = text_equal(exchange->method, TEXT("HEAD"));
	describe_body(exchange, has_body);
	if (!has_one_host(exchange))
		found = &two_hosts;
	else if (exchange->target.size > HTTP_TARGET_MAX)
		found = &too_long;
	else if (!is_target(exchange))
		found = &no_path;
	if (!found)
		return 0;
	*refusal = *found;
	return 1;
}
