/* A note and a verifier from one input, and the same bytes as a tile's name. What is accepted is
 * written back the same. */
#include "engine/ledger/checkpoint.h"
#include "engine/ledger/tile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text note = {(const char *)data, size}, verifier;
	struct checkpoint_key key;
	struct checkpoint checkpoint;
	struct tile_name name;
	char text[CHECKPOINT_KEY_TEXT_SIZE], path[TILE_PATH_SIZE];
	if (tile_parse(note, &name) == 0) {
		tile_format(&name, path);
		if (!text_equal(note, text_of(path)))
			abort();
	}
	text_split(&note, '\n', &verifier);
	if (checkpoint_key_parse(verifier, &key) != 0 &&
	    checkpoint_key_parse(
		TEXT("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"), &key) !=
		0)
		abort();
	checkpoint_key_format(&key, text);
	if (checkpoint_key_parse(text_of(text), &key) != 0)
		abort();
	int opened ATTR_UNUSED = checkpoint_open(note, &key, &checkpoint);
	return 0;
}
