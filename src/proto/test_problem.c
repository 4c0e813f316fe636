#include "proto/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A hole in the table would answer status 0; two rows with one code could not be told apart by
 * clients. */
static void test_codes_are_complete_and_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < PROBLEM_CODES; i++) {
		assert_non_null(problem_kinds[i].code);
		assert_non_null(problem_kinds[i].title);
		assert_in_range(problem_kinds[i].status, 400, 599);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(problem_kinds[i].code, problem_kinds[j].code);
	}
}

/* The same code has one status, whether the call or the operation failed. */
static void test_outcomes_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < OUTCOMES; i++)
		for (size_t j = 0; j < PROBLEM_CODES; j++)
			if (strcmp(outcome_kinds[i].code, problem_kinds[j].code) == 0)
				assert_int_equal(outcome_kinds[i].status, problem_kinds[j].status);
}

static void test_document(void **state)
{
	(void)state;
	ATTR_BUFFER struct buffer out = {0};
	struct json json = json_to(&out);
	struct problem problem = problem_of(PROBLEM_CURSOR_EXPIRED);
	problem.detail = TEXT("gone \"for ever\"");
	problem.request_id = TEXT("r1");
	problem_begin(&json, &problem);
	json_key(&json, "oldestCursor");
	json_cstring(&json, "abc");
	json_object_end(&json);
	buffer_append_byte(&out, 0);
	assert_string_equal(
	    (char *)out.data,
	    "{\"type\":\"https://croft.dev/problems/cursor_expired\","
	    "\"title\":\"Events behind the cursor are no longer kept\",\"status\":410,"
	    "\"detail\":\"gone \\\"for ever\\\"\",\"code\":\"cursor_expired\","
	    "\"retryable\":false,\"requestId\":\"r1\",\"oldestCursor\":\"abc\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_codes_are_complete_and_unique),
	    cmocka_unit_test(test_outcomes_agree),
	    cmocka_unit_test(test_document),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
