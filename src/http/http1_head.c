#include "http/http1_head.h"

#include "http/exchange.h"

static int refuse(struct http_refusal *refusal, int status, const char *detail)
{
	const char *code = status == 414   ? "target_too_long"
			   : status == 431 ? "head_too_large"
			   : status == 501 ? "not_implemented"
			   : status == 505 ? "version_not_supported"
			   : status == 417 ? "expectation_failed"
					   : "bad_request";
	*refusal = (struct http_refusal){status, code, detail};
	return 1;
}

size_t http1_head_size(struct bytes input)
{
	const uint8_t *found = memmem(input.data, input.size, "\r\n\r\n", 4);
	return found ? (size_t)(found - input.data) + 4 : 0;
}

/* A line without its CRLF; anything else that could end a line for somebody is an error. */
static int next_line(struct text *rest, struct text *line, struct http_refusal *refusal)
{
	text_split(rest, '\n', line);
	if (!text_ends(*line, TEXT("\r")))
		return refuse(refusal, 400, "A line of the head does not end with CR LF");
	line->size--;
	if (text_has(*line, '\r') || text_has(*line, '\0'))
		return refuse(refusal, 400, "The head holds a control character");
	return 0;
}

static bool take_scheme(struct text *target)
{
	static const struct text schemes[] = {TEXT("http://"), TEXT("https://")};
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		struct text begin = {target->data, schemes[i].size};
		if (target->size < begin.size || !text_equal_ignoring_case(begin, schemes[i]))
			continue;
		*target = text_skip(*target, begin.size);
		return true;
	}
	return false;
}

/* `http://host:port/path?query`. The path may be missing; it then is `/`, for which the bytes of
 * the scheme make room. */
static int split_absolute(struct text rest, struct http1_head *head)
{
	size_t size = 0;
	while (size < rest.size && rest.data[size] != '/' && rest.data[size] != '?')
		size++;
	head->authority = (struct text){rest.data, size};
	head->target = text_skip(rest, size);
	if (size == 0 || !http_is_authority(head->authority))
		return 1;
	if (text_starts(head->target, TEXT("/")))
		return 0;
	char *at = (char *)(uintptr_t)rest.data; /* lies in the caller's writable head */
	memmove(at - 1, at, size);
	at[size - 1] = '/';
	head->authority.data--;
	head->target = (struct text){at + size - 1, rest.size - size + 1};
	return 0;
}

static int parse_target(struct text target, struct http1_head *head)
{
	head->target = target;
	if (!http_is_target(target))
		return 1;
	if (target.data[0] == '/')
		return 0;
	if (text_equal(target, TEXT("*")))
		return text_equal(head->method, TEXT("OPTIONS")) ? 0 : 1;
	return take_scheme(&target) ? split_absolute(target, head) : 1;
}

static int parse_request_line(struct text line, struct http1_head *head,
			      struct http_refusal *refusal)
{
	struct text version = line, target;
	text_split(&version, ' ', &head->method);
	text_split(&version, ' ', &target);
	if (head->method.size > HTTP1_METHOD_MAX || !http_is_token(head->method))
		return refuse(refusal, 400, "The method is malformed");
	if (target.size > HTTP_TARGET_MAX)
		return refuse(refusal, 414, "The target is longer than 8192 bytes");
	if (parse_target(target, head))
		return refuse(refusal, 400, "The target is neither a path nor an absolute URL");
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

static int parse_field(struct text line, struct http1_head *head, struct http_refusal *refusal)
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
static int check_framing(struct http1_head *head, struct http_refusal *refusal)
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

/* The authority of an absolute target stands for Host, which must have come all the same. */
static int check_host(struct http1_head *head, struct http_refusal *refusal)
{
	size_t count;
	const struct http_field *host = only_field(head, TEXT("host"), &count);
	if (count > 1 || (count == 0 && head->minor == 1))
		return refuse(refusal, 400, "Host must be given once");
	if (host && !http_is_authority(host->value))
		return refuse(refusal, 400, "Host is malformed");
	if (!head->authority.data)
		return 0;
	if (host)
		head->fields[host - head->fields].value = head->authority;
	else if (head->n_fields < HTTP_FIELDS_MAX)
		head->fields[head->n_fields++] = (struct http_field){TEXT("host"), head->authority};
	return 0;
}

static bool lists(const struct http1_head *head, struct text name, struct text option)
{
	return http_fields_list(head->fields, head->n_fields, name, option);
}

static int check_connection(struct http1_head *head, struct http_refusal *refusal)
{
	bool closes = lists(head, TEXT("connection"), TEXT("close"));
	bool keeps = lists(head, TEXT("connection"), TEXT("keep-alive"));
	size_t count;
	const struct http_field *expect = only_field(head, TEXT("expect"), &count);
	head->keeps_alive = !closes && (head->minor == 1 || keeps);
	if (count > 1 || (expect && !text_equal_ignoring_case(expect->value, TEXT("100-continue"))))
		return refuse(refusal, 417, "Only the expectation 100-continue is known");
	head->expects_continue = expect && head->minor == 1;
	return 0;
}

int http1_head_parse(char *raw, size_t size, struct http1_head *head, struct http_refusal *refusal)
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
