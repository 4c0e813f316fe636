/* Ed25519 (RFC 8032): the audit log's signatures. The private key never leaves the role that made
 * it; its file holds the 32-byte seed and nothing else. */
#pragma once

#include "base/text.h"

enum { SIGN_SEED_SIZE = 32, SIGN_PUBLIC_SIZE = 32, SIGN_SIGNATURE_SIZE = 64 };

struct sign_key;

struct sign_public {
	uint8_t b[SIGN_PUBLIC_SIZE];
};

/* Reads the file `name` below `directory`: 0; 1 if there is none; -EBADMSG if it is not a seed;
 * -errno. */
int sign_key_load(int directory, const char *name, struct sign_key **key) ATTR_MUST_CHECK;

/* Makes a key and its file, mode 0600, durably. A crash leaves the whole file or none. */
int sign_key_create(int directory, const char *name, struct sign_key **key) ATTR_MUST_CHECK;

int sign_key_from_seed(struct bytes seed, struct sign_key **key) ATTR_MUST_CHECK;
void sign_key_free(struct sign_key *key); /* NULL is fine */

const struct sign_public *sign_key_public(const struct sign_key *key);
int sign_message(const struct sign_key *key, struct bytes message,
		 uint8_t signature[SIGN_SIGNATURE_SIZE]) ATTR_MUST_CHECK;

bool sign_is_valid(const struct sign_public *key, struct bytes message, struct bytes signature);
