#include "base/unit_test.h"
#include "proto/etag.h"

struct match {
	const char *list;
	bool weak, has;
};

static void lists_are_compared(void **state ATTR_UNUSED)
{
	static const struct match matches[] = {
	    {"\"a.b\"", false, true},
	    {"\"x\", \"a.b\"", false, true},
	    {" \"x\" ,\t\"a.b\" ", false, true},
	    {"*", false, true},
	    {"a.b", false, true},
	    {"W/\"a.b\"", true, true},
	    {"W/\"a.b\"", false, false},
	    {"\"a.b", false, false},
	    {"\"a.bc\"", true, false},
	    {"", true, false},
	    {",,", true, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(matches); i++)
		assert_int_equal(
		    etag_list_has(text_of(matches[i].list), TEXT("\"a.b\""), matches[i].weak),
		    matches[i].has);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lists_are_compared)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
