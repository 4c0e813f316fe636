#include "crypt/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

struct digest {
	EVP_MD_CTX *context;
};

static void must(bool done)
{
	if (!done)
		abort();
}

/* Looking the algorithm up costs more than hashing a small message, so each thread does it once and
 * keeps the context. */
static EVP_MD_CTX *context_of_thread(void)
{
	static __thread EVP_MD_CTX *context;
	if (!context) {
		context = EVP_MD_CTX_new();
		must(context && EVP_DigestInit_ex(context, EVP_sha256(), NULL));
	}
	must(EVP_DigestInit_ex(context, NULL, NULL));
	return context;
}

struct digest_value digest_of_parts(const struct bytes *parts, size_t count)
{
	struct digest_value value;
	EVP_MD_CTX *context = context_of_thread();
	for (size_t i = 0; i < count; i++)
		must(EVP_DigestUpdate(context, parts[i].data, parts[i].size));
	must(EVP_DigestFinal_ex(context, value.b, NULL));
	return value;
}

struct digest_value digest_of(struct bytes bytes)
{
	return digest_of_parts(&bytes, 1);
}

struct digest_value digest_hmac(struct bytes key, struct bytes message)
{
	static const uint8_t nothing[1];
	struct digest_value value;
	unsigned size = sizeof(value.b);
	must(key.size <= INT32_MAX);
	must(HMAC(EVP_sha256(), key.size ? key.data : nothing, (int)key.size,
		  message.size ? message.data : nothing, message.size, value.b, &size));
	return value;
}

bool digest_equal(const struct digest_value *a, const struct digest_value *b)
{
	return bytes_equal_secret(digest_bytes(a), digest_bytes(b));
}

struct digest *digest_new(void)
{
	struct digest *digest = calloc(1, sizeof(*digest));
	must(digest);
	digest->context = EVP_MD_CTX_new();
	must(digest->context && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL));
	return digest;
}

void digest_free(struct digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->context);
	free(digest);
}

void digest_update(struct digest *digest, struct bytes bytes)
{
	must(EVP_DigestUpdate(digest->context, bytes.data, bytes.size));
}

struct digest_value digest_finish(struct digest *digest)
{
	struct digest_value value;
	must(EVP_DigestFinal_ex(digest->context, value.b, NULL));
	must(EVP_DigestInit_ex(digest->context, NULL, NULL));
	return value;
}
