#include "crypt/jwks.h"

#include "base/encode.h"
#include "base/error.h"
#include "json/document.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>

enum { COORDINATE_SIZE = 32, POINT_SIZE = 1 + 2 * COORDINATE_SIZE, ES256_SIGNATURE_SIZE = 64 };

struct jwks_key {
	enum jwks_algorithm algorithm;
	char kid[JWKS_KID_MAX + 1];
	EVP_PKEY *public;
};

struct jwks {
	size_t count;
	struct jwks_key keys[JWKS_KEYS_MAX];
};

const char *const jwks_algorithm_names[JWKS_ALGORITHMS] = {
    [JWKS_RS256] = "RS256", [JWKS_ES256] = "ES256", [JWKS_EDDSA] = "EdDSA"};

/* The text member `name`; empty with data NULL if it is missing or no text. */
static struct text member(const struct document_value *object, const char *name)
{
	const struct document_value *value = document_member(object, name);
	if (!value || document_kind(value) != DOCUMENT_IS_TEXT)
		return (struct text){0};
	return document_text(value);
}

static int decoded_member(const struct document_value *object, const char *name, struct buffer *out)
{
	struct text text = member(object, name);
	return text.size == 0 ? 1 : decode_base64url(out, text);
}

static EVP_PKEY *key_from_params(const char *type, OSSL_PARAM_BLD *builder)
{
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	if (params && context && EVP_PKEY_fromdata_init(context) > 0 &&
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	return key;
}

/* An exponent of one, or an even one, would make every signature valid or none. */
static bool rsa_is_sound(const BIGNUM *n, const BIGNUM *e)
{
	int bits = BN_num_bits(n);
	return bits >= JWKS_RSA_BITS_MIN && bits <= JWKS_RSA_BITS_MAX && BN_is_odd(n) &&
	       BN_is_odd(e) && !BN_is_one(e) && BN_num_bits(e) <= 64;
}

static EVP_PKEY *rsa_key(const struct document_value *jwk)
{
	struct buffer modulus ATTR_BUFFER = {0}, exponent ATTR_BUFFER = {0};
	if (decoded_member(jwk, "n", &modulus) || decoded_member(jwk, "e", &exponent) ||
	    modulus.size > JWKS_RSA_BITS_MAX || exponent.size > JWKS_RSA_BITS_MAX)
		return NULL;
	EVP_PKEY *key = NULL;
	BIGNUM *n = BN_bin2bn(modulus.data, (int)modulus.size, NULL);
	BIGNUM *e = BN_bin2bn(exponent.data, (int)exponent.size, NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	if (n && e && builder && rsa_is_sound(n, e) &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
		key = key_from_params("RSA", builder);
	OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	BN_free(e);
	return key;
}

static EVP_PKEY *ec_key(const struct document_value *jwk)
{
	struct buffer point ATTR_BUFFER = {0};
	buffer_append_byte(&point, POINT_CONVERSION_UNCOMPRESSED);
	if (!text_equal(member(jwk, "crv"), TEXT("P-256")) || decoded_member(jwk, "x", &point) ||
	    point.size != 1 + COORDINATE_SIZE || decoded_member(jwk, "y", &point) ||
	    point.size != POINT_SIZE)
		return NULL;
	EVP_PKEY *key = NULL;
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	/* The library refuses a point that is not on the curve. */
	if (builder &&
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data,
					     point.size))
		key = key_from_params("EC", builder);
	OSSL_PARAM_BLD_free(builder);
	return key;
}

static EVP_PKEY *okp_key(const struct document_value *jwk)
{
	struct buffer x ATTR_BUFFER = {0};
	if (!text_equal(member(jwk, "crv"), TEXT("Ed25519")) || decoded_member(jwk, "x", &x))
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.data, x.size);
}

struct key_kind {
	const char *kty;
	EVP_PKEY *(*read)(const struct document_value *jwk);
};

static const struct key_kind key_kinds[JWKS_ALGORITHMS] = {[JWKS_RS256] = {"RSA", rsa_key},
							   [JWKS_ES256] = {"EC", ec_key},
							   [JWKS_EDDSA] = {"OKP", okp_key}};

/* "use", "alg" and "key_ops" may narrow what a key is for; one that is not for checking our
 * signatures is passed over. */
static bool may_verify(const struct document_value *jwk, enum jwks_algorithm algorithm)
{
	struct text use = member(jwk, "use"), named = member(jwk, "alg");
	if ((use.data && !text_equal(use, TEXT("sig"))) ||
	    (named.data && !text_equal(named, text_of(jwks_algorithm_names[algorithm]))))
		return false;
	const struct document_value *uses = document_member(jwk, "key_ops");
	if (!uses)
		return true;
	for (size_t i = 0; document_kind(uses) == DOCUMENT_IS_LIST && i < document_count(uses);
	     i++) {
		const struct document_value *one = document_element(uses, i);
		if (document_kind(one) == DOCUMENT_IS_TEXT &&
		    text_equal(document_text(one), TEXT("verify")))
			return true;
	}
	return false;
}

static void take_key(struct jwks *set, const struct document_value *jwk)
{
	struct text kid = member(jwk, "kid"), kty = member(jwk, "kty");
	if (kid.size > JWKS_KID_MAX || (kid.size && memchr(kid.data, 0, kid.size)))
		return;
	for (size_t i = 0; i < JWKS_ALGORITHMS; i++) {
		struct jwks_key *key = &set->keys[set->count];
		if (!text_equal(kty, text_of(key_kinds[i].kty)) ||
		    !may_verify(jwk, (enum jwks_algorithm)i))
			continue;
		key->public = key_kinds[i].read(jwk);
		if (!key->public)
			return;
		key->algorithm = (enum jwks_algorithm)i;
		if (kid.size)
			memcpy(key->kid, kid.data, kid.size);
		set->count++;
		return;
	}
}

int jwks_parse(struct bytes json, struct jwks **keys)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_error error;
	int r = document_parse(json, JWKS_SIZE_LIMIT, &document, &error);
	if (r)
		return r < 0 ? error_trace(r) : 1;
	const struct document_value *root = document_root(document);
	const struct document_value *list =
	    document_kind(root) == DOCUMENT_IS_OBJECT ? document_member(root, "keys") : NULL;
	if (!list || document_kind(list) != DOCUMENT_IS_LIST ||
	    document_count(list) > JWKS_KEYS_MAX)
		return 1;
	struct jwks *set = calloc(1, sizeof(*set));
	if (!set)
		return error_origin(-ENOMEM);
	for (size_t i = 0; i < document_count(list); i++)
		if (document_kind(document_element(list, i)) == DOCUMENT_IS_OBJECT)
			take_key(set, document_element(list, i));
	*keys = set;
	return 0;
}

