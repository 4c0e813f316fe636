/* Real keys of each kind, and each attack that a token can be. */
#include "base/encode.h"
#include "crypt/digest.h"
#include "crypt/jwt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const int64_t now_ms = 1800000000000;
#define GOOD_CLAIMS                                                                                \
	"{\"iss\":\"https://id.example\",\"sub\":\"alice\",\"aud\":[\"other\",\"croft\"],"         \
	"\"exp\":1800000600,\"nbf\":1799999990,\"iat\":1799999990,\"email\":\"a@example.org\","    \
	"\"email_verified\":true}"

struct fixture {
	EVP_PKEY *rsa, *ec, *ed;
	struct buffer set; /* JWKS of the three: kid r, e, d */
	struct jwks *keys;
};

static void append_number(struct buffer *out, const EVP_PKEY *key, const char *name, size_t size)
{
	uint8_t raw[512];
	BIGNUM *number = NULL;
	assert_true(EVP_PKEY_get_bn_param(key, name, &number));
	size_t width = size ? size : (size_t)BN_num_bytes(number);
	assert_true(BN_bn2binpad(number, raw, (int)width) > 0);
	encode_base64url(out, (struct bytes){raw, width});
	BN_free(number);
}

static void append_rsa(struct buffer *out, const EVP_PKEY *key, const char *kid)
{
	buffer_append_format(out, "{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"%s\",\"n\":\"", kid);
	append_number(out, key, OSSL_PKEY_PARAM_RSA_N, 0);
	buffer_append_text(out, TEXT("\",\"e\":\""));
	append_number(out, key, OSSL_PKEY_PARAM_RSA_E, 0);
	buffer_append_text(out, TEXT("\"}"));
}

static void append_ec(struct buffer *out, const EVP_PKEY *key, const char *kid)
{
	buffer_append_format(out, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\",\"x\":\"", kid);
	append_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
	buffer_append_text(out, TEXT("\",\"y\":\""));
	append_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
	buffer_append_text(out, TEXT("\"}"));
}

static void append_ed(struct buffer *out, const EVP_PKEY *key, const char *kid)
{
	uint8_t raw[32];
	size_t size = sizeof(raw);
	assert_true(EVP_PKEY_get_raw_public_key(key, raw, &size));
	buffer_append_format(out, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"",
			     kid);
	encode_base64url(out, (struct bytes){raw, size});
	buffer_append_text(out, TEXT("\"}"));
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->rsa = EVP_RSA_gen(2048);
	f->ec = EVP_EC_gen("P-256");
	f->ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	buffer_append_text(&f->set, TEXT("{\"keys\":["));
	append_rsa(&f->set, f->rsa, "r");
	buffer_append_byte(&f->set, ',');
	append_ec(&f->set, f->ec, "e");
	buffer_append_byte(&f->set, ',');
	append_ed(&f->set, f->ed, "d");
	/* A symmetric key and an unknown kind are passed over. */
	buffer_append_text(
	    &f->set, TEXT(",{\"kty\":\"oct\",\"kid\":\"o\",\"k\":\"AAAA\"},{\"kty\":\"X\"}]}"));
	assert_int_equal(jwks_parse(buffer_bytes(&f->set), &f->keys), 0);
	assert_int_equal(jwks_count(f->keys), 3);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	EVP_PKEY_free(f->rsa);
	EVP_PKEY_free(f->ec);
	EVP_PKEY_free(f->ed);
	jwks_free(f->keys);
	buffer_free(&f->set);
	free(f);
	return 0;
}

static void append_signature(struct buffer *token, EVP_PKEY *key)
{
	uint8_t signature[512];
	size_t size = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const EVP_MD *hash = EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
	assert_true(EVP_DigestSignInit(context, NULL, hash, NULL, key) > 0);
	assert_true(EVP_DigestSign(context, signature, &size, token->data, token->size) > 0);
	EVP_MD_CTX_free(context);
	if (EVP_PKEY_get_id(key) == EVP_PKEY_EC) {
		const uint8_t *at = signature;
		ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)size);
		uint8_t raw[64];
		BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 32);
		BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 32, 32);
		ECDSA_SIG_free(pair);
		memcpy(signature, raw, size = sizeof(raw));
	}
	buffer_append_byte(token, '.');
	encode_base64url(token, (struct bytes){signature, size});
}

