#include "proc/gateway/address_limit.h"
#include "proc/gateway/credential.h"
#include "proc/gateway/fields.h"

#include "proc/gateway/test.h"

#include <stdio.h>

static void test_prefer(void **state)
{
	(void)state;
	static const struct {
		const char *field;
		uint32_t wait;
		bool applied;
	} cases[] = {
	    {"wait=10", 10, true},        {"respond-async, Wait=5", 5, true},
	    {"wait=\"7\"; x=1", 7, true}, {"wait = 3 , wait=9", 3, true},
	    {"wait=100000", 60, true},    {"wait=0", 0, true},
	    {"wait=-1", 0, false},        {"wait=1s", 0, false},
	    {"wait", 0, false},           {"", 0, false},
	    {"waiting=3", 0, false},      {"wait=99999999999", 0, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool applied;
		assert_int_equal(fields_prefer_wait(text_of(cases[i].field), &applied),
				 cases[i].wait);
		assert_int_equal(applied, cases[i].applied);
	}
}

static void test_traceparent(void **state)
{
	(void)state;
#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	assert_true(fields_traceparent_is_valid(TEXT("00-" TRACE)));
	assert_true(fields_traceparent_is_valid(TEXT("01-" TRACE "-more")));
	assert_false(fields_traceparent_is_valid(TEXT("00-" TRACE "-more")));
	assert_false(fields_traceparent_is_valid(TEXT("ff-" TRACE)));
	assert_false(fields_traceparent_is_valid(
	    TEXT("00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")));
	assert_false(fields_traceparent_is_valid(
	    TEXT("00-00000000000000000000000000000000-00f067aa0ba902b7-01")));
	assert_false(fields_traceparent_is_valid(
	    TEXT("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")));
	assert_false(fields_traceparent_is_valid(TEXT("")));
}

static void test_request_id(void **state)
{
	(void)state;
	assert_true(fields_request_id_is_plain(TEXT("Az09._-")));
	assert_false(fields_request_id_is_plain(TEXT("")));
	assert_false(fields_request_id_is_plain(TEXT("a b")));
	assert_false(fields_request_id_is_plain(TEXT("a\nb")));
	char id[REQUEST_ID_LIMIT + 1];
	memset(id, 'a', sizeof(id));
	assert_true(fields_request_id_is_plain((struct text){id, REQUEST_ID_LIMIT}));
	assert_false(fields_request_id_is_plain((struct text){id, REQUEST_ID_LIMIT + 1}));
}

static void assert_key(const char *field, const char *expected)
{
	ATTR_BUFFER struct buffer out = {0};
	int r = fields_idempotency_key(text_of(field), &out);
	assert_int_equal(r, expected ? 0 : 1);
	if (expected)
		assert_true(text_equal(buffer_text(&out), text_of(expected)));
}

static void test_idempotency_key(void **state)
{
	(void)state;
	assert_key("abc", "abc");
	assert_key("\"abc\"", "abc");
	assert_key(" \"a\\\"b\\\\c\" ", "a\"b\\c");
	assert_key("a\"b", "a\"b");
	assert_key("\303\244", "\303\244");
	assert_key("", NULL);
	assert_key("\"\"", NULL);
	assert_key("\"a\\b\"", NULL);
	assert_key("\"a\"b\"", NULL);
	assert_key("a\x01", NULL);
	assert_key("\xff", NULL);
	char key[600];
	for (size_t i = 0; i < sizeof(key) / 2; i++)
		memcpy(key + 2 * i, "\303\244", 2);
	ATTR_BUFFER struct buffer out = {0};
	assert_int_equal(
	    fields_idempotency_key((struct text){key, 2 * IDEMPOTENCY_KEY_LIMIT}, &out), 0);
	buffer_clear(&out);
	assert_int_equal(
	    fields_idempotency_key((struct text){key, 2 * IDEMPOTENCY_KEY_LIMIT + 2}, &out), 1);
}

static void test_accept(void **state)
{
	(void)state;
	struct text sse = TEXT("text/event-stream");
	assert_true(fields_accept_names(TEXT("text/event-stream"), sse));
	assert_true(
	    fields_accept_names(TEXT("application/json;q=0.5, Text/Event-Stream ; q=0.1"), sse));
	assert_false(fields_accept_names(TEXT("text/event-stream;q=0.0"), sse));
	assert_false(fields_accept_names(TEXT("*/*"), sse));
	assert_false(fields_accept_names((struct text){0}, sse));
}

static enum credential_verdict find(const char *authorization, const char *key, const char *ticket,
				    struct credential *credential)
{
	struct credential_sources sources = {
	    {authorization, authorization ? strlen(authorization) : 0},
	    {key, key ? strlen(key) : 0},
	    {ticket, ticket ? strlen(ticket) : 0},
	    (size_t)(!!authorization + !!key + !!ticket),
	};
	return credential_find(&sources, credential);
}

static void test_credentials(void **state)
{
	(void)state;
	struct credential c;
	assert_int_equal(find(NULL, NULL, NULL, &c), CREDENTIAL_FOUND);
	assert_int_equal(c.kind, CREDENTIAL_NONE);
	assert_int_equal(find("Bearer croft_a_b", NULL, NULL, &c), CREDENTIAL_FOUND);
	assert_int_equal(c.kind, CREDENTIAL_API_KEY);
	assert_true(text_equal(c.secret, TEXT("croft_a_b")));
	assert_int_equal(find("bEARER   aa.bb.cc", NULL, NULL, &c), CREDENTIAL_FOUND);
	assert_int_equal(c.kind, CREDENTIAL_JWT);
	assert_true(text_equal(c.secret, TEXT("aa.bb.cc")));
	assert_int_equal(find(NULL, "croft_a_b", NULL, &c), CREDENTIAL_FOUND);
	assert_int_equal(c.kind, CREDENTIAL_API_KEY);
	assert_int_equal(find(NULL, NULL, "t1", &c), CREDENTIAL_FOUND);
	assert_int_equal(c.kind, CREDENTIAL_TICKET);
}

static void test_bad_credentials(void **state)
{
	(void)state;
	static const char *const bad[] = {"",           "Bearer",      "Bearer ",    "Basic YTpi",
					  "Bearer a b", "Bearer a\tb", "Bearer \xff"};
	struct credential c;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(find(bad[i], NULL, NULL, &c), CREDENTIAL_MALFORMED);
		assert_int_equal(c.kind, CREDENTIAL_NONE);
	}
	assert_int_equal(find("Bearer a", "a", NULL, &c), CREDENTIAL_SEVERAL);
	assert_int_equal(find(NULL, "a", "a", &c), CREDENTIAL_SEVERAL);
	static char huge[CREDENTIAL_LIMIT + 2];
	memset(huge, 'a', CREDENTIAL_LIMIT + 1);
	assert_int_equal(find(NULL, huge, NULL, &c), CREDENTIAL_MALFORMED);
}

