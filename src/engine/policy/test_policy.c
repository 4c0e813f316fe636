#include "engine/policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool allows(const char *json, enum operation_kind kind)
{
	struct policy policy = policy_parse(text_of(json));
	return policy_allows(&policy, kind);
}

static void an_empty_policy_allows_all(void **state ATTR_UNUSED)
{
	for (int kind = 0; kind < OPERATION_KINDS; kind++) {
		assert_true(allows("{}", (enum operation_kind)kind));
		assert_true(allows("{ }", (enum operation_kind)kind));
		assert_true(allows("{\"operations\":{}}", (enum operation_kind)kind));
	}
}

static void allow_names_all_that_is_allowed(void **state ATTR_UNUSED)
{
	static const char json[] = "{\"operations\":{\"allow\":[\"fs.*\"]}}";
	assert_true(allows(json, OPERATION_FS_REMOVE));
	assert_false(allows(json, OPERATION_COMMAND_RUN));
	assert_false(allows("{\"operations\":{\"allow\":[]}}", OPERATION_FS_READ));
}

static void deny_wins(void **state ATTR_UNUSED)
{
	static const char json[] =
	    "{\"operations\":{\"allow\":[\"*\"],\"deny\":[\"command.run\",\"fs.remove\"]}}";
	assert_true(allows(json, OPERATION_FS_READ));
	assert_false(allows(json, OPERATION_FS_REMOVE));
	assert_false(allows(json, OPERATION_COMMAND_RUN));
	assert_false(allows("{\"operations\":{\"deny\":[\"*\"]}}", OPERATION_FS_READ));
}

static void what_is_no_policy_allows_nothing(void **state ATTR_UNUSED)
{
	static const char *const broken[] = {
	    "",
	    "[]",
	    "null",
	    "{\"operations\":[]}",
	    "{\"operations\":{\"allow\":[\"fs.raed\"]}}",
	    "{\"operation\":{}}",
	    "{\"operations\":{\"alow\":[]}}",
	    "{\"operations\":{\"allow\":\"fs.read\"}}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
		for (int kind = 0; kind < OPERATION_KINDS; kind++)
			assert_false(allows(broken[i], (enum operation_kind)kind));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_policy_allows_all),
	    cmocka_unit_test(allow_names_all_that_is_allowed),
	    cmocka_unit_test(deny_wins),
	    cmocka_unit_test(what_is_no_policy_allows_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
