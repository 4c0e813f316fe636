#include "base/descriptor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static int read_of(size_t size, size_t limit, struct buffer *out)
{
	static const uint8_t zeros[64];
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(descriptor_write_all(ends[1], (struct bytes){zeros, size}), 0);
	close(ends[1]);
	out->limit = limit;
	int r = descriptor_read_to_end(ends[0], out);
	close(ends[0]);
	return r;
}

/* The limit is that of the content, however much is read at once. */
static void test_read_to_end_keeps_the_limit(void **state ATTR_UNUSED)
{
	for (size_t size = 0; size <= 64; size++) {
		struct buffer out ATTR_BUFFER = {0};
		assert_int_equal(read_of(size, 40, &out), size <= 40 ? 0 : -EMSGSIZE);
		assert_int_equal(out.size, size <= 40 ? size : 40);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read_to_end_keeps_the_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
