#include "proc/audit/summary.h"

#include "base/error.h"
#include "crypt/digest.h"

#include <errno.h>
#include <stdlib.h>

enum { PROBES = 3, BITS = SUMMARY_BYTES * 8 };

/* A digest, so that nobody can choose workspaces that fill the filters. */
static unsigned probe(const struct digest_value *hash, size_t i)
{
	return ((unsigned)hash->b[2 * i] << 8 | hash->b[2 * i + 1]) % BITS;
}

void summary_add(struct summary *summary, struct text key)
{
	struct digest_value hash = digest_of(text_bytes(key));
	for (size_t i = 0; i < PROBES; i++) {
		unsigned bit = probe(&hash, i);
		summary->bits[bit / 8] |= (uint8_t)(1 << bit % 8);
	}
}

static bool has(const struct summary *summary, const struct digest_value *hash)
{
	for (size_t i = 0; i < PROBES; i++) {
		unsigned bit = probe(hash, i);
		if (!(summary->bits[bit / 8] & 1 << bit % 8))
			return false;
	}
	return true;
}

bool summary_may_have(const struct summary *summary, struct text key)
{
	struct digest_value hash = digest_of(text_bytes(key));
	return has(summary, &hash);
}

void summaries_free(struct summaries *summaries)
{
	free(summaries->items);
	*summaries = (struct summaries){0};
}

int summaries_grow(struct summaries *summaries, size_t count)
{
	enum { STEP = 1024 };
	if (count > summaries->capacity) {
		size_t capacity = (count + STEP - 1) / STEP * STEP;
		struct summary *items =
		    reallocarray(summaries->items, capacity, sizeof(*summaries->items));
		if (!items)
			return error_origin(-ENOMEM);
		summaries->items = items;
		summaries->capacity = capacity;
	}
	if (count > summaries->count) {
		memset(summaries->items + summaries->count, 0xff,
		       (count - summaries->count) * sizeof(*summaries->items));
		summaries->count = count;
	}
	return 0;
}

bool summaries_may_have(const struct summaries *summaries, size_t bundle, struct text key)
{
	return bundle >= summaries->count || summary_may_have(&summaries->items[bundle], key);
}
