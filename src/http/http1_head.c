#include "http/http1_head.h"

#include "http/exchange.h"

static int refuse(struct http1_refusal *refusal, int status, const char *detail)
{
	const char *code = status == 414   ? "target_too_long"
			   : status == 431 ? "head_too_large"
			   : status == 501 ? "not_implemented"
			   : status == 505 ? "version_not_supported"
			   : status == 417 ? "expectation_failed"
					   : "bad_request";
	*refusal = (struct http1_refusal){status, code, detail};
	return 1;
}

size_t http1_head_size(struct bytes input)
{
	const uint8_t *found = memmem(input.data, input.size, "\r\n\r\n", 4);
	return found ? (size_t)(found - input.data) + 4 : 0;
}

/* A line without its CRLF; anything else that could end a line for somebody is an error. */
static int next_line(struct text *rest, struct text *line, struct http1_refusal *refusal)
{
	text_split(rest, '\n', line);
	if (!text_ends(*line, TEXT("\r")))
		return refuse(refusal, 400, "A line of the head does not end with CR LF");
	line->size--;
	if (text_has(*line, '\r') || text_has(*line, '\0'))
		return refuse(refusal, 400, "The head holds a control character");
	return 0;
}

static bool is_target(struct text target)
{
	for (size_t i = 0; i < target.size; i++)
		if ((unsigned char)target.data[i] <= 0x20 ||
		    (unsigned char)target.data[i] >= 0x7f || target.data[i] == '#')
			return false;
	return target.size > 0 && target.data[0] == '/';
}

static int parse_request_line(struct text line, struct http1_head *head,
			      struct http1_refusal *refusal)
{
	struct text version = line;
	text_split(&version, ' ', &head->method);
	text_split(&version, ' ', &head->target);
	if (head->method.size > HTTP1_METHOD_MAX || !http_is_token(head->method))
		return refuse(refusal, 400, "The method is malformed");
	if (head->target.size > HTTP1_TARGET_MAX)
		return refuse(refusal, 414, "The target is longer than 8192 bytes");
	if (!is_target(head->target))
		return refuse(refusal, 400, "The target is not a path");
	if (version.size != 8 || !text_starts(version, TEXT("HTTP/")) || version.data[6] != '.')
		return refuse(refusal, 400, "The request line is malformed");
	if (version.data[5] != '1' || (version.data[7] != '0' && version.data[7] != '1'))
		return refuse(refusal, 505, "Only HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here");
	head->minor = (uint8_t)(version.data[7] - '0');
	return 0;
}

static void lower(struct text name)
{
	char *at = (char *)(uintptr_t)name.data; /* lies in the caller's writable head */
	for (size_t i = 0; i < name.size; i++)
		if (at[i] >= 'A' && at[i] <= 'Z')
			at[i] = (char)(at[i] + 32);
}

static int parse_field(struct text line, struct http1_head *head, struct http1_refusal *refusal)
{
	struct text value = line, name;
	if (head->n_fields == HTTP_FIELDS_MAX)
		return refuse(refusal, 431, "The request has more than 100 fields");
	text_split(&value, ':', &name);
	if (!value.data || !http_is_token(name))
		return refuse(refusal, 400, "A field's name is malformed");
	value = text_trim(value);
	if (!http_is_field_value(value))
		return refuse(refusal, 400, "A field's value holds a control character");
	lower(name);
	head->fields[head->n_fields++] = (struct http_field){name, value};
	return 0;
}

static const struct http_field *only_field(const struct http1_head *head, struct text name,
					   size_t *count)
{
	const struct http_field *found = NULL;
	*count = 0;
	for (size_t i = 0; i < head->n_fields; i++) {
		if (!text_equal(head->fields[i].name, name))
			continue;
		found = &head->fields[i];
		(*count)++;
	}
	return found;
}

/* RFC 9112 section 6: one way to tell where the body ends, told once. */
static int check_framing(struct http1_head *head, struct http1_refusal *refusal)
{
	size_t lengths, encodings;
	const struct http_field *length = only_field(head, TEXT("content-length"), &lengths);
	const struct http_field *encoding = only_field(head, TEXT("transfer-encoding"), &encodings);
	if (lengths && encodings)
		return refuse(refusal, 400, "The body has both a length and a transfer encoding");
	if (lengths > 1 || encodings > 1)
		return refuse(refusal, 400, "The length of the body is told twice");
	if (length &&
	    (text_parse_u64(length->value, INT64_MAX, &head->length) || length->value.size > 19))
		return refuse(refusal, 400, "Content-Length is malformed");
	if (encoding &&
	    (head->minor == 0 || !text_equal_ignoring_case(encoding->value, TEXT("chunked"))))
		return refuse(refusal, head->minor == 0 ? 400 : 501,
			      "Only the transfer encoding `chunked` is known");
	head->has_length = length != NULL;
	head->is_chunked = encoding != NULL;
	return 0;
}

static int check_host(const struct http1_head *head, struct http1_refusal *refusal)
{
	size_t count;
	const struct http_field *host = only_field(head, TEXT("host"), &count);
	if (count > 1 || (count == 0 && head->minor == 1))
		return refuse(refusal, 400, "Host must be given once");
	if (host && (text_has(host->value, ' ') || text_has(host->value, ',') ||
		     text_has(host->value, '/')))
		return refuse(refusal, 400, "Host is malformed");
	return 0;
}

static bool has_option(struct text list, struct text option)
{
	struct text item;
	while (list.size > 0) {
		text_split(&list, ',', &item);
		if (text_equal_ignoring_case(text_trim(item), option))
			return true;
	}
	return false;
}

static int check_connection(struct http1_head *head, struct http1_refusal *refusal)
{
	size_t count;
	const struct http_field *connection = only_field(head, TEXT("connection"), &count);
	const struct http_field *expect = only_field(head, TEXT("expect"), &count);
	bool closes = connection && has_option(connection->value, TEXT("close"));
	bool keeps = connection && has_option(connection->value, TEXT("keep-alive"));
	head->keeps_alive = !closes && (head->minor == 1 || keeps);
	if (expect && !text_equal_ignoring_case(expect->value, TEXT("100-continue")))
		return refuse(refusal, 417, "Only the expectation 100-continue is known");
	head->expects_continue = expect && head->minor == 1;
	return 0;
}

int http1_head_parse(char *raw, size_t size, struct http1_head *head, struct http1_refusal *refusal)
{
	struct text rest = {raw, size}, line;
	int r = next_line(&rest, &line, refusal);
	if (r == 0)
		r = parse_request_line(line, head, refusal);
	while (r == 0 && rest.size > 0) {
		r = next_line(&rest, &line, refusal);
		if (r == 0 && line.size == 0)
			break;
		if (r == 0)
			r = parse_field(line, head, refusal);
	}
	if (r == 0)
		r = check_framing(head, refusal);
	if (r == 0)
		r = check_host(head, refusal);
	return r ? r : check_connection(head, refusal);
}