static struct address_limit limit;

static void test_addresses(void **state)
{
	(void)state;
	address_limit_init(&limit, 3);
	struct text four = TEXT("192.0.2.1"), other = TEXT("192.0.2.2");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(address_limit_wait(&limit, four, 1000), 0);
		address_limit_failed(&limit, four, 1000);
	}
	assert_in_range(address_limit_wait(&limit, four, 1000), 1, 21);
	assert_int_equal(address_limit_wait(&limit, other, 1000), 0);
	assert_int_equal(address_limit_wait(&limit, four, 1000 + 20000),
			 0); /* one of three a minute */
	/* One customer's /64 is one address, and a mapped IPv4 address is the IPv4 address. */
	for (int i = 0; i < 3; i++)
		address_limit_failed(&limit, TEXT("2001:db8::1"), 1000);
	assert_true(address_limit_wait(&limit, TEXT("2001:db8::ffff:2"), 1000) > 0);
	assert_int_equal(address_limit_wait(&limit, TEXT("2001:db8:0:1::1"), 1000), 0);
	assert_true(address_limit_wait(&limit, TEXT("::ffff:192.0.2.1"), 1000) > 0);
	address_limit_free(&limit);
}

static void test_addresses_are_bounded(void **state)
{
	(void)state;
	address_limit_init(&limit, 1);
	for (unsigned i = 0; i < ADDRESSES_MAX + 100; i++) {
		char text[32];
		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		address_limit_failed(&limit, text_of(text), 1000);
	}
	assert_int_equal(limit.addresses.count, ADDRESSES_MAX);
	assert_int_equal(address_limit_wait(&limit, TEXT("10.0.0.0"), 1000),
			 0); /* forgotten first */
	address_limit_free(&limit);
}

static void test_known_credentials(void **state)
{
	(void)state;
	address_limit_init(&limit, 1);
	struct digest_value good = digest_of(text_bytes(TEXT("good"))),
			    bad = digest_of(text_bytes(TEXT("bad")));
	assert_false(address_limit_knows(&limit, &good));
	address_limit_succeeded(&limit, &good);
	assert_true(address_limit_knows(&limit, &good));
	assert_false(address_limit_knows(&limit, &bad));
	address_limit_free(&limit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_prefer),
	    cmocka_unit_test(test_traceparent),
	    cmocka_unit_test(test_request_id),
	    cmocka_unit_test(test_idempotency_key),
	    cmocka_unit_test(test_accept),
	    cmocka_unit_test(test_credentials),
	    cmocka_unit_test(test_bad_credentials),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_addresses_are_bounded),
	    cmocka_unit_test(test_known_credentials),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
