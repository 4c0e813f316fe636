#include "base/descriptor.h"
#include "proc/audit/entry.h"
#include "proc/audit/query.h"
#include "proc/audit/test_log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_sound(struct test_log *test, uint64_t entries)
{
	struct verify_report report;
	test_log_verify(test, (struct text){0}, &report);
	assert_string_equal(verify_outcome_names[report.outcome], "sound");
	assert_int_equal(report.entries, entries);
}

static void test_canonical_entry(void **state ATTR_UNUSED)
{
	struct buffer out ATTR_BUFFER = {0};
	struct control_audit_append append = test_log_entry(3);
	struct entry_view view;
	append.time_ms = 0x18bcfe56800;
	append.request_id = TEXT("req\x01");
	entry_write(&append, 17, &out);
	buffer_append_byte(&out, 0);
	assert_string_equal(
	    (char *)out.data,
	    "{\"seq\":17,\"time\":\"2023-11-14T22:13:20.000Z\",\"actor\":{\"type\":\"key\",\"id\":"
	    "\"odd\","
	    "\"key\":null},\"action\":\"operation.create\",\"scope\":{\"workspace\":\"ws_a\","
	    "\"project\":null,"
	    "\"operation\":null},\"decision\":{\"allow\":true,\"rule\":\"role:developer\"},"
	    "\"result\":{"
	    "\"state\":null,\"code\":null},\"request\":{\"id\":\"req\\u0001\",\"ip\":null,"
	    "\"userAgent\":"
	    "\"curl \\\"quoted\\\"\\n\",\"correlationId\":null,\"inputDigest\":null}}");
	out.size--;
	assert_int_equal(entry_read(buffer_text(&out), &view), 0);
	assert_true(text_equal(view.fields[ENTRY_SEQ], TEXT("17")));
	assert_true(text_equal(view.fields[ENTRY_USER_AGENT], TEXT("\"curl \\\"quoted\\\"\\n\"")));
	for (size_t cut = 0; cut < out.size; cut++)
		assert_int_equal(entry_read((struct text){(char *)out.data, cut}, &view), 1);
}

static void test_fresh_log(void **state ATTR_UNUSED)
{
	struct test_log test;
	struct stat info;
	test_log_set_up(&test);
	assert_int_equal(fstatat(test.directory, "signing.key", &info, 0), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	assert_sound(&test, 0);
	test_log_tear_down(&test);
}

/* Sizes around the bundle, across starts. */
static void test_growth_over_restarts(void **state ATTR_UNUSED)
{
	static const uint64_t sizes[] = {1, 2, 255, 256, 257, 511, 512, 513, 900};
	struct test_log test;
	uint64_t size = 0;
	test_log_set_up(&test);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		test_log_append(&test, size, sizes[i]);
		size = sizes[i];
		if (i % 2)
			assert_int_equal(audit_log_checkpoint(test.log), 0);
		test_log_close(&test);
		test_log_open(&test);
		assert_false(test.log->broken);
		assert_int_equal(test.log->edge.size, size);
		assert_sound(&test, size);
		int r = 0;
		while (r == 0)
			r = audit_log_walk(test.log);
		assert_int_equal(r, 1);
	}
	test_log_tear_down(&test);
}

/* 65,536 entries fill a tile of the second level. */
static void test_second_level(void **state ATTR_UNUSED)
{
	enum { SIZE = 65536 + 300 };
	struct test_log test;
	test_log_set_up(&test);
	for (uint64_t i = 0; i < SIZE; i++) {
		struct control_audit_append append = test_log_entry(i);
		uint64_t seq;
		assert_int_equal(audit_log_stage(test.log, &append, &seq), 0);
		if (audit_log_is_full(test.log))
			assert_int_equal(audit_log_commit(test.log), 0);
	}
	assert_int_equal(audit_log_commit(test.log), 0);
	assert_int_equal(audit_log_checkpoint(test.log), 0);
	assert_sound(&test, SIZE);
	test_log_close(&test);
	test_log_open(&test);
	assert_int_equal(test.log->edge.size, SIZE);
	assert_false(test.log->broken);
	test_log_tear_down(&test);
}

static void test_repeats_are_told(void **state ATTR_UNUSED)
{
	struct test_log test;
	uint64_t seq;
	test_log_set_up(&test);
	test_log_append(&test, 0, 600);
	test_log_close(&test);
	test_log_open(&test);
	for (uint64_t i = 0; i < 600; i += 37) {
		struct control_audit_append append = test_log_entry(i);
		assert_int_equal(audit_log_stage(test.log, &append, &seq), AUDIT_LOG_REPEATED);
		assert_int_equal(seq, i);
	}
	struct control_audit_append fresh = test_log_entry(600);
	assert_int_equal(audit_log_stage(test.log, &fresh, &seq), 0);
	assert_int_equal(audit_log_stage(test.log, &fresh, &seq), AUDIT_LOG_REPEATED);
	assert_int_equal(seq, 600);
	assert_int_equal(audit_log_commit(test.log), 0);
	assert_int_equal(test.log->edge.size, 601);
	test_log_tear_down(&test);
}