static void start_token(struct buffer *token, const char *header, const char *claims)
{
	buffer_clear(token);
	encode_base64url(token, text_bytes(text_of(header)));
	buffer_append_byte(token, '.');
	encode_base64url(token, text_bytes(text_of(claims)));
}

static int check(const struct fixture *f, struct text token, struct jwt_claims *claims)
{
	struct jwt_expected expected = {TEXT("https://id.example"), TEXT("croft")};
	return jwt_verify(f->keys, &expected, token, now_ms, claims);
}

static int outcome_of(const struct fixture *f, EVP_PKEY *key, const char *header,
		      const char *claims)
{
	struct buffer token ATTR_BUFFER = {0};
	struct jwt_claims out;
	start_token(&token, header, claims);
	append_signature(&token, key);
	return check(f, buffer_text(&token), &out);
}

static void test_each_algorithm(void **state)
{
	struct fixture *f = *state;
	const struct {
		EVP_PKEY *key;
		const char *header;
	} cases[] = {{f->rsa, "{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"JWT\"}"},
		     {f->ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}"},
		     {f->ed, "{\"alg\":\"EdDSA\",\"kid\":\"d\",\"typ\":\"at+jwt\"}"},
		     {f->ed, "{\"alg\":\"EdDSA\"}"}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buffer token ATTR_BUFFER = {0};
		struct jwt_claims claims;
		start_token(&token, cases[i].header, GOOD_CLAIMS);
		append_signature(&token, cases[i].key);
		assert_int_equal(check(f, buffer_text(&token), &claims), JWT_VALID);
		assert_string_equal(claims.subject, "alice");
		assert_string_equal(claims.email, "a@example.org");
		assert_int_equal(claims.expires_ms, 1800000600000);
		/* Each changed character of the signed text or the signature is seen. */
		for (size_t k = 0; k < token.size; k += 7) {
			uint8_t kept = token.data[k];
			token.data[k] = kept == 'A' ? 'B' : 'A';
			assert_int_not_equal(check(f, buffer_text(&token), &claims), JWT_VALID);
			token.data[k] = kept;
		}
		for (size_t cut = 0; cut < token.size; cut += 11)
			assert_int_not_equal(
			    check(f, (struct text){(char *)token.data, cut}, &claims), JWT_VALID);
	}
}

static void test_algorithms_that_are_none_of_ours(void **state)
{
	struct fixture *f = *state;
	static const char *const headers[] = {"{\"alg\":\"none\"}",
					      "{\"alg\":\"None\"}",
					      "{\"alg\":\"\"}",
					      "{}",
					      "{\"alg\":\"rs256\"}",
					      "{\"alg\":\"HS256\",\"kid\":\"r\"}",
					      "{\"alg\":\"PS256\",\"kid\":\"r\"}",
					      "{\"alg\":\"RS512\",\"kid\":\"r\"}",
					      "{\"alg\":\"ES256K\",\"kid\":\"e\"}"};
	struct jwt_claims claims;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		struct buffer token ATTR_BUFFER = {0};
		start_token(&token, headers[i], GOOD_CLAIMS);
		buffer_append_byte(&token, '.');
		assert_int_equal(check(f, buffer_text(&token), &claims), JWT_ALGORITHM_REFUSED);
		assert_int_equal(outcome_of(f, f->rsa, headers[i], GOOD_CLAIMS),
				 JWT_ALGORITHM_REFUSED);
	}
}

/* The classic: the issuer's public key, which everybody has, used as the secret of an HMAC. */
static void test_public_key_as_hmac_secret(void **state)
{
	struct fixture *f = *state;
	static const char *const algorithms[] = {"HS256", "RS256", "ES256", "EdDSA"};
	uint8_t secret[64];
	size_t size = sizeof(secret);
	struct jwt_claims claims;
	assert_true(EVP_PKEY_get_raw_public_key(f->ed, secret, &size));
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		char header[64];
		struct buffer token ATTR_BUFFER = {0};
		snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"d\"}", algorithms[i]);
		start_token(&token, header, GOOD_CLAIMS);
		struct digest_value mac =
		    digest_hmac((struct bytes){secret, size}, buffer_bytes(&token));
		buffer_append_byte(&token, '.');
		encode_base64url(&token, digest_bytes(&mac));
		assert_int_not_equal(check(f, buffer_text(&token), &claims), JWT_VALID);
	}
}

