#include "base/unit_test.h"
#include "proc/worker/uid_range.h"

#include <errno.h>

static const uint64_t base = UINT64_C(1) << 30;

static void ranges_follow_each_other(void **state ATTR_UNUSED)
{
	uint32_t first, second;
	assert_int_equal(uid_range_first(base, 0, &first), 0);
	assert_int_equal(uid_range_first(base, 1, &second), 0);
	assert_int_equal(first, base);
	assert_int_equal(second, first + UID_RANGE_SIZE);
}

static void a_range_never_holds_the_hosts_ids(void **state ATTR_UNUSED)
{
	uint32_t first = 7;
	assert_int_equal(uid_range_first(0, 3, &first), -ERANGE);
	assert_int_equal(uid_range_first(UID_RANGE_SIZE - 1, 0, &first), -ERANGE);
	assert_int_equal(first, 7);
}

static void the_last_range_ends_before_the_last_id(void **state ATTR_UNUSED)
{
	uint32_t first;
	assert_int_equal(uid_range_first(UINT32_MAX - UID_RANGE_SIZE, 0, &first), 0);
	assert_int_equal(uid_range_first(UINT32_MAX - UID_RANGE_SIZE + 1, 0, &first), -ERANGE);
	assert_int_equal(uid_range_first(base, UINT32_MAX, &first), -ERANGE);
	assert_int_equal(uid_range_first(UINT64_MAX, 1, &first), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ranges_follow_each_other),
	    cmocka_unit_test(a_range_never_holds_the_hosts_ids),
	    cmocka_unit_test(the_last_range_ends_before_the_last_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
