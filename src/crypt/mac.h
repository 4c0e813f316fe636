/* A short keyed code (SipHash-2-4): proves to its maker that it made something, and turns what a
 * client chose into a number that the client cannot steer. 64 bits: enough where each guess is a
 * request, not for what is attacked offline. */
#pragma once

#include "base/text.h"

enum { MAC_KEY_SIZE = 16 };

struct mac_key {
	uint8_t b[MAC_KEY_SIZE];
};

uint64_t mac_of(const struct mac_key *key, struct bytes bytes);

/* From the kernel's random bytes. A process that gets none aborts. */
struct mac_key mac_key_new(void);
