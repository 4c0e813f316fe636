#include "crypt/mac.h"

#include <sodium/crypto_shorthash.h>
#include <stdlib.h>
#include <sys/random.h>

_Static_assert(crypto_shorthash_KEYBYTES == MAC_KEY_SIZE, "the library's key");
_Static_assert(crypto_shorthash_BYTES == sizeof(uint64_t), "the library's code");

uint64_t mac_of(const struct mac_key *key, struct bytes bytes)
{
	uint64_t code;
	crypto_shorthash((unsigned char *)&code, bytes.data, bytes.size, key->b);
	return code;
}

struct mac_key mac_key_new(void)
{
	struct mac_key key;
	if (getrandom(key.b, sizeof(key.b), 0) != (ssize_t)sizeof(key.b))
		abort();
	return key;
}
