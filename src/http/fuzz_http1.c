/* The bytes of a connection of HTTP/1; the first says in what pieces they come. */
#include "http/fuzz_connection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0)
		fuzz_connection((struct bytes){0}, (struct bytes){data + 1, size - 1},
				(size_t)data[0] * 16);
	return 0;
}