static void test_key_must_fit_the_algorithm(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(outcome_of(f, f->rsa, "{\"alg\":\"RS256\",\"kid\":\"e\"}", GOOD_CLAIMS),
			 JWT_KEY_UNKNOWN);
	assert_int_equal(outcome_of(f, f->ec, "{\"alg\":\"ES256\",\"kid\":\"d\"}", GOOD_CLAIMS),
			 JWT_KEY_UNKNOWN);
	assert_int_equal(outcome_of(f, f->rsa, "{\"alg\":\"ES256\",\"kid\":\"e\"}", GOOD_CLAIMS),
			 JWT_SIGNATURE_WRONG);
	assert_int_equal(outcome_of(f, f->ed, "{\"alg\":\"EdDSA\",\"kid\":\"new\"}", GOOD_CLAIMS),
			 JWT_KEY_UNKNOWN);
	EVP_PKEY *foreign = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_int_equal(outcome_of(f, foreign, "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", GOOD_CLAIMS),
			 JWT_SIGNATURE_WRONG);
	EVP_PKEY_free(foreign);
}

static void test_headers_that_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const headers[] = {
	    "{\"alg\":\"EdDSA\",\"crit\":[\"b64\"],\"b64\":false}",
	    "{\"alg\":\"EdDSA\",\"crit\":[]}",
	    "{\"alg\":\"none\",\"alg\":\"EdDSA\"}",
	    "{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\"}",
	    "{\"alg\":\"EdDSA\",\"kid\":7}",
	    "{\"alg\":[\"EdDSA\"]}",
	    "{\"alg\":\"EdDSA\",\"typ\":\"logout+jwt\"}",
	    "[]",
	    "{\"alg\":\"EdDSA\"} ",
	    "{\"alg\":\"EdDSA\"}{}",
	    "{\"alg\":\"EdDSA\""};
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		int expected =
		    i == 8 ? JWT_VALID : JWT_MALFORMED; /* a blank behind JSON is still JSON */
		assert_int_equal(outcome_of(f, f->ed, headers[i], GOOD_CLAIMS), expected);
	}
}

