/* The second version of control groups, in a folder that stands in for the hierarchy: which files
 * are written with what, and how those that the kernel writes are read. The first version is tried
 * by test_launcher.c on hosts that have it. */
#include "base/buffer.h"
#include "base/descriptor.h"
#include "base/unit_test.h"
#include "proc/worker/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOTS = 2, FOLDERS_AT_ONCE = 4 };

static const struct cgroup_limits limits = {
    .memory_bytes = 64 << 20, .cpu_percent = 150, .pids = 32};

struct hierarchy {
	char path[32];
	char table[128];
	int folder;
};

static void make_file(const struct hierarchy *hierarchy, const char *name, const char *content)
{
	int fd ATTR_DESCRIPTOR =
	    openat(hierarchy->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
}

static void assert_file(const struct hierarchy *hierarchy, const char *name, const char *expected)
{
	struct buffer content ATTR_BUFFER = {0};
	assert_int_equal(file_read(hierarchy->folder, name, &content), 0);
	assert_int_equal(content.size, strlen(expected));
	assert_memory_equal(content.data, expected, content.size);
}

/* As the kernel does, which fills each folder that is made with files. */
static void fill_slot(const struct hierarchy *hierarchy, const char *slot)
{
	static const char *const files[] = {"cgroup.procs", "memory.max", "memory.swap.max",
					    "cpu.max", "pids.max"};
	char path[64];
	assert_int_equal(mkdirat(hierarchy->folder, slot, 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", slot, files[i]);
		make_file(hierarchy, path, "");
	}
}

static void open_hierarchy(struct hierarchy *hierarchy)
{
	strcpy(hierarchy->path, "/tmp/croft-cgroup-XXXXXX");
	assert_non_null(mkdtemp(hierarchy->path));
	hierarchy->folder = open(hierarchy->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(hierarchy->folder >= 0);
	snprintf(hierarchy->table, sizeof(hierarchy->table),
		 "33 20 0:29 / %s rw,nosuid - cgroup2 cgroup2 rw\n", hierarchy->path);
}

static int remove_one(const char *path, const struct stat *status ATTR_UNUSED, int kind ATTR_UNUSED,
		      struct FTW *where ATTR_UNUSED)
{
	return remove(path);
}

static void close_hierarchy(struct hierarchy *hierarchy)
{
	close(hierarchy->folder);
	assert_int_equal(nftw(hierarchy->path, remove_one, FOLDERS_AT_ONCE, FTW_DEPTH | FTW_PHYS),
			 0);
}

static struct cgroups *open_groups(struct hierarchy *hierarchy)
{
	struct cgroups *cgroups;
	open_hierarchy(hierarchy);
	make_file(hierarchy, "cgroup.subtree_control", "");
	assert_int_equal(mkdirat(hierarchy->folder, "croft", 0700), 0);
	make_file(hierarchy, "croft/cgroup.subtree_control", "");
	assert_int_equal(cgroups_open_below(&cgroups, text_of(hierarchy->table), "croft", SLOTS),
			 0);
	return cgroups;
}

static void controllers_are_handed_down(void **state ATTR_UNUSED)
{
	struct hierarchy hierarchy;
	struct cgroups *cgroups = open_groups(&hierarchy);
	assert_file(&hierarchy, "cgroup.subtree_control", "+memory +cpu +pids");
	assert_file(&hierarchy, "croft/cgroup.subtree_control", "+memory +cpu +pids");
	cgroups_close(cgroups);
	close_hierarchy(&hierarchy);
}

static void a_host_that_hands_down_nothing_is_refused(void **state ATTR_UNUSED)
{
	struct hierarchy hierarchy;
	struct cgroups *cgroups = NULL;
	open_hierarchy(&hierarchy);
	assert_int_equal(cgroups_open_below(&cgroups, text_of(hierarchy.table), "croft", SLOTS),
			 -ENOTSUP);
	assert_int_equal(cgroups_open_below(&cgroups, TEXT(""), "croft", SLOTS), -ENOTSUP);
	assert_null(cgroups);
	close_hierarchy(&hierarchy);
}

static void a_slot_is_entered_and_limited(void **state ATTR_UNUSED)
{
	struct hierarchy hierarchy;
	struct cgroups *cgroups = open_groups(&hierarchy);
	fill_slot(&hierarchy, "croft/slot-1");
	assert_int_equal(cgroups_enter(cgroups, 1), 0);
	assert_int_equal(cgroups_limit(cgroups, 1, &limits), 0);
	assert_file(&hierarchy, "croft/slot-1/cgroup.procs", "0");
	assert_file(&hierarchy, "croft/slot-1/memory.max", "67108864");
	assert_file(&hierarchy, "croft/slot-1/memory.swap.max", "0");
	assert_file(&hierarchy, "croft/slot-1/cpu.max", "150000 100000");
	assert_file(&hierarchy, "croft/slot-1/pids.max", "32");
	cgroups_close(cgroups);
	close_hierarchy(&hierarchy);
}

static void a_limit_that_cannot_be_set_is_an_error(void **state ATTR_UNUSED)
{
	struct hierarchy hierarchy;
	struct cgroups *cgroups = open_groups(&hierarchy);
	fill_slot(&hierarchy, "croft/slot-0");
	assert_int_equal(unlinkat(hierarchy.folder, "croft/slot-0/pids.max", 0), 0);
	assert_int_equal(cgroups_limit(cgroups, 0, &limits), -ENOENT);
	cgroups_close(cgroups);
	close_hierarchy(&hierarchy);
}

static void use_is_read(void **state ATTR_UNUSED)
{
	struct hierarchy hierarchy;
	struct cgroup_usage usage;
	struct cgroups *cgroups = open_groups(&hierarchy);
	fill_slot(&hierarchy, "croft/slot-0");
	make_file(&hierarchy, "croft/slot-0/cpu.stat",
		  "usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\n");
	make_file(&hierarchy, "croft/slot-0/memory.events",
		  "low 0\nhigh 0\nmax 9\noom 4\noom_kill 3\noom_group_kill 0\n");
	make_file(&hierarchy, "croft/slot-0/memory.peak", "99999999\n");
	cgroups_usage(cgroups, 0, &usage);
	assert_int_equal(usage.cpu_us, 1234567);
	assert_int_equal(usage.oom_kills, 3);
	assert_int_equal(usage.memory_peak_bytes, 0); /* it may be an earlier instance's */
	cgroups_usage(cgroups, 1, &usage);
	assert_int_equal(usage.cpu_us + usage.oom_kills, 0);
	cgroups_close(cgroups);
	close_hierarchy(&hierarchy);
}

static void what_is_left_over_is_removed(void **state ATTR_UNUSED)
{
	struct hierarchy hierarchy;
	struct cgroups *again, *cgroups = open_groups(&hierarchy);
	assert_int_equal(mkdirat(hierarchy.folder, "croft/slot-0", 0700), 0);
	assert_int_equal(mkdirat(hierarchy.folder, "croft/other", 0700), 0);
	assert_int_equal(cgroups_open_below(&again, text_of(hierarchy.table), "croft", SLOTS), 0);
	assert_int_equal(faccessat(hierarchy.folder, "croft/slot-0", F_OK, 0), -1);
	assert_int_equal(faccessat(hierarchy.folder, "croft/other", F_OK, 0), 0);
	cgroups_close(again);
	cgroups_close(cgroups);
	close_hierarchy(&hierarchy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(controllers_are_handed_down),
	    cmocka_unit_test(a_host_that_hands_down_nothing_is_refused),
	    cmocka_unit_test(a_slot_is_entered_and_limited),
	    cmocka_unit_test(a_limit_that_cannot_be_set_is_an_error),
	    cmocka_unit_test(use_is_read),
	    cmocka_unit_test(what_is_left_over_is_removed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
