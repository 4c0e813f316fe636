/* The log as its users see it: commits, finding and reading over many segments, reopening, indexes
 * made again, retention. */
#include "port/log/test_log.h"

#include "base/descriptor.h"
#include "port/log/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEGMENT = 64 << 10, SIZE = 500 };

static void append_numbers(struct log *log, uint64_t first, uint64_t end, uint64_t batch)
{
	for (uint64_t i = first; i < end; i++) {
		assert_int_equal(append_number(log, i, SIZE), 0);
		if ((i + 1) % batch == 0)
			assert_int_equal(log_commit(log), 0);
	}
	assert_int_equal(log_commit(log), 0);
}

static int setup(void **state)
{
	static struct scratch scratch;
	scratch_make(&scratch);
	*state = &scratch;
	return 0;
}

static int teardown(void **state)
{
	scratch_remove(*state);
	return 0;
}

static void checksum_is_castagnoli(void **state ATTR_UNUSED)
{
	struct bytes check = {(const uint8_t *)"123456789", 9};
	assert_int_equal(crc32c(0, check), 0xe3069283);
	uint8_t data[1000];
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < sizeof(data); i++) {
		struct bytes part = {data + i, sizeof(data) - i};
		assert_int_equal(crc32c((uint32_t)i, part), crc32c_by_table((uint32_t)i, part));
	}
}

static void only_what_is_committed_is_there(void **state)
{
	struct log *log = open_log(*state, &disk_real, SEGMENT);
	append_numbers(log, 0, 10, 4);
	assert_int_equal(append_number(log, 10, SIZE), 0);
	assert_true(log_gathered(log) > SIZE);
	expect_numbers(log, 0, 10, SIZE);
	assert_int_equal(log_commit(log), 0);
	assert_int_equal(log_gathered(log), 0);
	expect_numbers(log, 0, 11, SIZE);
	assert_int_equal(append_number(log, 11, SIZE), 0);
	log_close(log);
	log = open_log(*state, &disk_real, SEGMENT);
	expect_numbers(log, 0, 11, SIZE);
	log_close(log);
}

static void records_of_all_sizes(void **state)
{
	struct log *log = open_log(*state, &disk_real, SEGMENT);
	for (uint64_t i = 0; i < 70; i++)
		assert_int_equal(append_number(log, i, i * 1000), 0);
	assert_int_equal(log_commit(log), 0);
	for (uint64_t i = 0; i < 70; i++) {
		struct log_place place;
		struct log_found found;
		struct log_query query = {1, i, 1};
		assert_int_equal(log_find(log, &query, &place, &found), 0);
		expect_record(log, &place, i, i * 1000);
	}
	struct log_append large = {.data = {NULL, LOG_DATA_LIMIT + 1}};
	uint64_t position;
	assert_int_equal(log_append(log, &large, &position), -EMSGSIZE);
	log_close(log);
}

static void many_segments_and_reopening(void **state)
{
	for (uint64_t at = 0; at < 3000; at += 1000) {
		struct log *log = open_log(*state, &disk_real, SEGMENT);
		append_numbers(log, at, at + 1000, 13);
		expect_numbers(log, 0, at + 1000, SIZE);
		log_close(log);
	}
	struct log *log = open_log(*state, &disk_real, SEGMENT);
	expect_numbers(log, 0, 3000, SIZE);
	log_close(log);
}

/* One segment's index has to be sorted from several runs. */
static void index_of_many_records(void **state)
{
	struct log *log = open_log(*state, &disk_real, 64 << 20);
	for (uint64_t i = 0; i < 30000; i++) {
		assert_int_equal(append_number(log, i, 10), 0);
		if (i % 1000 == 0)
			assert_int_equal(log_commit(log), 0);
	}
	assert_int_equal(log_commit(log), 0);
	expect_numbers(log, 0, 30000, 10);
	log_close(log);
	log = open_log(*state, &disk_real, 64 << 20);
	expect_numbers(log, 0, 30000, 10);
	log_close(log);
}

