/* The key set (JWKS, RFC 7517) of an OIDC issuer: which public keys may sign a token. Lives in
 * control; the JSON comes from the operator's file or, by way of the issuer role, from the network,
 * so it is parsed as hostile.
 *
 * Only keys that one of the accepted algorithms can use are kept: RSA of JWKS_RSA_BITS_MIN bits or
 * more (RS256), EC on P-256 (ES256), Ed25519 (EdDSA). Others, symmetric ones above all, are passed
 * over: a set may serve other purposes too. */
#pragma once

#include "base/text.h"

enum {
	JWKS_SIZE_LIMIT = 256 << 10,
	JWKS_KEYS_MAX = 64,
	JWKS_KID_MAX = 255,
	JWKS_RSA_BITS_MIN = 2048,
	JWKS_RSA_BITS_MAX = 8192, /* larger ones only cost time */
};

enum jwks_algorithm { JWKS_RS256, JWKS_ES256, JWKS_EDDSA, JWKS_ALGORITHMS };

extern const char *const jwks_algorithm_names[JWKS_ALGORITHMS];

struct jwks;

/* 0; 1 if it is no key set, or has more than JWKS_KEYS_MAX keys; -ENOMEM. An empty set is one:
 * nobody can sign. */
int jwks_parse(struct bytes json, struct jwks **keys) ATTR_MUST_CHECK;
void jwks_free(struct jwks *keys); /* NULL is fine */
size_t jwks_count(const struct jwks *keys);

/* The outcomes of jwks_verify(). */
enum { JWKS_KEY_UNKNOWN = 1, JWKS_SIGNATURE_WRONG = 2 };

/* Whether the key `kid` signed `message`. The algorithm belongs to the key, never to the token: a
 * key of another kind is an unknown key. An empty `kid` stands for the only key of that algorithm,
 * where there is only one. */
int jwks_verify(const struct jwks *keys, struct text kid, enum jwks_algorithm algorithm,
		struct bytes message, struct bytes signature) ATTR_MUST_CHECK;
