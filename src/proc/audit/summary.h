/* Which workspaces a bundle of entries may be about: a Bloom filter of 128 bytes for each bundle,
 * half a byte for each entry. A query for one workspace skips the bundles that cannot hold it, a
 * million entries in well under a millisecond. 256 different workspaces in one bundle, the worst
 * case, make one look in seven a vain one.
 *
 * The filters are not stored: they are computed again after each start, while the entries are
 * checked against the tree. A bundle whose filter is not known yet may hold anything. */
#pragma once

#include "base/text.h"

#include <stdint.h>

enum { SUMMARY_BYTES = 128 };

struct summary {
	uint8_t bits[SUMMARY_BYTES];
};

struct summaries {
	struct summary *items; /* by bundle; all bits set where unknown */
	size_t count;
	size_t capacity;
};

void summary_add(struct summary *summary, struct text key);
bool summary_may_have(const struct summary *summary, struct text key);

void summaries_free(struct summaries *summaries);
int summaries_grow(struct summaries *summaries,
		   size_t count) ATTR_MUST_CHECK; /* new ones are unknown */
bool summaries_may_have(const struct summaries *summaries, size_t bundle, struct text key);
