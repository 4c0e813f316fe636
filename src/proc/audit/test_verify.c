/* Every way to falsify the log on disk, and an export of it: each is found, at its position. */
#include "base/descriptor.h"
#include "proc/audit/query.h"
#include "proc/audit/test_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SIZE = 600, BUNDLES = 3 };

/* The entries of the log, as a forger holds them. */
struct forgery {
	struct buffer files[BUNDLES];
	struct bytes entries[SIZE];
};

static int set_up(void **state)
{
	struct test_log *test = calloc(1, sizeof(*test));
	test_log_set_up(test);
	test_log_append(test, 0, SIZE);
	assert_int_equal(audit_log_checkpoint(test->log), 0);
	test_log_run("cp -r %s %s.kept", test->folder, test->folder);
	*state = test;
	return 0;
}

static int tear_down(void **state)
{
	struct test_log *test = *state;
	test_log_run("rm -rf %s.kept", test->folder);
	test_log_tear_down(test);
	free(test);
	return 0;
}

static void restore(struct test_log *test)
{
	test_log_run("rm -r %s/tile && cp -r %s.kept/. %s/", test->folder, test->folder,
		     test->folder);
}

static void bundle_path(uint64_t bundle, char path[TILE_PATH_SIZE])
{
	struct tile_name name = {true, 0, bundle, tile_width(SIZE, 0, bundle)};
	tile_format(&name, path);
}

static void forgery_read(struct test_log *test, struct forgery *forgery)
{
	size_t n = 0;
	*forgery = (struct forgery){0};
	for (uint64_t i = 0; i < BUNDLES; i++) {
		char path[TILE_PATH_SIZE];
		bundle_path(i, path);
		assert_int_equal(file_read(test->directory, path, &forgery->files[i]), 0);
		struct bytes rest = buffer_bytes(&forgery->files[i]);
		while (tile_next_entry(&rest, &forgery->entries[n]) == 0)
			n++;
	}
	assert_int_equal(n, SIZE);
}

static void write_file(struct test_log *test, const char *path, struct bytes content)
{
	assert_int_equal(file_replace(test->directory, path, content, 0644), 0);
}

static void forgery_write(struct test_log *test, struct forgery *forgery, bool with_hashes)
{
	for (uint64_t i = 0; i < BUNDLES; i++) {
		struct buffer out ATTR_BUFFER = {0}, hashes ATTR_BUFFER = {0};
		char path[TILE_PATH_SIZE];
		unsigned width = tile_width(SIZE, 0, i);
		for (unsigned k = 0; k < width; k++) {
			struct bytes entry = forgery->entries[i * TILE_WIDTH + k];
			uint8_t prefix[TILE_ENTRY_PREFIX];
			tile_put_entry_size(prefix, entry.size);
			struct digest_value leaf = ledger_leaf_hash(entry);
			buffer_append(&hashes, leaf.b, DIGEST_SIZE);
			if (entry.size == 0)
				continue; /* cut off */
			buffer_append(&out, prefix, sizeof(prefix));
			buffer_append(&out, entry.data, entry.size);
		}
		bundle_path(i, path);
		write_file(test, path, buffer_bytes(&out));
		struct tile_name name = {false, 0, i, width};
		tile_format(&name, path);
		if (with_hashes)
			write_file(test, path, buffer_bytes(&hashes));
	}
	for (uint64_t i = 0; i < BUNDLES; i++)
		buffer_free(&forgery->files[i]);
}

static void assert_found(struct test_log *test, enum verify_outcome outcome, uint64_t position)
{
	struct verify_report report;
	test_log_verify(test, (struct text){0}, &report);
	assert_string_equal(verify_outcome_names[report.outcome], verify_outcome_names[outcome]);
	assert_true(report.has_position);
	assert_int_equal(report.position, position);
}

static void test_untouched_log_is_sound(void **state)
{
	struct test_log *test = *state;
	struct verify_report report;
	test_log_verify(test, (struct text){0}, &report);
	assert_int_equal(report.outcome, VERIFY_SOUND);
	assert_int_equal(report.entries, SIZE);
	assert_int_equal(report.checkpoint.size, SIZE);
}