void jwks_free(struct jwks *keys)
{
	for (size_t i = 0; keys && i < keys->count; i++)
		EVP_PKEY_free(keys->keys[i].public);
	free(keys);
}

size_t jwks_count(const struct jwks *keys)
{
	return keys->count;
}

static const struct jwks_key *find_key(const struct jwks *keys, struct text kid,
				       enum jwks_algorithm algorithm)
{
	const struct jwks_key *found = NULL;
	for (size_t i = 0; i < keys->count; i++) {
		const struct jwks_key *key = &keys->keys[i];
		if (key->algorithm != algorithm)
			continue;
		if (kid.size > 0 && text_equal(kid, text_of(key->kid)))
			return key;
		if (kid.size == 0 && found)
			return NULL; /* which one is not for us to guess */
		if (kid.size == 0)
			found = key;
	}
	return found;
}

/* JOSE writes an ECDSA signature as two numbers of 32 bytes, the library wants them in DER. */
static int der_of_es256(struct bytes raw, uint8_t **der)
{
	int size = -1;
	if (raw.size != ES256_SIGNATURE_SIZE)
		return size;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw.data, COORDINATE_SIZE, NULL);
	BIGNUM *s = BN_bin2bn(raw.data + COORDINATE_SIZE, COORDINATE_SIZE, NULL);
	if (pair && r && s && ECDSA_SIG_set0(pair, r, s)) {
		size = i2d_ECDSA_SIG(pair, der);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(pair);
	return size;
}

static bool signature_matches(const struct jwks_key *key, struct bytes message,
			      struct bytes signature)
{
	uint8_t *der = NULL;
	if (key->algorithm == JWKS_ES256) {
		int size = der_of_es256(signature, &der);
		if (size <= 0)
			return false;
		signature = (struct bytes){der, (size_t)size};
	}
	const EVP_MD *hash = key->algorithm == JWKS_EDDSA ? NULL : EVP_sha256();
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool matches =
	    context && EVP_DigestVerifyInit(context, NULL, hash, NULL, key->public) > 0 &&
	    EVP_DigestVerify(context, signature.data, signature.size, message.data, message.size) ==
		1;
	EVP_MD_CTX_free(context);
	OPENSSL_free(der);
	return matches;
}

int jwks_verify(const struct jwks *keys, struct text kid, enum jwks_algorithm algorithm,
		struct bytes message, struct bytes signature)
{
	const struct jwks_key *key = find_key(keys, kid, algorithm);
	if (!key)
		return JWKS_KEY_UNKNOWN;
	return signature_matches(key, message, signature) ? 0 : JWKS_SIGNATURE_WRONG;
}
