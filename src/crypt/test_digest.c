#include "base/encode.h"
#include "crypt/digest.h"
#include "crypt/secret.h"
#include "crypt/token.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_hex(struct digest_value value, const char *expected)
{
	char hex[DIGEST_HEX_SIZE];
	encode_hex(digest_bytes(&value), hex);
	assert_string_equal(hex, expected);
}

/* FIPS 180-4 and RFC 4231 case 2. */
static void test_known_vectors(void **state ATTR_UNUSED)
{
	assert_hex(digest_of((struct bytes){0}),
		   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_hex(digest_of(text_bytes(TEXT("abc"))),
		   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_hex(
	    digest_hmac(text_bytes(TEXT("Jefe")), text_bytes(TEXT("what do ya want for nothing?"))),
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void test_pieces_equal_the_whole(void **state ATTR_UNUSED)
{
	uint8_t data[300];
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	struct digest *digest ATTR_DIGEST = digest_new();
	for (size_t cut = 0; cut <= sizeof(data); cut += 13) {
		struct bytes parts[2] = {{data, cut}, {data + cut, sizeof(data) - cut}};
		struct digest_value whole = digest_of((struct bytes){data, sizeof(data)});
		struct digest_value together = digest_of_parts(parts, 2);
		digest_update(digest, parts[0]);
		digest_update(digest, parts[1]);
		struct digest_value pieces = digest_finish(digest);
		assert_true(digest_equal(&whole, &together));
		assert_true(digest_equal(&whole, &pieces));
	}
}

static void test_tokens(void **state ATTR_UNUSED)
{
	char a[TOKEN_TEXT_SIZE], b[TOKEN_TEXT_SIZE];
	token_new(a);
	token_new(b);
	assert_int_equal(strlen(a), TOKEN_TEXT_SIZE - 1);
	assert_string_not_equal(a, b);
	struct digest_value hash = token_hash(text_of(a));
	assert_true(token_matches(text_of(a), &hash));
	assert_false(token_matches(text_of(b), &hash));
	assert_false(token_matches(TEXT(""), &hash));
}

/* A forked child must not inherit the secret. */
static void test_secret_is_empty_in_a_child(void **state ATTR_UNUSED)
{
	struct secret secret ATTR_SECRET = {0};
	assert_int_equal(secret_new(&secret, SECRET_SIZE_MAX + 1), -EINVAL);
	assert_int_equal(secret_new(&secret, 32), 0);
	memset(secret.data, 'x', secret.size);
	pid_t child = fork();
	if (child == 0)
		_exit(secret.data[0] == 0 && secret.data[31] == 0 ? 0 : 1);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(secret.data[31], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_vectors),
	    cmocka_unit_test(test_pieces_equal_the_whole),
	    cmocka_unit_test(test_tokens),
	    cmocka_unit_test(test_secret_is_empty_in_a_child),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
