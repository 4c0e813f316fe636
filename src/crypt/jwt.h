/* Checks a JSON Web Token (RFC 7519, by the best practice of RFC 8725) against the key set of the
 * one issuer that the operator trusts. Lives in control; the token is as hostile as bytes get.
 *
 * RS256, ES256 and EdDSA, nothing else; the key decides which of them, so that neither `none` nor a
 * public key taken for a shared secret can pass. `crit` is refused, since no extension is known
 * here; `jku`, `x5u` and `jwk` are never followed. Base64url is strict, duplicate members are
 * refused. The signature is checked before any claim is believed. */
#pragma once

#include "crypt/jwks.h"

enum {
	JWT_SIZE_LIMIT = 8 << 10,
	JWT_SUBJECT_MAX = 255,
	JWT_EMAIL_MAX = 254,
	JWT_LEEWAY_MS = 60000, /* clocks differ */
};

enum jwt_outcome {
	JWT_VALID,
	JWT_MALFORMED,
	JWT_ALGORITHM_REFUSED,
	JWT_KEY_UNKNOWN, /* the caller may ask for a fresh key set, and refuses this request */
	JWT_SIGNATURE_WRONG,
	JWT_ISSUER_WRONG,
	JWT_AUDIENCE_WRONG,
	JWT_EXPIRED,
	JWT_NOT_YET_VALID,
	JWT_OUTCOMES
};

/* For logs, audit entries and problem documents: stable, snake_case. */
extern const char *const jwt_outcome_names[JWT_OUTCOMES];

struct jwt_expected {
	struct text issuer;   /* exact; empty accepts no token at all */
	struct text audience; /* `aud` must be it or hold it; empty accepts no token at all */
};

struct jwt_claims {
	char subject[JWT_SUBJECT_MAX + 1]; /* UTF-8, never empty */
	char email[JWT_EMAIL_MAX + 1];     /* empty unless the issuer says `email_verified` */
	int64_t expires_ms;
};

/* An enum jwt_outcome, or -ENOMEM. `claims` is written only for JWT_VALID. */
int jwt_verify(const struct jwks *keys, const struct jwt_expected *expected, struct text token,
	       int64_t now_ms, struct jwt_claims *claims) ATTR_MUST_CHECK;
