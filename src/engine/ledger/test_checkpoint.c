#include "engine/ledger/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The example of the note format's reference implementation. */
#define NEUMANN "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

static void test_verifier_vector(void **state ATTR_UNUSED)
{
	struct checkpoint_key key;
	char text[CHECKPOINT_KEY_TEXT_SIZE];
	assert_int_equal(checkpoint_key_parse(TEXT(NEUMANN), &key), 0);
	checkpoint_key_format(&key, text);
	assert_string_equal(text, NEUMANN);
	assert_int_equal(checkpoint_key_parse(TEXT(NEUMANN "\n"), &key), 0);
	static const char *const bad[] = {
	    "",
	    "PeterNeumann",
	    "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	    "peterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T=",
	    "PeterNeumann+c74f20a3+AhpC",
	    "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(checkpoint_key_parse(text_of(bad[i]), &key), 1);
}

/* The signature itself, of the same example, whose text is no checkpoint. */
static void test_foreign_note_is_signed_but_no_checkpoint(void **state ATTR_UNUSED)
{
	struct checkpoint_key key;
	struct checkpoint checkpoint;
	assert_int_equal(checkpoint_key_parse(TEXT(NEUMANN), &key), 0);
	assert_int_equal(
	    checkpoint_open(
		TEXT("If you think cryptography is the answer to your problem,\n"
		     "then you don't know what your problem is.\n\n"
		     "\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZI"
		     "nNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"),
		&key, &checkpoint),
	    CHECKPOINT_MALFORMED);
}

struct fixture {
	struct sign_key *secret;
	struct checkpoint_key key;
	struct checkpoint checkpoint;
	struct buffer note;
};

static int set_up(void **state)
{
	static const uint8_t seed[SIGN_SEED_SIZE] = {1, 2, 3};
	struct fixture *f = calloc(1, sizeof(*f));
	assert_int_equal(sign_key_from_seed((struct bytes){seed, sizeof(seed)}, &f->secret), 0);
	assert_int_equal(
	    checkpoint_key_make(TEXT("croft.example/audit"), sign_key_public(f->secret), &f->key),
	    0);
	f->checkpoint.size = 1234;
	f->checkpoint.root = digest_of(text_bytes(TEXT("root")));
	assert_int_equal(checkpoint_sign(&f->checkpoint, &f->key, f->secret, &f->note), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	sign_key_free(f->secret);
	buffer_free(&f->note);
	free(f);
	return 0;
}

static void test_signed_checkpoint_opens(void **state)
{
	struct fixture *f = *state;
	struct checkpoint read;
	assert_int_equal(checkpoint_open(buffer_text(&f->note), &f->key, &read), 0);
	assert_int_equal(read.size, 1234);
	assert_true(digest_equal(&read.root, &f->checkpoint.root));
	assert_true(text_starts(buffer_text(&f->note), TEXT("croft.example/audit\n1234\n")));
}

static void test_each_changed_byte_is_seen(void **state)
{
	struct fixture *f = *state;
	struct checkpoint read;
	for (size_t i = 0; i < f->note.size; i++) {
		f->note.data[i] ^= 1;
		assert_int_not_equal(checkpoint_open(buffer_text(&f->note), &f->key, &read), 0);
		f->note.data[i] ^= 1;
		assert_int_not_equal(
		    checkpoint_open((struct text){(char *)f->note.data, i}, &f->key, &read), 0);
	}
}

static void test_other_keys_are_not_ours(void **state)
{
	struct fixture *f = *state;
	static const uint8_t seed[SIGN_SEED_SIZE] = {9};
	struct sign_key *foreign;
	struct checkpoint_key other, renamed;
	struct checkpoint read;
	struct buffer both ATTR_BUFFER = {0}, note ATTR_BUFFER = {0};
	assert_int_equal(sign_key_from_seed((struct bytes){seed, sizeof(seed)}, &foreign), 0);
	assert_int_equal(
	    checkpoint_key_make(text_of(f->key.origin), sign_key_public(foreign), &other), 0);
	assert_int_equal(checkpoint_open(buffer_text(&f->note), &other, &read),
			 CHECKPOINT_UNSIGNED);
	assert_int_equal(checkpoint_key_make(TEXT("other"), sign_key_public(f->secret), &renamed),
			 0);
	assert_int_equal(checkpoint_open(buffer_text(&f->note), &renamed, &read),
			 CHECKPOINT_OTHER_ORIGIN);

	/* A forger who takes our key id, since it is public. */
	memcpy(other.id, f->key.id, sizeof(other.id));
	assert_int_equal(checkpoint_sign(&f->checkpoint, &other, foreign, &note), 0);
	assert_int_equal(checkpoint_open(buffer_text(&note), &f->key, &read), CHECKPOINT_FORGED);

	/* A witness who signed too does no harm. */
	buffer_append_text(&both, buffer_text(&f->note));
	buffer_append_text(&both, TEXT("\xe2\x80\x94 witness AAAAAAAA\n"));
	assert_int_equal(checkpoint_open(buffer_text(&both), &f->key, &read), 0);
	buffer_append_text(&both, TEXT("no signature line\n"));
	assert_int_equal(checkpoint_open(buffer_text(&both), &f->key, &read), CHECKPOINT_MALFORMED);
	sign_key_free(foreign);
}

static void test_origins(void **state)
{
	struct fixture *f = *state;
	struct checkpoint_key key;
	static const char *const bad[] = {"", "a b", "a+b", "a\nb", "\xff"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(
		    checkpoint_key_make(text_of(bad[i]), sign_key_public(f->secret), &key), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_verifier_vector),
	    cmocka_unit_test(test_foreign_note_is_signed_but_no_checkpoint),
	    cmocka_unit_test(test_signed_checkpoint_opens),
	    cmocka_unit_test(test_each_changed_byte_is_seen),
	    cmocka_unit_test(test_other_keys_are_not_ours),
	    cmocka_unit_test(test_origins),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
