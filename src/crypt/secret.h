/* Secrets that stay in memory: signing keys, master keys. They lie in pages of their own that are
 * left out of core dumps, are empty in a forked child, are kept from swap where the memory-lock
 * limit allows it, and are wiped when freed.
 *
 * The owner of the struct owns the bytes. Never log, format or send them. */
#pragma once

#include "base/attributes.h"
#include "base/text.h"

struct secret {
	uint8_t *data;
	size_t size;
};

enum { SECRET_SIZE_MAX = 64 << 10 };

int secret_new(struct secret *secret, size_t size) ATTR_MUST_CHECK; /* zeroed; -EINVAL, -ENOMEM */
void secret_free(struct secret *secret); /* leaves a valid empty secret */

/* Wipes what lies in ordinary memory; the compiler does not remove it. */
void secret_wipe(void *data, size_t size);

static inline struct bytes secret_bytes(const struct secret *secret)
{
	return (struct bytes){secret->data, secret->size};
}

#define ATTR_SECRET ATTR_CLEANUP(secret_free)
