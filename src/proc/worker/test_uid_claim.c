#include "base/descriptor.h"
#include "base/unit_test.h"
#include "proc/worker/uid_claim.h"
#include "proc/worker/uid_range.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOTS = 4 };

static const uint64_t wanted = UINT64_C(1) << 30;
static char file[] = "/tmp/croft-uids-XXXXXX";

/* A process that holds a claim until it is killed, and the base of it. */
struct holder {
	pid_t pid;
	uint64_t base;
};

static struct holder hold(uint64_t from, unsigned slots)
{
	struct holder holder = {0};
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	holder.pid = fork();
	if (holder.pid == 0) {
		int claim;
		uint64_t base = 0;
		if (uid_claim(file, from, slots, &base, &claim) < 0)
			base = 0;
		if (write(pipes[1], &base, sizeof(base)) != (ssize_t)sizeof(base))
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(pipes[0], &holder.base, sizeof(holder.base)), sizeof(holder.base));
	close(pipes[0]);
	close(pipes[1]);
	return holder;
}

static void let_go(const struct holder *holder)
{
	kill(holder->pid, SIGKILL);
	assert_int_equal(waitpid(holder->pid, NULL, 0), holder->pid);
}

static void who_comes_first_gets_what_is_asked(void **state ATTR_UNUSED)
{
	struct holder first = hold(wanted, SLOTS);
	assert_int_equal(first.base, wanted);
	let_go(&first);
}

static void who_comes_later_gets_what_is_behind(void **state ATTR_UNUSED)
{
	struct holder first = hold(wanted, SLOTS), second = hold(wanted, SLOTS),
		      third = hold(wanted - UID_RANGE_SIZE, SLOTS);
	assert_int_equal(second.base, wanted + SLOTS * UID_RANGE_SIZE);
	assert_int_equal(third.base, wanted + 2 * SLOTS * UID_RANGE_SIZE);
	let_go(&first);
	let_go(&second);
	let_go(&third);
}

static void a_claim_ends_with_its_process(void **state ATTR_UNUSED)
{
	struct holder first = hold(wanted, SLOTS);
	let_go(&first);
	struct holder second = hold(wanted, SLOTS);
	assert_int_equal(second.base, wanted);
	let_go(&second);
}

static void a_copy_of_the_process_neither_ends_nor_keeps_it(void **state ATTR_UNUSED)
{
	uint64_t base;
	int claim ATTR_DESCRIPTOR = -1;
	assert_int_equal(uid_claim(file, wanted, SLOTS, &base, &claim), 0);
	pid_t copy = fork();
	if (copy == 0) {
		close(claim);
		_exit(0);
	}
	assert_int_equal(waitpid(copy, NULL, 0), copy);
	struct holder second = hold(wanted, SLOTS);
	assert_int_not_equal(second.base, wanted);
	let_go(&second);
	copy = fork();
	if (copy == 0) {
		pause();
		_exit(0);
	}
	descriptor_close(&claim);
	second = hold(wanted, SLOTS);
	assert_int_equal(second.base, wanted);
	let_go(&second);
	assert_int_equal(kill(copy, SIGKILL), 0);
	assert_int_equal(waitpid(copy, NULL, 0), copy);
}

static void there_is_an_end(void **state ATTR_UNUSED)
{
	const uint64_t end = UINT32_MAX - SLOTS * (uint64_t)UID_RANGE_SIZE;
	struct holder last = hold(end, SLOTS);
	uint64_t base = 7;
	int claim = -1;
	assert_int_equal(last.base, end);
	assert_int_equal(uid_claim(file, end, SLOTS, &base, &claim), -ERANGE);
	assert_int_equal(base, 7);
	assert_int_equal(claim, -1);
	let_go(&last);
}

static int make_file(void **state ATTR_UNUSED)
{
	int fd = mkstemp(file);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state ATTR_UNUSED)
{
	return unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_comes_first_gets_what_is_asked),
	    cmocka_unit_test(who_comes_later_gets_what_is_behind),
	    cmocka_unit_test(a_claim_ends_with_its_process),
	    cmocka_unit_test(a_copy_of_the_process_neither_ends_nor_keeps_it),
	    cmocka_unit_test(there_is_an_end),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