/* Every place at which a crash can have cut the last write. */
static void test_torn_tail(void **state ATTR_UNUSED)
{
	struct test_log test;
	struct stat info;
	test_log_set_up(&test);
	test_log_append(&test, 0, 10);
	assert_int_equal(audit_log_checkpoint(test.log), 0);
	off_t signed_end = (off_t)test.log->journal_size;
	test_log_append(&test, 10, 13);
	off_t end = (off_t)test.log->journal_size;
	off_t third = signed_end + (end - signed_end) / 3;
	test_log_close(&test);
	test_log_run("cp -r %s %s.kept", test.folder, test.folder);
	for (off_t cut = signed_end; cut < end; cut += 41) {
		test_log_run(
		    "cp %s.kept/journal/0000000000 %s.kept/checkpoint %s/ && mv %s/0000000000 "
		    "%s/journal/ && truncate -s %ld %s/journal/0000000000",
		    test.folder, test.folder, test.folder, test.folder, test.folder, (long)cut,
		    test.folder);
		test_log_open(&test);
		assert_false(test.log->broken);
		assert_true(test.log->edge.size >= (cut >= third ? 11 : 10));
		assert_int_equal(fstatat(test.directory, "journal/0000000000", &info, 0), 0);
		assert_int_equal(info.st_size, test.log->journal_size);
		uint64_t size = test.log->edge.size;
		test_log_append(&test, size, size + 2);
		assert_int_equal(audit_log_checkpoint(test.log), 0);
		assert_sound(&test, size + 2);
		test_log_close(&test);
	}
	test_log_run("rm -rf %s.kept", test.folder);
	test_log_tear_down(&test);
}

/* A crash between the last entry of a bundle and its tiles, and between each of the files. */
static void test_unpublished_bundle(void **state ATTR_UNUSED)
{
	static const char *const lost[] = {"journal/0000000001", "journal/0000000001 tile/0/000",
					   "journal/0000000001 tile/0/000 tile/entries/000",
					   "journal/0000000001 tile"};
	for (size_t i = 0; i < ARRAY_SIZE(lost); i++) {
		struct test_log test;
		test_log_set_up(&test);
		test_log_append(&test, 0, 100);
		assert_int_equal(audit_log_checkpoint(test.log), 0);
		test_log_append(&test, 100, 256);
		test_log_close(&test);
		test_log_run("cd %s && rm -r %s", test.folder, lost[i]);
		test_log_open(&test);
		assert_false(test.log->broken);
		assert_int_equal(test.log->edge.size, 256);
		assert_sound(&test, 256);
		test_log_append(&test, 256, 300);
		assert_int_equal(audit_log_checkpoint(test.log), 0);
		assert_sound(&test, 300);
		test_log_tear_down(&test);
	}
}

