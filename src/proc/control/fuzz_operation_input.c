/* Any bytes as the `input` of any operation: what is accepted can be encoded, and means the same to
 * the agent. */
#include "proc/control/operation_input.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_accepted(const struct operation_input *input)
{
	struct arena arena ATTR_ARENA = {0};
	struct buffer encoded ATTR_BUFFER = {0}, again ATTR_BUFFER = {0};
	struct operation_input decoded;
	require(wire_encode(&operation_input_struct, input, &encoded) == 0);
	require(wire_decode(&operation_input_struct, buffer_bytes(&encoded), &arena, &decoded) ==
		0);
	require(wire_encode(&operation_input_struct, &decoded, &again) == 0);
	require(text_equal(buffer_text(&encoded), buffer_text(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct arena arena ATTR_ARENA = {0};
	struct document_error error;
	struct operation_input input;
	if (size < 1)
		return 0;
	enum operation_kind kind = (enum operation_kind)(data[0] % OPERATION_KINDS);
	if (document_parse((struct bytes){data + 1, size - 1}, size, &document, &error) ||
	    document_kind(document_root(document)) != DOCUMENT_IS_OBJECT)
		return 0;
	int r = operation_input_read(kind, document_root(document), &arena, &input, &error);
	require(r == 0 || (r == 1 && error.message[0] && text_is_utf8(text_of(error.message))));
	if (r == 0)
		check_accepted(&input);
	return 0;
}
