#include "base/unit_test.h"
#include "proc/worker/cgroup_mounts.h"

#define LINE_ROOT "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
#define LINE_V1(number, point, options)                                                            \
	number " 20 0:30 / /sys/fs/cgroup/" point                                                  \
	       " rw,nosuid shared:9 - cgroup cgroup rw," options "\n"
#define LINE_V2(point) "33 20 0:29 / " point " rw,nosuid shared:4 master:2 - cgroup2 cgroup2 rw\n"

static void assert_point(struct text point, const char *expected)
{
	assert_int_equal(point.size, strlen(expected));
	assert_memory_equal(point.data, expected, point.size);
}

static void finds_the_second_version(void **state ATTR_UNUSED)
{
	struct cgroup_mounts mounts;
	cgroup_mounts_find(TEXT(LINE_ROOT LINE_V2("/sys/fs/cgroup")), &mounts);
	assert_false(cgroup_mounts_are_v1(&mounts));
	assert_point(mounts.unified, "/sys/fs/cgroup");
}

static void finds_both_beside_each_other(void **state ATTR_UNUSED)
{
	struct cgroup_mounts mounts;
	cgroup_mounts_find(TEXT(LINE_V1("30", "cpu,cpuacct", "cpu,cpuacct")
				    LINE_V1("31", "memory", "memory") LINE_V1("32", "pids", "pids")
					LINE_V2("/sys/fs/cgroup/unified")),
			   &mounts);
	assert_true(cgroup_mounts_are_v1(&mounts));
	assert_point(mounts.v1[CGROUP_CPU], "/sys/fs/cgroup/cpu,cpuacct");
	assert_point(mounts.v1[CGROUP_CPUACCT], "/sys/fs/cgroup/cpu,cpuacct");
	assert_point(mounts.v1[CGROUP_MEMORY], "/sys/fs/cgroup/memory");
	assert_point(mounts.unified, "/sys/fs/cgroup/unified");
}

static void a_missing_controller_is_told(void **state ATTR_UNUSED)
{
	struct cgroup_mounts mounts;
	cgroup_mounts_find(TEXT(LINE_V1("31", "memory", "memory") LINE_V1("32", "pids", "pids")),
			   &mounts);
	assert_false(cgroup_mounts_are_v1(&mounts));
	assert_null(mounts.unified.data);
}

static void broken_lines_are_passed_over(void **state ATTR_UNUSED)
{
	struct cgroup_mounts mounts;
	cgroup_mounts_find(TEXT("\n33\n33 20 0:29 / /x rw\n- cgroup2\n - \n"), &mounts);
	assert_null(mounts.unified.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_the_second_version),
	    cmocka_unit_test(finds_both_beside_each_other),
	    cmocka_unit_test(a_missing_controller_is_told),
	    cmocka_unit_test(broken_lines_are_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
