#include "base/text.h"
#include "base/unit_test.h"

#define assert_text(actual, expected) assert_true(text_equal((actual), text_of(expected)))

static void splits_at_the_first_separator(void **state ATTR_UNUSED)
{
	struct text rest = TEXT("a=b=c"), head;
	text_split(&rest, '=', &head);
	assert_text(head, "a");
	assert_text(rest, "b=c");
	text_split(&rest, ';', &head);
	assert_text(head, "b=c");
	assert_null(rest.data);
}

static void trims_and_compares(void **state ATTR_UNUSED)
{
	assert_text(text_trim(TEXT(" \t x y \t")), "x y");
	assert_true(text_equal_ignoring_case(TEXT("Content-Length"), TEXT("content-lengtH")));
	assert_false(text_equal_ignoring_case(TEXT("a"), TEXT("ab")));
	assert_true(text_starts(TEXT("croft_x"), TEXT("croft_")));
	assert_false(text_ends(TEXT("x"), TEXT("xx")));
}

static void parses_numbers_up_to_the_limit(void **state ATTR_UNUSED)
{
	uint64_t value = 7;
	assert_int_equal(text_parse_u64(TEXT("18446744073709551615"), UINT64_MAX, &value), 0);
	assert_true(value == UINT64_MAX);
	static const char *const refused[] = {
	    "", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "99999999999999999999"};
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(text_parse_u64(text_of(refused[i]), UINT64_MAX, &value), 1);
	assert_int_equal(text_parse_u64(TEXT("11"), 10, &value), 1);
	assert_true(value == UINT64_MAX);
}

struct utf8_case {
	const char *text;
	bool valid;
	size_t tail;
};

static void knows_utf8(void **state ATTR_UNUSED)
{
	static const struct utf8_case cases[] = {
	    {"plain ascii text", true, 0},
	    {"\xc3\xa9", true, 0},
	    {"\xe2\x82\xac\xf0\x9f\x90\x91", true, 0},
	    {"\xf4\x8f\xbf\xbf", true, 0},
	    {"\xc0\xaf", false, 0},         /* overlong */
	    {"\xe0\x80\xaf", false, 0},     /* overlong */
	    {"\xed\xa0\x80", false, 0},     /* surrogate */
	    {"\xf4\x90\x80\x80", false, 0}, /* past the last character */
	    {"\x80", false, 0},
	    {"12345678\xff", false, 0},
	    {"a\xe2", false, 1},
	    {"a\xe2\x82", false, 2},
	    {"\xf0\x9f\x90", false, 3},
	    {"\xe2\x28", false, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(text_is_utf8(text_of(cases[i].text)), cases[i].valid);
		assert_int_equal(text_utf8_tail(text_of(cases[i].text)), cases[i].tail);
	}
}

/* Whatever is cut, head without its tail is well-formed, and nothing is held back that is whole. */
static void never_splits_a_character(void **state ATTR_UNUSED)
{
	struct text whole = TEXT("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x91z");
	for (size_t cut = 0; cut <= whole.size; cut++) {
		struct text head = {whole.data, cut};
		size_t tail = text_utf8_tail(head);
		assert_true(tail <= 3);
		assert_true(text_is_utf8((struct text){head.data, head.size - tail}));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(splits_at_the_first_separator),  cmocka_unit_test(trims_and_compares),
	    cmocka_unit_test(parses_numbers_up_to_the_limit), cmocka_unit_test(knows_utf8),
	    cmocka_unit_test(never_splits_a_character),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
