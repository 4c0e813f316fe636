/* The process that keeps the log is killed at arbitrary points: what it has acknowledged is there
 * afterwards, in its place, and the tree verifies. One log lives through all rounds. */
#include "base/descriptor.h"
#include "proc/audit/test_log.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUNDS = 50, SEED = 20240229 };

/* Appends for ever, and tells each acknowledged number. Checkpoints come often, so that they are
 * interrupted too. */
static void append_for_ever(struct test_log *test, int told)
{
	for (uint64_t i = test->log->edge.size;; i++) {
		struct control_audit_append append = test_log_entry(i);
		uint64_t seq;
		if (audit_log_stage(test->log, &append, &seq) != 0 || seq != i)
			_exit(1);
		if (i % 5 != 0 && !audit_log_is_full(test->log))
			continue;
		if (audit_log_commit(test->log) != 0)
			_exit(2);
		struct bytes number = {(const uint8_t *)&i, sizeof(i)};
		if (descriptor_write_all(told, number) < 0)
			_exit(3);
		if (i % 3 == 0 && audit_log_checkpoint(test->log) != 0)
			_exit(4);
	}
}

/* Kills after a number of acknowledgements; returns how many entries were acknowledged in all. */
static uint64_t crash_once(struct test_log *test, unsigned acknowledgements)
{
	int pipe_ends[2];
	uint64_t number = 0;
	assert_int_equal(pipe(pipe_ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(pipe_ends[0]);
		append_for_ever(test, pipe_ends[1]);
	}
	close(pipe_ends[1]);
	for (unsigned i = 0; i < acknowledgements; i++)
		assert_int_equal(descriptor_read_exactly(pipe_ends[0], &number, sizeof(number)), 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* What it told before it died counts too. */
	while (descriptor_read_exactly(pipe_ends[0], &number, sizeof(number)) == 0)
		;
	close(pipe_ends[0]);
	return number + 1;
}

static void assert_entries_are_there(struct test_log *test, uint64_t acknowledged)
{
	assert_true(test->log->edge.size >= acknowledged);
	for (uint64_t i = 0; i < test->log->edge.size; i++) {
		struct control_audit_append append = test_log_entry(i);
		uint64_t seq;
		assert_int_equal(audit_log_stage(test->log, &append, &seq), AUDIT_LOG_REPEATED);
		assert_int_equal(seq, i);
	}
}

static void test_killed_log(void **state ATTR_UNUSED)
{
	struct test_log test;
	struct verify_report report;
	struct buffer known ATTR_BUFFER = {0};
	test_log_set_up(&test);
	srandom(SEED);
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t acknowledged = crash_once(&test, 1 + (unsigned)random() % 40);
		test_log_close(&test);
		test_log_open(&test);
		assert_false(test.log->broken);
		assert_entries_are_there(&test, acknowledged);
		test_log_verify(&test, buffer_text(&known), &report);
		assert_string_equal(report.detail, "");
		assert_int_equal(report.outcome, VERIFY_SOUND);
		assert_int_equal(report.entries, test.log->edge.size);
		buffer_clear(&known);
		buffer_append_text(&known, buffer_text(&test.log->note));
	}
	int r = 0;
	while (r == 0)
		r = audit_log_walk(test.log);
	assert_int_equal(r, 1);
	test_log_tear_down(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_killed_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
