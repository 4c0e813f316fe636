/* Secrets that clients carry: the last part of an API key, and tickets. Lives in control, which
 * shows a token once and keeps its hash.
 *
 * The hash is plain SHA-256, with neither salt nor work factor, and that is right here: those
 * defend secrets that people choose, which can be guessed. A token is 256 random bits; whoever
 * holds the hash would have to try 2^255 of them, at any speed, and two tokens never share a hash
 * that a salt would have to tell apart. A slow hash would only let anybody who sends wrong keys
 * burn our processor. */
#pragma once

#include "crypt/digest.h"

enum { TOKEN_RANDOM_SIZE = 32, TOKEN_TEXT_SIZE = 2 * TOKEN_RANDOM_SIZE + 1 };

/* A new token as NUL-terminated hexadecimal text. The caller wipes it after use. */
void token_new(char text[TOKEN_TEXT_SIZE]);

struct digest_value token_hash(struct text token);
bool token_matches(struct text token, const struct digest_value *hash);
