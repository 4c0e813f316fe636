/* The head of a request, any bytes: each line of the input is one part of it. What is translated
 * must be a message that control can decode, and ids, keys and credentials within their limits. */
#include "proc/gateway/request.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(struct text input, struct request_head *head)
{
	text_split(&input, '\n', &head->method);
	text_split(&input, '\n', &head->path);
	text_split(&input, '\n', &head->query);
	for (size_t i = 0; i < HEAD_FIELDS && input.data; i++) {
		text_split(&input, '\n', &head->fields[i].value);
		head->fields[i].count = head->fields[i].value.size > 0;
	}
	head->has_body = input.data != NULL;
	head->length = input.size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct router router;
	struct request_head head = {.address = TEXT("192.0.2.1")};
	struct request request = {0};
	struct problem problem;
	ATTR_ARENA struct arena arena = {0};
	if (router.count == 0)
		router_compile(&router);
	fill((struct text){(const char *)data, size}, &head);
	request_name(&request, &head, 1767225600000);
	if (request_translate(&router, &head, 1 << 30, &arena, &request, &problem) != 0)
		return 0;
	ATTR_BUFFER struct buffer frame = {0};
	const struct wire_struct *type = gateway_control_protocol.messages[GATEWAY_CONTROL_REQUEST];
	struct gateway_control_request again;
	if (wire_encode(type, &request.message, &frame) != 0)
		return 0; /* longer than the protocol lets pass: refused before it is sent */
	if (wire_decode(type, buffer_bytes(&frame), &arena, &again) != 0)
		abort();
	return 0;
}
