/* A head, and what must hold of one that is taken. */
#include "http/exchange.h"
#include "http/http1_head.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Views of a head that was taken lie within it, but for what we put there ourselves. */
static void check_text(const struct buffer *raw, struct text text)
{
	const char *begin = (const char *)raw->data;
	bool is_within = text.data >= begin && text.data + text.size <= begin + raw->size;
	bool is_ours = text_equal(text, TEXT("host")) || text_equal(text, TEXT("/"));
	if (!is_within && !is_ours)
		abort();
	if (memchr(text.data, '\0', text.size) || memchr(text.data, '\r', text.size) ||
	    memchr(text.data, '\n', text.size))
		abort();
}

static void check(const struct buffer *raw, const struct http1_head *head)
{
	check_text(raw, head->method);
	check_text(raw, head->target);
	if (head->target.data[0] != '/' && !text_equal(head->target, TEXT("*")))
		abort();
	if (head->n_fields > HTTP_FIELDS_MAX || (head->is_chunked && head->has_length))
		abort();
	for (size_t i = 0; i < head->n_fields; i++) {
		check_text(raw, head->fields[i].name);
		check_text(raw, head->fields[i].value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_field fields[HTTP_FIELDS_MAX];
	struct http1_head head = {.fields = fields};
	struct http_refusal refusal = {0};
	size_t end = http1_head_size((struct bytes){data, size});
	struct buffer raw ATTR_BUFFER = {0};
	if (end == 0)
		return 0;
	buffer_append(&raw, data, end);
	if (http1_head_parse((char *)raw.data, raw.size, &head, &refusal) == 0)
		check(&raw, &head);
	else if (refusal.status < 400 || !refusal.detail)
		abort();
	return 0;
}