/* Any byte of any entry, its length included: the entry that holds it is named. */
static void test_flipped_bytes(void **state)
{
	struct test_log *test = *state;
	for (uint64_t bundle = 0; bundle < BUNDLES; bundle++) {
		struct buffer file ATTR_BUFFER = {0};
		char path[TILE_PATH_SIZE];
		bundle_path(bundle, path);
		assert_int_equal(file_read(test->directory, path, &file), 0);
		size_t step = file.size / 40;
		for (size_t at = 0; at < file.size; at += at < 12 ? 1 : step) {
			struct bytes rest = buffer_bytes(&file), entry;
			uint64_t position = bundle * TILE_WIDTH;
			struct verify_report report;
			while (tile_next_entry(&rest, &entry) == 0 && rest.data <= file.data + at)
				position++;
			file.data[at] ^= 0x10;
			write_file(test, path, buffer_bytes(&file));
			test_log_verify(test, (struct text){0}, &report);
			assert_true(report.outcome == VERIFY_ENTRY_ALTERED ||
				    report.outcome == VERIFY_ENTRY_MISPLACED);
			assert_true(report.has_position);
			assert_int_equal(report.position, position);
			file.data[at] ^= 0x10;
		}
		write_file(test, path, buffer_bytes(&file));
	}
	test_untouched_log_is_sound(state);
}

static void drop(struct forgery *forgery)
{
	memmove(&forgery->entries[300], &forgery->entries[301],
		(SIZE - 301) * sizeof(struct bytes));
	forgery->entries[SIZE - 1] = forgery->entries[5];
}

static void swap(struct forgery *forgery)
{
	struct bytes kept = forgery->entries[40];
	forgery->entries[40] = forgery->entries[41];
	forgery->entries[41] = kept;
}

static void insert(struct forgery *forgery)
{
	memmove(&forgery->entries[11], &forgery->entries[10], (SIZE - 11) * sizeof(struct bytes));
	forgery->entries[10] = forgery->entries[9];
}

static void truncate_tail(struct forgery *forgery)
{
	for (size_t i = 590; i < SIZE; i++)
		forgery->entries[i] = (struct bytes){0};
}

static void replace(struct forgery *forgery)
{
	static char other[] = "{\"seq\":257,\"time\":null}";
	forgery->entries[257] = text_bytes(text_of(other));
}

struct falsification {
	void (*act)(struct forgery *forgery);
	enum verify_outcome outcome;
	uint64_t position;
	uint64_t position_with_hashes; /* where the forger adapts the leaf hashes too, the next
					  level tells */
};

static void test_falsified_entries(void **state)
{
	struct test_log *test = *state;
	static const struct falsification cases[] = {
	    {drop, VERIFY_ENTRY_MISPLACED, 300, 300},
	    {swap, VERIFY_ENTRY_MISPLACED, 40, 40},
	    {insert, VERIFY_ENTRY_MISPLACED, 10, 10},
	    {truncate_tail, VERIFY_ENTRY_MISSING, 590, 590},
	    {replace, VERIFY_ENTRY_ALTERED, 257, 256},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int with_hashes = 0; with_hashes < 2; with_hashes++) {
			struct forgery forgery;
			forgery_read(test, &forgery);
			cases[i].act(&forgery);
			forgery_write(test, &forgery, with_hashes);
			assert_found(test, cases[i].outcome,
				     with_hashes ? cases[i].position_with_hashes
						 : cases[i].position);
			restore(test);
		}
	}
	test_untouched_log_is_sound(state);
}

