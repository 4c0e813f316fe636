#include "tenant/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static unsigned take_all(struct bucket *bucket, uint64_t per_minute, uint64_t now_ms)
{
	unsigned taken = 0;
	while (bucket_take(bucket, per_minute, now_ms))
		taken++;
	return taken;
}

static void gives_a_minutes_worth_and_then_no_more(void **state)
{
	struct bucket bucket = {0};
	(void)state;
	assert_int_equal(take_all(&bucket, 60, 1000), 60);
	assert_int_equal(bucket_left(&bucket, 60), 0);
	assert_int_equal(bucket_next_ms(&bucket, 60), 1000);
	assert_int_equal(bucket_full_ms(&bucket, 60), 60000);
}

static void fills_with_time_and_never_over(void **state)
{
	struct bucket bucket = {0};
	(void)state;
	take_all(&bucket, 60, 1000);
	assert_false(bucket_take(&bucket, 60, 1999));
	assert_true(bucket_take(&bucket, 60, 2000));
	assert_int_equal(take_all(&bucket, 60, 12000), 10);
	assert_int_equal(take_all(&bucket, 60, 10000000), 60);
}

/* Many refusals in one window must not push the refill away. */
static void refusals_cost_nothing(void **state)
{
	struct bucket bucket = {0};
	(void)state;
	take_all(&bucket, 1, 1000);
	for (uint64_t now = 1001; now < 61000; now += 7)
		assert_false(bucket_take(&bucket, 1, now));
	assert_true(bucket_take(&bucket, 1, 61000));
}

static void a_clock_that_goes_back_gives_nothing(void **state)
{
	struct bucket bucket = {0};
	(void)state;
	take_all(&bucket, 60, 100000);
	assert_false(bucket_take(&bucket, 60, 50));
}

static void the_largest_limit_does_not_overflow(void **state)
{
	struct bucket bucket = {0};
	(void)state;
	assert_true(bucket_take(&bucket, BUCKET_PER_MINUTE_MAX, 1));
	assert_int_equal(bucket_left(&bucket, BUCKET_PER_MINUTE_MAX), BUCKET_PER_MINUTE_MAX - 1);
	assert_true(bucket_take(&bucket, BUCKET_PER_MINUTE_MAX, 59999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_a_minutes_worth_and_then_no_more),
	    cmocka_unit_test(fills_with_time_and_never_over),
	    cmocka_unit_test(refusals_cost_nothing),
	    cmocka_unit_test(a_clock_that_goes_back_gives_nothing),
	    cmocka_unit_test(the_largest_limit_does_not_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
