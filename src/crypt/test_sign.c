#include "base/descriptor.h"
#include "base/encode.h"
#include "crypt/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* RFC 8032 section 7.1, test 2. */
static void test_known_vector(void **state ATTR_UNUSED)
{
	uint8_t seed[SIGN_SEED_SIZE], public[SIGN_PUBLIC_SIZE], expected[SIGN_SIGNATURE_SIZE];
	assert_int_equal(
	    decode_hex(TEXT("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
		       seed),
	    0);
	assert_int_equal(
	    decode_hex(TEXT("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
		       public),
	    0);
	assert_int_equal(
	    decode_hex(TEXT("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
			    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
		       expected),
	    0);
	struct sign_key *key;
	uint8_t signature[SIGN_SIGNATURE_SIZE];
	struct bytes message = text_bytes(TEXT("\x72"));
	assert_int_equal(sign_key_from_seed((struct bytes){seed, sizeof(seed)}, &key), 0);
	assert_memory_equal(sign_key_public(key)->b, public, sizeof(public));
	assert_int_equal(sign_message(key, message, signature), 0);
	assert_memory_equal(signature, expected, sizeof(expected));
	assert_true(sign_is_valid(sign_key_public(key), message, (struct bytes){signature, 64}));
	assert_false(sign_is_valid(sign_key_public(key), message, (struct bytes){signature, 63}));
	signature[10] ^= 1;
	assert_false(sign_is_valid(sign_key_public(key), message, (struct bytes){signature, 64}));
	sign_key_free(key);
}

static void test_key_file(void **state ATTR_UNUSED)
{
	char folder[] = "/tmp/croft-sign-XXXXXX";
	assert_non_null(mkdtemp(folder));
	int directory ATTR_DESCRIPTOR = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct sign_key *made, *loaded;
	struct stat info;
	assert_int_equal(sign_key_load(directory, "key", &loaded), 1);
	assert_int_equal(sign_key_create(directory, "key", &made), 0);
	assert_int_equal(fstatat(directory, "key", &info, 0), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	assert_int_equal(info.st_size, SIGN_SEED_SIZE);
	assert_int_equal(sign_key_load(directory, "key", &loaded), 0);
	assert_memory_equal(sign_key_public(made), sign_key_public(loaded), SIGN_PUBLIC_SIZE);
	sign_key_free(made);
	sign_key_free(loaded);

	assert_int_equal(file_replace(directory, "key", text_bytes(TEXT("short")), 0600), 0);
	assert_int_equal(sign_key_load(directory, "key", &loaded), -EBADMSG);
	assert_int_equal(file_replace(directory, "key",
				      text_bytes(TEXT("0123456789012345678901234567890123")), 0600),
			 0);
	assert_int_equal(sign_key_load(directory, "key", &loaded), -EBADMSG);
	unlinkat(directory, "key", 0);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_vector),
	    cmocka_unit_test(test_key_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
