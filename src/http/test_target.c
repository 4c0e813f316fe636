/* Percent-decoding and the parameters of a query. */
#include "http/target.h"

#include "base/unit_test.h"

static void assert_text(struct text text, struct text wanted)
{
	assert_int_equal(text.size, wanted.size);
	assert_memory_equal(text.data, wanted.data, wanted.size);
	assert_int_equal(text.data[text.size], '\0');
}

static void test_escapes_are_decoded_once(void **state ATTR_UNUSED)
{
	static const struct {
		struct text encoded, decoded;
	} cases[] = {
	    {TEXT(""), TEXT("")},
	    {TEXT("plain-._~"), TEXT("plain-._~")},
	    {TEXT("%61%2F%2f"), TEXT("a//")},
	    {TEXT("%2561"), TEXT("%61")},
	    {TEXT("a+b"), TEXT("a+b")},
	    {TEXT("%00%ff"), TEXT("\0\xff")},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena ATTR_ARENA = {0};
		struct text decoded;
		assert_int_equal(target_decode(cases[i].encoded, &arena, &decoded), 0);
		assert_text(decoded, cases[i].decoded);
	}
}

static void test_malformed_escapes_are_refused(void **state ATTR_UNUSED)
{
	static const char *const malformed[] = {"%",   "%6",   "a%",  "%g1",
						"%1g", "%%61", "% 1", "%+1"};
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
		struct arena arena ATTR_ARENA = {0};
		struct text query = text_of(malformed[i]), decoded, value;
		assert_int_equal(target_decode(query, &arena, &decoded), 1);
		assert_int_equal(target_next_parameter(&query, &arena, &decoded, &value), 1);
	}
}

static void test_parameters_come_one_by_one(void **state ATTR_UNUSED)
{
	static const struct {
		struct text name, value;
	} wanted[] = {{TEXT("a"), TEXT("1")},       {TEXT("b"), TEXT("x y=&")},
		      {TEXT("no value"), TEXT("")}, {TEXT("empty"), TEXT("")},
		      {TEXT(""), TEXT("")},         {TEXT(""), TEXT("nameless")},
		      {TEXT("a"), TEXT("again")}};
	struct arena arena ATTR_ARENA = {0};
	struct text query = TEXT("a=1&b=x+y=%26&no+value&empty=&&=nameless&a=again"), name, value;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_true(query.size > 0);
		assert_int_equal(target_next_parameter(&query, &arena, &name, &value), 0);
		assert_text(name, wanted[i].name);
		assert_text(value, wanted[i].value);
	}
	assert_int_equal(query.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_escapes_are_decoded_once),
	    cmocka_unit_test(test_malformed_escapes_are_refused),
	    cmocka_unit_test(test_parameters_come_one_by_one),
	};
	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
