#include "proc/audit/test_log.h"

#include "base/cursor.h"
#include "base/descriptor.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

void test_log_run(const char *format, ...)
{
	char command[512];
	va_list args;
	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

void test_log_open(struct test_log *test)
{
	assert_int_equal(audit_log_open(&test->log, test->directory, TEXT("croft.test")), 0);
}

void test_log_close(struct test_log *test)
{
	audit_log_close(test->log);
	test->log = NULL;
}

void test_log_set_up(struct test_log *test)
{
	*test = (struct test_log){.folder = "/tmp/croft-audit-XXXXXX"};
	assert_non_null(mkdtemp(test->folder));
	test->directory = open(test->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	test_log_open(test);
}

void test_log_tear_down(struct test_log *test)
{
	test_log_close(test);
	descriptor_close(&test->directory);
	test_log_run("rm -rf %s", test->folder);
}

struct control_audit_append test_log_entry(uint64_t i)
{
	static const struct text workspaces[] = {TEXT("ws_a"), TEXT("ws_b"), TEXT("ws_c")};
	struct control_audit_append append = {
	    .token = i,
	    .time_ms = 1800000000000 + (int64_t)i,
	    .actor_type = TEXT("key"),
	    .actor_id = i % 2 ? TEXT("odd") : TEXT("even"),
	    .action = i % 5 ? TEXT("operation.create") : TEXT("files.get"),
	    .workspace = i == 300 ? TEXT("ws_rare") : workspaces[i % 3],
	    .allow = i % 10 != 0,
	    .rule = TEXT("role:developer"),
	    .user_agent = TEXT("curl \"quoted\"\n"),
	};
	put_u64(append.entry.b, i + 1);
	return append;
}

void test_log_append(struct test_log *test, uint64_t first, uint64_t end)
{
	for (uint64_t i = first; i < end; i++) {
		struct control_audit_append append = test_log_entry(i);
		uint64_t seq;
		assert_int_equal(audit_log_stage(test->log, &append, &seq), 0);
		assert_int_equal(seq, i);
		if (i % 7 == 0 || i + 1 == end || audit_log_is_full(test->log))
			assert_int_equal(audit_log_commit(test->log), 0);
	}
}

void test_log_verify(struct test_log *test, struct text known, struct verify_report *report)
{
	struct verify_folder folder;
	struct checkpoint_key key;
	struct buffer verifier ATTR_BUFFER = {0};
	assert_int_equal(file_read(test->directory, "key.pub", &verifier), 0);
	assert_int_equal(checkpoint_key_parse(buffer_text(&verifier), &key), 0);
	verify_folder_init(&folder, test->directory);
	assert_int_equal(verify_log(&folder.reader, &key, known, report), 0);
}
