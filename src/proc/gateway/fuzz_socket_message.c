/* A client's WebSocket message, any bytes: it parses or is refused, and what parses writes a body
 * that parses again. */
#include "proc/gateway/socket_message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ATTR_ARENA struct arena arena = {0};
	ATTR_DOCUMENT struct document *document = NULL, *again = NULL;
	struct socket_message message;
	struct document_error error;
	if (socket_message_parse((struct bytes){data, size}, &arena, &document, &message, &error) !=
	    0)
		return 0;
	ATTR_BUFFER struct buffer body = {0};
	socket_message_body(&message, &body);
	if (document_parse(buffer_bytes(&body), SIZE_MAX, &again, &error) != 0)
		abort();
	return 0;
}
