/* Whom a credential stands for: API keys, the administrator's key, JWTs of the configured issuer,
 * tickets. Lives in control; keeps a bounded cache of API keys, from which a revoked one is gone
 * before its revocation is answered. */
#pragma once

#include "proc/control/request.h"

enum { IDENTITY_REFUSED = STORE_OUTCOMES }; /* beyond the store's outcomes */

struct identity_settings {
	struct text
	    admin_key_hash; /* "sha256:" and 64 hexadecimal digits; empty: there is no such key */
	struct text issuer; /* empty: no JWT is taken */
	struct text audience;
	struct bytes jwks; /* empty: the issuer role brings it */
};

int identities_new(struct control *control, const struct identity_settings *settings,
		   struct identities **identities) ATTR_MUST_CHECK;
void identities_free(struct identities *identities);

/* The key set that the issuer role has fetched: hostile. What is no key set is ignored. */
void identities_set_keys(struct identities *identities, struct bytes jwks);
/* The channel to the issuer role, to ask it for fresh keys; takes the descriptor. */
int identities_connect_issuer(struct identities *identities, int fd) ATTR_MUST_CHECK;

/* Fills request->caller. No credential at all is CALLER_NOBODY and fine. IDENTITY_REFUSED: `why` is
 * the rule for the audit log; or an outcome of the store; or negative. */
int identity_of(struct identities *identities, struct control_request *request,
		const char **why) ATTR_MUST_CHECK;

void identities_forget_key(struct identities *identities, struct uuid key);
void identities_forget_all(struct identities *identities);

/* ---- the text of API keys ---- */

enum { IDENTITY_KEY_TEXT_SIZE = 6 + BASE32_SIZE + 1 + 64 + 1 }; /* croft_ID_SECRET and NUL */

/* Makes the secret: the whole key as text, which the caller shows and wipes, and its hash. */
void identity_new_key(struct uuid id, char text[IDENTITY_KEY_TEXT_SIZE],
		      uint8_t hash[STORE_KEY_HASH_SIZE]);
int identity_parse_key(struct text text,
		       struct uuid *id); /* 1 if it is not one; the secret is not looked at */
