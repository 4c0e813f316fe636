#include "crypt/token.h"

#include "base/encode.h"
#include "crypt/random.h"
#include "crypt/secret.h"

void token_new(char text[TOKEN_TEXT_SIZE])
{
	uint8_t random[TOKEN_RANDOM_SIZE];
	random_fill(random, sizeof(random));
	encode_hex((struct bytes){random, sizeof(random)}, text);
	secret_wipe(random, sizeof(random));
}

struct digest_value token_hash(struct text token)
{
	return digest_of(text_bytes(token));
}

bool token_matches(struct text token, const struct digest_value *hash)
{
	struct digest_value own = token_hash(token);
	return digest_equal(&own, hash);
}