/* The log refuses to go on when its past is not the one that it signed. */
static void test_changed_past_is_refused(void **state ATTR_UNUSED)
{
	static const struct {
		const char *damage;
		bool only_the_walk_sees_it;
	} cases[] = {
	    {"printf X | dd of=journal/0000000002 bs=1 seek=200 conv=notrunc 2>/dev/null", false},
	    {"truncate -s 100 journal/0000000002", false},
	    {"rm journal/0000000002", false},
	    {"rm journal/*", false},
	    {"rm checkpoint", false},
	    {"rm signing.key", false},
	    {"head -c 32 /dev/zero > signing.key", false},
	    {"sed -i 2s/600/599/ checkpoint", false},
	    {"rm tile/0/001", false},
	    {"printf XX | dd of=tile/0/001 bs=1 seek=64 conv=notrunc 2>/dev/null", false},
	    {"printf XX | dd of=tile/entries/001 bs=1 seek=64 conv=notrunc 2>/dev/null", true},
	    {"truncate -s 1000 tile/entries/000", true},
	    {"rm tile/entries/000", true},
	    {"cp tile/entries/000 tile/entries/001", true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct test_log test;
		struct control_audit_append append = test_log_entry(600);
		uint64_t seq;
		test_log_set_up(&test);
		test_log_append(&test, 0, 600);
		assert_int_equal(audit_log_checkpoint(test.log), 0);
		test_log_close(&test);
		test_log_run("cd %s && %s", test.folder, cases[i].damage);
		test_log_open(&test);
		assert_int_equal(test.log->broken, !cases[i].only_the_walk_sees_it);
		int r = 0;
		while (r == 0)
			r = audit_log_walk(test.log);
		assert_int_equal(r, AUDIT_LOG_BROKEN);
		assert_int_equal(audit_log_stage(test.log, &append, &seq), AUDIT_LOG_BROKEN);
		assert_int_equal(audit_log_checkpoint(test.log), AUDIT_LOG_BROKEN);
		assert_true(strlen(test.log->reason) > 0);
		test_log_tear_down(&test);
	}
}

/* An older state of the entries under a newer checkpoint. */
static void test_rollback_is_refused(void **state ATTR_UNUSED)
{
	struct test_log test;
	test_log_set_up(&test);
	test_log_append(&test, 0, 300);
	assert_int_equal(audit_log_checkpoint(test.log), 0);
	test_log_run("cp -r %s %s.old", test.folder, test.folder);
	test_log_append(&test, 300, 310);
	assert_int_equal(audit_log_checkpoint(test.log), 0);
	test_log_close(&test);
	test_log_run("cp %s.old/journal/* %s/journal/ && rm -r %s.old", test.folder, test.folder,
		     test.folder);
	test_log_open(&test);
	assert_true(test.log->broken);
	test_log_tear_down(&test);
}

static void set_limit(int resource, rlim_t soft)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(resource, &limit), 0);
	limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
	assert_int_equal(setrlimit(resource, &limit), 0);
}

/* A limit on the size of files stands for the full disk: nothing is lost or doubled, and it goes on
 * by itself. */
static void test_no_space(void **state ATTR_UNUSED)
{
	struct test_log test;
	uint64_t seq;
	test_log_set_up(&test);
	test_log_append(&test, 0, 20);
	assert_int_equal(audit_log_checkpoint(test.log), 0);
	signal(SIGXFSZ, SIG_IGN);
	for (int round = 0; round < 3; round++) {
		struct control_audit_append append = test_log_entry(20);
		set_limit(RLIMIT_FSIZE, test.log->journal_size + 100);
		assert_int_equal(audit_log_stage(test.log, &append, &seq), 0);
		assert_int_equal(audit_log_commit(test.log), AUDIT_LOG_NO_SPACE);
		set_limit(RLIMIT_FSIZE, RLIM_INFINITY);
		assert_false(test.log->broken);
		assert_int_equal(test.log->edge.size, 20);
	}
	test_log_append(&test, 20, 30);
	assert_int_equal(audit_log_checkpoint(test.log), 0);
	assert_sound(&test, 30);
	test_log_tear_down(&test);
}

/* A bundle is full and cannot be published, here for lack of descriptors: its entries stay
 * acknowledged, new ones are refused until it can. */
static void test_publication_is_tried_again(void **state ATTR_UNUSED)
{
	struct test_log test;
	struct rlimit kept;
	struct control_audit_append next = test_log_entry(256);
	uint64_t seq;
	test_log_set_up(&test);
	test_log_append(&test, 0, 255);
	assert_int_equal(audit_log_checkpoint(test.log), 0);
	int free_descriptor = dup(test.directory);
	close(free_descriptor);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &kept), 0);
	set_limit(RLIMIT_NOFILE, (rlim_t)free_descriptor);
	test_log_append(&test, 255, 256);
	assert_int_equal(test.log->edge.size, 256);
	assert_int_equal(audit_log_stage(test.log, &next, &seq), AUDIT_LOG_NO_SPACE);
	assert_int_equal(audit_log_checkpoint(test.log), AUDIT_LOG_NO_SPACE);
	struct ledger_proof proof;
	assert_int_equal(ledger_inclusion_prove(&test.log->source, 7, 256, &proof), 0);
	set_limit(RLIMIT_NOFILE, kept.rlim_cur);
	test_log_append(&test, 256, 257);
	assert_int_equal(audit_log_checkpoint(test.log), 0);
	assert_sound(&test, 257);
	test_log_close(&test);
	test_log_open(&test);
	assert_int_equal(test.log->edge.size, 257);
	test_log_tear_down(&test);
}

static unsigned lines_of(const struct buffer *lines)
{
	unsigned n = 0;
	for (size_t i = 0; i < lines->size; i++)
		n += lines->data[i] == '\n';
	return n;
}