static void test_lost_files(void **state)
{
	struct test_log *test = *state;
	static const struct {
		const char *name;
		enum verify_outcome outcome;
		uint64_t position;
	} cases[] = {
	    {"tile/entries/000", VERIFY_ENTRY_MISSING, 0},
	    {"tile/entries/001", VERIFY_ENTRY_MISSING, 256},
	    {"tile/entries/002.p/88", VERIFY_ENTRY_MISSING, 512},
	    {"tile/0/001", VERIFY_TILE_WRONG, 256},
	    {"tile/1/000.p/2", VERIFY_TILE_WRONG, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		test_log_run("rm %s/%s", test->folder, cases[i].name);
		assert_found(test, cases[i].outcome, cases[i].position);
		restore(test);
	}
}

static void test_falsified_hash(void **state)
{
	struct test_log *test = *state;
	test_log_run("printf XY | dd of=%s/tile/0/001 bs=1 seek=320 conv=notrunc 2>/dev/null",
		     test->folder);
	assert_found(test, VERIFY_TILE_WRONG, 266);
	restore(test);
}

static enum verify_outcome outcome_of(struct test_log *test, struct text known)
{
	struct verify_report report;
	test_log_verify(test, known, &report);
	return report.outcome;
}

static void test_forged_checkpoints(void **state)
{
	struct test_log *test = *state;
	static const char *const forgeries[] = {
	    "sed -i 2s/600/500/ checkpoint",
	    "sed -i 3s/A/B/ checkpoint; sed -i 3s/^./=/ checkpoint",
	    "sed -i '5s/ [^ ]*$/ AAAA/' checkpoint",
	    "truncate -s 30 checkpoint",
	    "rm checkpoint",
	    "sed -i 5d checkpoint"};
	for (size_t i = 0; i < ARRAY_SIZE(forgeries); i++) {
		test_log_run("cd %s && %s", test->folder, forgeries[i]);
		assert_int_equal(outcome_of(test, (struct text){0}), VERIFY_CHECKPOINT_BAD);
		restore(test);
	}
}

/* A log of the same key with another past, and one that goes back to an older state of itself. */
static void test_known_checkpoint(void **state)
{
	struct test_log *test = *state;
	struct buffer known ATTR_BUFFER = {0};
	struct verify_report report;
	buffer_append_text(&known, buffer_text(&test->log->note));
	assert_int_equal(outcome_of(test, buffer_text(&known)), VERIFY_SOUND);

	test_log_append(test, SIZE, SIZE + 100);
	assert_int_equal(audit_log_checkpoint(test->log), 0);
	assert_int_equal(outcome_of(test, buffer_text(&known)), VERIFY_SOUND);

	struct test_log other;
	test_log_set_up(&other);
	test_log_close(&other);
	test_log_run("rm -r %s/* && cp %s/signing.key %s/", other.folder, test->folder,
		     other.folder);
	test_log_open(&other);
	test_log_append(&other, 0, 50);
	assert_int_equal(audit_log_checkpoint(other.log), 0);
	test_log_verify(&other, buffer_text(&known), &report);
	assert_int_equal(report.outcome, VERIFY_ROLLED_BACK);
	assert_int_equal(report.position, 50);
	for (uint64_t i = 50; i < SIZE + 1; i++) { /* other entries, as many */
		struct control_audit_append append = test_log_entry(i);
		uint64_t seq;
		append.action = TEXT("something.else");
		assert_int_equal(audit_log_stage(other.log, &append, &seq), 0);
		assert_int_equal(audit_log_commit(other.log), 0);
	}
	assert_int_equal(audit_log_checkpoint(other.log), 0);
	assert_int_equal(outcome_of(&other, (struct text){0}), VERIFY_SOUND);
	assert_int_equal(outcome_of(&other, buffer_text(&known)), VERIFY_HISTORY_CHANGED);
	test_log_tear_down(&other);
}

/* A log that grows just when its tiles are wanted. */
struct growing {
	struct verify_reader reader;
	struct verify_folder folder;
	struct test_log *test;
	uint64_t size;
	unsigned growths;
};

static int growing_read(const struct verify_reader *reader, const char *name, struct buffer *out)
{
	struct growing *growing =
	    (struct growing *)container_of(reader, const struct growing, reader);
	if (growing->growths > 0 && strcmp(name, "checkpoint") != 0) {
		growing->growths--;
		test_log_append(growing->test, growing->size, growing->size + 1);
		growing->size++;
		assert_int_equal(audit_log_checkpoint(growing->test->log), 0);
	}
	return growing->folder.reader.read(&growing->folder.reader, name, out);
}

static void verify_growing(struct test_log *test, unsigned growths, struct verify_report *report)
{
	struct growing growing = {
	    .reader = {growing_read}, .test = test, .size = 10, .growths = growths};
	test_log_append(test, 0, growing.size);
	assert_int_equal(audit_log_checkpoint(test->log), 0);
	verify_folder_init(&growing.folder, test->directory);
	assert_int_equal(verify_log(&growing.reader, &test->log->key, (struct text){0}, report), 0);
}

static void test_log_that_is_written_to(void **state ATTR_UNUSED)
{
	struct test_log test;
	struct verify_report report;
	test_log_set_up(&test);
	verify_growing(&test, 3, &report);
	assert_int_equal(report.outcome, VERIFY_SOUND);
	assert_int_equal(report.checkpoint.size, 13);
	test_log_tear_down(&test);

	test_log_set_up(&test);
	verify_growing(&test, 1000, &report); /* it ends nevertheless */
	assert_int_not_equal(report.outcome, VERIFY_SOUND);
	test_log_tear_down(&test);
}

/* ---- exports ---- */

static void export_all(struct test_log *test, struct text workspace, struct buffer *out)
{
	struct control_audit_query query = {
	    .workspace = workspace, .limit = 100, .with_proof = true};
	do {
		struct buffer lines ATTR_BUFFER = {0};
		assert_int_equal(audit_query(test->log, &query, &lines, &query.after), 0);
		buffer_append_text(out, buffer_text(&lines));
	} while (query.after != 0);
}

static void verify_text(struct test_log *test, struct text export, struct verify_report *report)
{
	assert_int_equal(verify_export(export, &test->log->key, (struct text){0}, report), 0);
}

static void test_export_is_sound(void **state)
{
	struct test_log *test = *state;
	struct buffer all ATTR_BUFFER = {0}, some ATTR_BUFFER = {0}, none ATTR_BUFFER = {0};
	struct verify_report report;
	uint64_t size = test->log->edge.size;
	export_all(test, (struct text){0}, &all);
	verify_text(test, buffer_text(&all), &report);
	assert_string_equal(report.detail, "");
	assert_int_equal(report.outcome, VERIFY_SOUND);
	assert_int_equal(report.entries, size);
	export_all(test, TEXT("ws_rare"), &some);
	verify_text(test, buffer_text(&some), &report);
	assert_int_equal(report.outcome, VERIFY_SOUND);
	assert_int_equal(report.entries, 1);
	export_all(test, TEXT("ws_none"), &none);
	verify_text(test, buffer_text(&none), &report);
	assert_int_equal(report.outcome, VERIFY_SOUND);
	assert_int_equal(report.entries, 0);
}

static void test_falsified_exports(void **state)
{
	struct test_log *test = *state;
	static const struct {
		const char *command; /* from standard input to standard output */
		enum verify_outcome outcome;
		int64_t position; /* -1: none is told */
	} cases[] = {
	    {"sed '7s/create/delete/'", VERIFY_ENTRY_ALTERED, 6},
	    {"sed '7d'", VERIFY_ENTRY_MISPLACED, 6},
	    {"sed '100d'", VERIFY_ENTRY_MISSING, 99},
	    {"sed '7p'", VERIFY_ENTRY_MISPLACED, 6},
	    {"sed '7{h;d};8{G}'", VERIFY_ENTRY_MISPLACED, 6},
	    {"head -n 50", VERIFY_EXPORT_MALFORMED, 50},
	    {"sed '101d'", VERIFY_ENTRY_MISPLACED, 0},
	    {"sed '5s/.*/hello/'", VERIFY_EXPORT_MALFORMED, 5},
	    {"sed "
	     "'101s/\"leaf\":\".\\{43\\}/\"leaf\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/'",
	     VERIFY_ENTRY_ALTERED, 0},
	    {"sed '101s/\\(\"hashes\":\\[\\)\".\\{44\\}\"/"
	     "\\1\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"/'",
	     VERIFY_ROOT_DIFFERS, -1},
	    {"sed "
	     "'101s/\"hashes\":\\[/\"hashes\":[\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",/'",
	     VERIFY_EXPORT_MALFORMED, 101},
	    {"sed '101s/n700/n701/'", VERIFY_CHECKPOINT_BAD, -1},
	    {"cat - /dev/zero | head -c 2000000", VERIFY_EXPORT_MALFORMED, -2},
	    {"cat; printf '{\"proof\":{}}\\n'", VERIFY_EXPORT_MALFORMED, -2},
	    {"cat; printf '{\"proof\":{},\"proof\":{}}\\n'", VERIFY_EXPORT_MALFORMED, -2},
	    {"cat /dev/null", VERIFY_EXPORT_MALFORMED, -2},
	};
	struct buffer export ATTR_BUFFER = {0};
	export_all(test, (struct text){0}, &export);
	write_file(test, "export", buffer_bytes(&export));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buffer changed ATTR_BUFFER = {0};
		struct verify_report report;
		test_log_run("cd %s && (%s) < export > changed", test->folder, cases[i].command);
		assert_int_equal(file_read(test->directory, "changed", &changed), 0);
		verify_text(test, buffer_text(&changed), &report);
		if (report.outcome != cases[i].outcome)
			print_error("after %s\n", cases[i].command);
		assert_string_equal(verify_outcome_names[report.outcome],
				    verify_outcome_names[cases[i].outcome]);
		assert_int_equal(report.has_position, cases[i].position != -1);
		if (cases[i].position >= 0)
			assert_int_equal(report.position, cases[i].position);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_untouched_log_is_sound),
	    cmocka_unit_test(test_flipped_bytes),
	    cmocka_unit_test(test_falsified_entries),
	    cmocka_unit_test(test_lost_files),
	    cmocka_unit_test(test_falsified_hash),
	    cmocka_unit_test(test_forged_checkpoints),
	    cmocka_unit_test(test_known_checkpoint),
	    cmocka_unit_test(test_log_that_is_written_to),
	    cmocka_unit_test(test_export_is_sound),
	    cmocka_unit_test(test_falsified_exports),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