static void test_claims_that_are_refused(void **state)
{
	struct fixture *f = *state;
#define ISS "\"iss\":\"https://id.example\""
#define SUB "\"sub\":\"alice\""
#define AUD "\"aud\":\"croft\""
#define EXP "\"exp\":1800000600"
	static const struct {
		const char *claims;
		int expected;
	} cases[] = {
	    {"{" ISS "," SUB "," AUD "," EXP "}", JWT_VALID},
	    {"{\"iss\":\"https://id.example/\"," SUB "," AUD "," EXP "}", JWT_ISSUER_WRONG},
	    {"{" SUB "," AUD "," EXP "}", JWT_ISSUER_WRONG},
	    {"{\"iss\":1," SUB "," AUD "," EXP "}", JWT_MALFORMED},
	    {"{" ISS "," SUB ",\"aud\":\"crof\"," EXP "}", JWT_AUDIENCE_WRONG},
	    {"{" ISS "," SUB ",\"aud\":[]," EXP "}", JWT_AUDIENCE_WRONG},
	    {"{" ISS "," SUB ",\"aud\":{\"croft\":1}," EXP "}", JWT_AUDIENCE_WRONG},
	    {"{" ISS "," SUB "," EXP "}", JWT_AUDIENCE_WRONG},
	    {"{" ISS "," AUD "," EXP "}", JWT_MALFORMED},
	    {"{" ISS ",\"sub\":\"\"," AUD "," EXP "}", JWT_MALFORMED},
	    {"{" ISS ",\"sub\":\"a\\u0000b\"," AUD "," EXP "}", JWT_MALFORMED},
	    {"{" ISS "," SUB "," AUD "}", JWT_MALFORMED},
	    {"{" ISS "," SUB "," AUD ",\"exp\":\"1800000600\"}", JWT_MALFORMED},
	    {"{" ISS "," SUB "," AUD ",\"exp\":-1}", JWT_MALFORMED},
	    {"{" ISS "," SUB "," AUD ",\"exp\":9223372036854775807}", JWT_MALFORMED},
	    {"{" ISS "," SUB "," AUD ",\"exp\":1799999940}", JWT_EXPIRED},
	    {"{" ISS "," SUB "," AUD ",\"exp\":1799999941}", JWT_VALID},
	    {"{" ISS "," SUB "," AUD "," EXP ",\"nbf\":1800000061}", JWT_NOT_YET_VALID},
	    {"{" ISS "," SUB "," AUD "," EXP ",\"nbf\":1800000060}", JWT_VALID},
	    {"{" ISS "," SUB "," AUD "," EXP ",\"iat\":1800000061}", JWT_NOT_YET_VALID},
	    {"{" ISS "," SUB "," AUD "," EXP ",\"nbf\":null}", JWT_MALFORMED},
	    {"{" ISS "," SUB "," AUD "," EXP "," SUB "}", JWT_MALFORMED},
	    {"null", JWT_MALFORMED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(outcome_of(f, f->ed, "{\"alg\":\"EdDSA\"}", cases[i].claims),
				 cases[i].expected);
}

static void test_unverified_email_names_nobody(void **state)
{
	struct fixture *f = *state;
	static const char *const tails[] = {",\"email\":\"a@b\"",
					    ",\"email\":\"a@b\",\"email_verified\":false",
					    ",\"email\":\"a@b\",\"email_verified\":\"true\"",
					    ",\"email\":7,\"email_verified\":true"};
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		char claims[512];
		struct buffer token ATTR_BUFFER = {0};
		struct jwt_claims out;
		snprintf(claims, sizeof(claims), "{" ISS "," SUB "," AUD "," EXP "%s}", tails[i]);
		start_token(&token, "{\"alg\":\"EdDSA\"}", claims);
		append_signature(&token, f->ed);
		assert_int_equal(check(f, buffer_text(&token), &out), JWT_VALID);
		assert_string_equal(out.email, "");
	}
}

static void test_encodings_that_are_refused(void **state)
{
	struct fixture *f = *state;
	struct buffer token ATTR_BUFFER = {0}, changed ATTR_BUFFER = {0};
	struct jwt_claims claims;
	start_token(&token, "{\"alg\":\"EdDSA\"}", GOOD_CLAIMS);
	append_signature(&token, f->ed);
	static const char *const tails[] = {"=", "==", ".", ".AAAA", " ", "\n", "%"};
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		buffer_clear(&changed);
		buffer_append_text(&changed, buffer_text(&token));
		buffer_append_text(&changed, text_of(tails[i]));
		assert_int_equal(check(f, buffer_text(&changed), &claims), JWT_MALFORMED);
	}
	/* 64 bytes leave four spare bits in the last digit: only zeros are the one spelling. */
	token.data[token.size - 1]++;
	assert_int_equal(check(f, buffer_text(&token), &claims), JWT_MALFORMED);

	buffer_clear(&changed);
	while (changed.size <= JWT_SIZE_LIMIT)
		buffer_append_byte(&changed, 'A');
	assert_int_equal(check(f, buffer_text(&changed), &claims), JWT_MALFORMED);
	assert_int_equal(check(f, (struct text){0}, &claims), JWT_MALFORMED);
}

static void test_unconfigured_accepts_nobody(void **state)
{
	struct fixture *f = *state;
	struct buffer token ATTR_BUFFER = {0};
	struct jwt_claims claims;
	struct jwt_expected nobody = {0}, no_audience = {TEXT("https://id.example"), {0}};
	start_token(&token, "{\"alg\":\"EdDSA\"}", "{\"iss\":\"\"," SUB ",\"aud\":\"\"," EXP "}");
	append_signature(&token, f->ed);
	assert_int_equal(jwt_verify(f->keys, &nobody, buffer_text(&token), now_ms, &claims),
			 JWT_ISSUER_WRONG);
	start_token(&token, "{\"alg\":\"EdDSA\"}", "{" ISS "," SUB ",\"aud\":\"\"," EXP "}");
	append_signature(&token, f->ed);
	assert_int_equal(jwt_verify(f->keys, &no_audience, buffer_text(&token), now_ms, &claims),
			 JWT_AUDIENCE_WRONG);
}

