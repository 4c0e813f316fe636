#include "crypt/sign.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "crypt/random.h"
#include "crypt/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

struct sign_key {
	EVP_PKEY *key;
	struct sign_public public;
};

int sign_key_from_seed(struct bytes seed, struct sign_key **key)
{
	size_t size = SIGN_PUBLIC_SIZE;
	if (seed.size != SIGN_SEED_SIZE)
		return error_origin(-EBADMSG);
	struct sign_key *made = calloc(1, sizeof(*made));
	if (!made)
		return error_origin(-ENOMEM);
	made->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.data, seed.size);
	if (!made->key || !EVP_PKEY_get_raw_public_key(made->key, made->public.b, &size)) {
		sign_key_free(made);
		return error_origin(-ENOMEM);
	}
	*key = made;
	return 0;
}

void sign_key_free(struct sign_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->key);
	free(key);
}

int sign_key_load(int directory, const char *name, struct sign_key **key)
{
	uint8_t past_end;
	int fd ATTR_DESCRIPTOR = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 1 : error_origin(-errno);
	struct secret seed ATTR_SECRET = {0};
	int r = secret_new(&seed, SIGN_SEED_SIZE);
	if (r < 0)
		return error_trace(r);
	r = descriptor_read_exactly(fd, seed.data, seed.size);
	if (r == -EPIPE || (r == 0 && read(fd, &past_end, 1) != 0))
		return error_origin(-EBADMSG);
	if (r < 0)
		return error_trace(r);
	return error_trace(sign_key_from_seed(secret_bytes(&seed), key));
}

int sign_key_create(int directory, const char *name, struct sign_key **key)
{
	struct secret seed ATTR_SECRET = {0};
	struct sign_key *made;
	int r = secret_new(&seed, SIGN_SEED_SIZE);
	if (r < 0)
		return error_trace(r);
	random_fill(seed.data, seed.size);
	r = sign_key_from_seed(secret_bytes(&seed), &made);
	if (r < 0)
		return error_trace(r);
	r = file_replace(directory, name, secret_bytes(&seed), 0600);
	if (r < 0) {
		sign_key_free(made);
		return error_trace(r);
	}
	*key = made;
	return 0;
}

const struct sign_public *sign_key_public(const struct sign_key *key)
{
	return &key->public;
}

int sign_message(const struct sign_key *key, struct bytes message,
		 uint8_t signature[SIGN_SIGNATURE_SIZE])
{
	size_t size = SIGN_SIGNATURE_SIZE;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key->key) > 0 &&
		    EVP_DigestSign(context, signature, &size, message.data, message.size) > 0 &&
		    size == SIGN_SIGNATURE_SIZE;
	EVP_MD_CTX_free(context);
	return done ? 0 : error_origin(-ENOMEM);
}

bool sign_is_valid(const struct sign_public *key, struct bytes message, struct bytes signature)
{
	if (signature.size != SIGN_SIGNATURE_SIZE)
		return false;
	EVP_PKEY *public =
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->b, sizeof(key->b));
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool valid =
	    public && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) > 0 &&
	    EVP_DigestVerify(context, signature.data, signature.size, message.data, message.size) ==
		1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(public);
	return valid;
}