static unsigned count_matches(struct test_log *test, struct control_audit_query query,
			      unsigned *pages)
{
	unsigned count = 0;
	*pages = 0;
	do {
		struct buffer lines ATTR_BUFFER = {0};
		assert_int_equal(audit_query(test->log, &query, &lines, &query.after), 0);
		unsigned n = lines_of(&lines);
		assert_true(n <= (query.limit ? query.limit : QUERY_LIMIT_DEFAULT));
		count += n;
		++*pages;
	} while (query.after != 0);
	return count;
}

static void test_queries(void **state ATTR_UNUSED)
{
	struct test_log test;
	unsigned pages;
	test_log_set_up(&test);
	test_log_append(&test, 0, 900);
	for (int again = 0; again < 2; again++) {
		struct control_audit_query all = {.limit = 1000},
					   some = {.workspace = TEXT("ws_b"), .limit = 7};
		assert_int_equal(count_matches(&test, all, &pages), 900);
		assert_int_equal(pages, 1);
		assert_int_equal(count_matches(&test, some, &pages), 300);
		assert_true(pages >= 300 / 7);
		some = (struct control_audit_query){.workspace = TEXT("ws_rare")};
		assert_int_equal(count_matches(&test, some, &pages), 1);
		assert_int_equal(pages, 1);
		some = (struct control_audit_query){.workspace = TEXT("ws_none")};
		assert_int_equal(count_matches(&test, some, &pages), 0);
		some = (struct control_audit_query){.action = TEXT("files.*"), .limit = 1000};
		assert_int_equal(count_matches(&test, some, &pages), 180);
		some = (struct control_audit_query){.action = TEXT("files"), .limit = 1000};
		assert_int_equal(count_matches(&test, some, &pages), 0);
		some = (struct control_audit_query){.action = TEXT("*"), .limit = 1000};
		assert_int_equal(count_matches(&test, some, &pages), 900);
		some = (struct control_audit_query){.decision = TEXT("deny"), .limit = 1000};
		assert_int_equal(count_matches(&test, some, &pages), 90);
		some = (struct control_audit_query){.actor = TEXT("odd"), .limit = 1000};
		assert_int_equal(count_matches(&test, some, &pages), 450);
		some = (struct control_audit_query){
		    .since_ms = 1800000000100, .until_ms = 1800000000109, .limit = 1000};
		assert_int_equal(count_matches(&test, some, &pages), 10);
		some = (struct control_audit_query){.after = 890, .limit = 1000};
		assert_int_equal(count_matches(&test, some, &pages), 10);
		some = (struct control_audit_query){.after = UINT64_MAX};
		assert_int_equal(count_matches(&test, some, &pages), 0);

		/* After a start the filters of old bundles are not known: the answers are the same.
		 */
		test_log_close(&test);
		test_log_open(&test);
	}
	test_log_tear_down(&test);
}

static void test_published_files(void **state ATTR_UNUSED)
{
	struct test_log test;
	test_log_set_up(&test);
	test_log_append(&test, 0, 300);
	static const struct {
		const char *name;
		int expected;
		size_t size;
	} cases[] = {{"tile/0/000", 0, 8192},
		     {"tile/0/000.p/3", 0, 96},
		     {"tile/0/001.p/44", 0, 44 * 32},
		     {"tile/0/001.p/1", 0, 32},
		     {"tile/0/001.p/45", 1, 0},
		     {"tile/0/001", 1, 0},
		     {"tile/1/000.p/1", 0, 32},
		     {"tile/1/000.p/2", 1, 0},
		     {"tile/entries/001.p/44", 0, 0},
		     {"tile/entries/002", 1, 0},
		     {"signing.key", 1, 0},
		     {"journal/0000000000", 1, 0},
		     {"tile/../signing.key", 1, 0},
		     {"", 1, 0},
		     {"key", 0, 0},
		     {"checkpoint", 0, 0}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buffer out ATTR_BUFFER = {0};
		assert_int_equal(audit_log_read(test.log, text_of(cases[i].name), &out),
				 cases[i].expected);
		if (cases[i].size > 0)
			assert_int_equal(out.size, cases[i].size);
		else if (cases[i].expected == 0)
			assert_true(out.size > 0);
	}
	test_log_tear_down(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_canonical_entry),
	    cmocka_unit_test(test_fresh_log),
	    cmocka_unit_test(test_growth_over_restarts),
	    cmocka_unit_test(test_second_level),
	    cmocka_unit_test(test_repeats_are_told),
	    cmocka_unit_test(test_torn_tail),
	    cmocka_unit_test(test_unpublished_bundle),
	    cmocka_unit_test(test_changed_past_is_refused),
	    cmocka_unit_test(test_rollback_is_refused),
	    cmocka_unit_test(test_no_space),
	    cmocka_unit_test(test_publication_is_tried_again),
	    cmocka_unit_test(test_queries),
	    cmocka_unit_test(test_published_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