static size_t count_of(const char *json)
{
	struct jwks *keys;
	assert_int_equal(jwks_parse(text_bytes(text_of(json)), &keys), 0);
	size_t count = jwks_count(keys);
	jwks_free(keys);
	return count;
}

static void test_key_sets(void **state ATTR_UNUSED)
{
	struct jwks *keys;
	static const char *const refused[] = {
	    "", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[],\"keys\":[]}", "{\"keys\":["};
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(jwks_parse(text_bytes(text_of(refused[i])), &keys), 1);
	assert_int_equal(
	    count_of("{\"keys\":[7,{},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}]}"), 0);
	/* Not on the curve. */
	assert_int_equal(count_of("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
				  "\"x\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\","
				  "\"y\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}]}"),
			 0);
#define ED_X                                                                                       \
	"\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"                               \
	"7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
	assert_int_equal(count_of("{\"keys\":[{" ED_X "}]}"), 1);
	assert_int_equal(count_of("{\"keys\":[{" ED_X ",\"use\":\"enc\"}]}"), 0);
	assert_int_equal(count_of("{\"keys\":[{" ED_X ",\"alg\":\"ES256\"}]}"), 0);
	assert_int_equal(count_of("{\"keys\":[{" ED_X ",\"key_ops\":[\"sign\"]}]}"), 0);
	assert_int_equal(count_of("{\"keys\":[{" ED_X ",\"key_ops\":[\"verify\"]}]}"), 1);
}

static void test_weak_rsa_is_passed_over(void **state ATTR_UNUSED)
{
	struct buffer set ATTR_BUFFER = {0};
	EVP_PKEY *weak = EVP_RSA_gen(1024);
	buffer_append_text(&set, TEXT("{\"keys\":["));
	append_rsa(&set, weak, "w");
	buffer_append_text(&set, TEXT("]}"));
	buffer_append_byte(&set, 0);
	assert_int_equal(count_of((const char *)set.data), 0);
	EVP_PKEY_free(weak);
}

/* Without a kid and with two keys of the kind nobody may guess. */
static void test_ambiguous_key(void **state)
{
	struct fixture *f = *state;
	struct buffer set ATTR_BUFFER = {0};
	struct fixture two = *f;
	buffer_append_text(&set, TEXT("{\"keys\":["));
	append_ed(&set, f->ed, "1");
	buffer_append_byte(&set, ',');
	append_ed(&set, f->ed, "2");
	buffer_append_text(&set, TEXT("]}"));
	assert_int_equal(jwks_parse(buffer_bytes(&set), &two.keys), 0);
	assert_int_equal(outcome_of(&two, f->ed, "{\"alg\":\"EdDSA\"}", GOOD_CLAIMS),
			 JWT_KEY_UNKNOWN);
	assert_int_equal(outcome_of(&two, f->ed, "{\"alg\":\"EdDSA\",\"kid\":\"2\"}", GOOD_CLAIMS),
			 JWT_VALID);
	jwks_free(two.keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_algorithm),
	    cmocka_unit_test(test_algorithms_that_are_none_of_ours),
	    cmocka_unit_test(test_public_key_as_hmac_secret),
	    cmocka_unit_test(test_key_must_fit_the_algorithm),
	    cmocka_unit_test(test_headers_that_are_refused),
	    cmocka_unit_test(test_claims_that_are_refused),
	    cmocka_unit_test(test_unverified_email_names_nobody),
	    cmocka_unit_test(test_encodings_that_are_refused),
	    cmocka_unit_test(test_unconfigured_accepts_nobody),
	    cmocka_unit_test(test_key_sets),
	    cmocka_unit_test(test_weak_rsa_is_passed_over),
	    cmocka_unit_test(test_ambiguous_key),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
