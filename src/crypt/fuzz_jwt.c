/* A key set and a token from one input, split at the first newline. */
#include "crypt/jwt.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text token = {(const char *)data, size}, set;
	struct jwks *keys = NULL;
	struct jwt_claims claims;
	text_split(&token, '\n', &set);
	if (jwks_parse(text_bytes(set), &keys) != 0)
		return 0;
	struct jwt_expected expected = {TEXT("https://issuer"), TEXT("croft")};
	if (jwt_verify(keys, &expected, token, 1700000000000, &claims) == JWT_VALID &&
	    (claims.subject[0] == '\0' || claims.expires_ms <= 0))
		abort();
	jwks_free(keys);
	return 0;
}
