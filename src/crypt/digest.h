/* SHA-256 and HMAC-SHA-256. Lives in every process but the agent; owns nothing of its callers.
 *
 * Hashing has no outcome that a caller could handle: it fails only without memory or with a broken
 * library, and a process that cannot hash can keep none of its promises. So these functions return
 * nothing and abort instead. */
#pragma once

#include "base/text.h"

enum { DIGEST_SIZE = 32, DIGEST_HEX_SIZE = 2 * DIGEST_SIZE + 1 };

struct digest_value {
	uint8_t b[DIGEST_SIZE];
};

struct digest_value digest_of(struct bytes bytes);

/* Of the parts one after the other. */
struct digest_value digest_of_parts(const struct bytes *parts, size_t count);

struct digest_value digest_hmac(struct bytes key, struct bytes message);

/* In the time of the whole comparison, wherever the difference is. */
bool digest_equal(const struct digest_value *a, const struct digest_value *b);

static inline struct bytes digest_bytes(const struct digest_value *value)
{
	return (struct bytes){value->b, DIGEST_SIZE};
}

/* For what comes piece by piece. digest_finish() leaves it ready for the next message. */
struct digest;

struct digest *digest_new(void);
void digest_free(struct digest *digest); /* NULL is fine */
void digest_update(struct digest *digest, struct bytes bytes);
struct digest_value digest_finish(struct digest *digest);

static inline void digest_free_scoped(struct digest **digest)
{
	digest_free(*digest);
}
#define ATTR_DIGEST ATTR_CLEANUP(digest_free_scoped)