static void flip(const struct scratch *scratch, const char *name, off_t at)
{
	int fd ATTR_DESCRIPTOR = openat(scratch->directory, name, O_RDWR | O_CLOEXEC);
	uint8_t byte;
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void a_lost_or_damaged_index_is_made_again(void **state)
{
	const struct scratch *scratch = *state;
	struct log *log = open_log(scratch, &disk_real, SEGMENT);
	append_numbers(log, 0, 500, 10);
	log_close(log);
	assert_int_equal(unlinkat(scratch->directory, "0000000001.idx", 0), 0);
	flip(scratch, "0000000002.idx", 20);  /* its header */
	flip(scratch, "0000000003.idx", 200); /* its entries */
	assert_int_equal(symlinkat("/etc/passwd", scratch->directory, "0000000099.idx"), 0);
	log = open_log(scratch, &disk_real, SEGMENT);
	expect_numbers(log, 0, 500, SIZE);
	log_close(log);
	struct stat state_of;
	assert_int_equal(fstatat(scratch->directory, "0000000001.idx", &state_of, 0), 0);
	assert_int_equal(
	    fstatat(scratch->directory, "0000000099.idx", &state_of, AT_SYMLINK_NOFOLLOW), -1);
}

static void one_header_copy_is_enough(void **state)
{
	struct log *log = open_log(*state, &disk_real, SEGMENT);
	append_numbers(log, 0, 20, 10);
	log_close(log);
	flip(*state, "0000000001.log", 17);
	log = open_log(*state, &disk_real, SEGMENT);
	expect_numbers(log, 0, 20, SIZE);
	log_close(log);
}

static void a_missing_segment_is_told(void **state)
{
	const struct scratch *scratch = *state;
	struct log *log = open_log(scratch, &disk_real, SEGMENT);
	append_numbers(log, 0, 500, 10);
	log_close(log);
	assert_int_equal(unlinkat(scratch->directory, "0000000002.log", 0), 0);
	log = open_log(scratch, &disk_real, SEGMENT);
	struct log_place places[1000];
	struct log_found found;
	struct log_query query = {1, 0, 1000};
	assert_int_equal(log_find(log, &query, places, &found), 0);
	assert_true(found.lost > 100 && found.lost < 130);
	for (size_t i = 0; i < found.count; i++)
		expect_record(log, &places[i], places[i].position, SIZE);
	query.max = 10;
	assert_int_equal(log_find(log, &query, places, &found), 0);
	assert_true(found.lost == LOG_NONE_LOST); /* it lies behind the ten */
	append_numbers(log, 500, 510, 10);
	log_close(log);
}

static void a_flipped_bit_is_never_served(void **state)
{
	struct log *log = open_log(*state, &disk_real, SEGMENT);
	append_numbers(log, 0, 50, 10);
	log_close(log);
	flip(*state, "0000000001.log", 128 + 7 * 552 + 100); /* inside the eighth record */
	log = open_log(*state, &disk_real, SEGMENT);
	struct log_place places[50];
	struct log_found found;
	struct log_query query = {1, 0, 50};
	assert_int_equal(log_find(log, &query, places, &found), 0);
	assert_int_equal(found.count, 50);
	for (size_t i = 0; i < 50; i++) {
		struct log_record record;
		if (i == 7)
			assert_int_equal(log_read(log, &places[i], &record), LOG_CORRUPT);
		else
			expect_record(log, &places[i], i, SIZE);
	}
	log_close(log);
}

static void retention_goes_by_whole_segments(void **state)
{
	struct log *log = open_log(*state, &disk_real, SEGMENT);
	struct log_bounds bounds;
	append_numbers(log, 0, 1000, 10);
	struct log_retention by_bytes = {.bytes = 3 * SEGMENT};
	assert_int_equal(log_expire(log, &by_bytes, 1000), 0);
	log_bounds(log, &bounds);
	assert_true(bounds.first > 500 && bounds.first < 1000);
	expect_numbers(log, bounds.first, 1000, SIZE);
	struct log_query gone = {1, bounds.first - 1, 1};
	struct log_found found;
	struct log_place place;
	assert_int_equal(log_find(log, &gone, &place, &found), LOG_GONE);
	struct log_retention by_age = {.age_ms = 1};
	assert_int_equal(log_expire(log, &by_age, 1000000), 0);
	log_bounds(log, &bounds);
	assert_true(bounds.first < 1000); /* the last one stays */
	uint64_t first = bounds.first;
	log_close(log);
	log = open_log(*state, &disk_real, SEGMENT);
	expect_numbers(log, first, 1000, SIZE);
	append_numbers(log, 1000, 1010, 1);
	expect_numbers(log, first, 1010, SIZE);
	log_close(log);
}

static void times_lead_to_positions(void **state)
{
	struct log *log = open_log(*state, &disk_real, SEGMENT);
	assert_int_equal(log_since(log, 0), 0);
	append_numbers(log, 0, 1000, 10);
	for (uint64_t i = 0; i < 1000; i += 50)
		assert_true(log_since(log, (int64_t)i + 1) <= i);
	assert_true(log_since(log, 900) > 0);
	assert_int_equal(log_since(log, 5000), 1000);
	log_close(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(checksum_is_castagnoli),
	    cmocka_unit_test_setup_teardown(only_what_is_committed_is_there, setup, teardown),
	    cmocka_unit_test_setup_teardown(records_of_all_sizes, setup, teardown),
	    cmocka_unit_test_setup_teardown(many_segments_and_reopening, setup, teardown),
	    cmocka_unit_test_setup_teardown(index_of_many_records, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_lost_or_damaged_index_is_made_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_header_copy_is_enough, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_missing_segment_is_told, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_flipped_bit_is_never_served, setup, teardown),
	    cmocka_unit_test_setup_teardown(retention_goes_by_whole_segments, setup, teardown),
	    cmocka_unit_test_setup_teardown(times_lead_to_positions, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
