#include "glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	size_t split = data[0] < size ? data[0] : size - 1;
	struct text all = {(const char *)data + 1, size - 1};
	glob_match((struct text){all.data, split}, text_skip(all, split));
	return 0;
}
