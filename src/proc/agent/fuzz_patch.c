#include "patch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says where the diff ends and the file begins. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct patch patch;
	struct buffer after ATTR_BUFFER = {.limit = 1 << 20};
	size_t failed;
	if (size < 1)
		return 0;
	size_t split = (size - 1) * data[0] / 255;
	struct text all = {(const char *)data + 1, size - 1};
	if (patch_parse((struct text){all.data, split}, &patch) == 0) {
		for (size_t i = 0; i < patch.n_files; i++) {
			const struct patch_file *file = &patch.files[i];
			if (file->new_name.size > 0 && !patch_name_is_inside(file->new_name))
				abort();
			buffer_clear(&after);
			if (patch_apply(&patch, file, text_skip(all, split), &after, &failed) < 0)
				continue;
		}
	}
	patch_free(&patch);
	return 0;
}
