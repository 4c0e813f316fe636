/* What a crash or a bad disk leaves behind, cut and flipped at every place, and a disk that fails
 * while it is written. */
#include "port/log/test_log.h"

#include "base/descriptor.h"
#include "port/log/disk_faulty.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEGMENT = 1 << 20, SIZE = 40, RECORD = 32 + 16 + SIZE, HEAD = 128, BATCH = 5, BATCHES = 4 };

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

static void append_batch(struct log *log, uint64_t first)
{
	for (uint64_t i = first; i < first + BATCH; i++)
		assert_int_equal(append_number(log, i, SIZE), 0);
}

/* The file of a log that was killed: never sealed, its records followed by nothing. */
static void make_image(struct scratch *scratch, struct buffer *image)
{
	struct log *log = open_log(scratch, &disk_real, SEGMENT);
	for (uint64_t i = 0; i < BATCHES; i++) {
		append_batch(log, i * BATCH);
		assert_int_equal(log_commit(log), 0);
	}
	assert_int_equal(file_read(scratch->directory, "0000000001.log", image), 0);
	log_close(log);
	image->size = HEAD + BATCHES * BATCH * RECORD;
}

static struct log *open_image(struct scratch *scratch, struct bytes image)
{
	scratch_empty(scratch);
	int fd ATTR_DESCRIPTOR =
	    openat(scratch->directory, "0000000001.log", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(descriptor_write_all(fd, image), 0);
	return open_log(scratch, &disk_real, SEGMENT);
}

static void a_torn_tail_ends_at_the_last_whole_record(void **state)
{
	struct buffer image ATTR_BUFFER = {0};
	make_image(*state, &image);
	uint64_t last = (BATCHES - 1) * BATCH;
	for (size_t size = HEAD + last * RECORD; size <= image.size; size++) {
		struct log *log = open_image(*state, (struct bytes){image.data, size});
		uint64_t whole = (size - HEAD) / RECORD;
		expect_numbers(log, 0, whole, SIZE);
		append_batch(log, whole);
		assert_int_equal(log_commit(log), 0);
		expect_numbers(log, 0, whole + BATCH, SIZE);
		log_close(log);
	}
}

/* Power may fail with any part of the last batch on the disk: what stands behind a missing part is
 * not believed. */
static void a_tail_with_holes_is_torn_not_damaged(void **state)
{
	struct buffer image ATTR_BUFFER = {0};
	make_image(*state, &image);
	uint64_t last = (BATCHES - 1) * BATCH;
	for (uint64_t missing = last; missing < last + BATCH; missing++) {
		struct buffer torn ATTR_BUFFER = {0};
		buffer_append(&torn, image.data, image.size);
		memset(torn.data + HEAD + missing * RECORD, 0, RECORD);
		struct log *log = open_image(*state, buffer_bytes(&torn));
		expect_numbers(log, 0, missing, SIZE);
		log_close(log);
	}
}

static void expect_without(struct log *log, uint64_t lost, uint64_t end)
{
	struct log_place places[BATCHES * BATCH];
	struct log_found found;
	struct log_query query = {1, 0, BATCHES * BATCH};
	assert_int_equal(log_find(log, &query, places, &found), 0);
	assert_int_equal(found.lost, lost);
	assert_int_equal(found.count, end - 1);
	for (size_t i = 0; i < found.count; i++) {
		assert_int_equal(places[i].position, i < lost ? i : i + 1);
		expect_record(log, &places[i], places[i].position, SIZE);
	}
}

static void damage_in_the_middle_is_told_and_not_served(void **state)
{
	struct buffer image ATTR_BUFFER = {0};
	make_image(*state, &image);
	uint64_t lost = BATCH + 2;
	for (size_t at = HEAD + lost * RECORD; at < HEAD + (lost + 1) * RECORD; at++) {
		image.data[at] ^= 1;
		struct log *log = open_image(*state, buffer_bytes(&image));
		expect_without(log, lost, BATCHES * BATCH);
		log_close(log);
		struct segment_log_options again = {((struct scratch *)*state)->directory,
						    &disk_real, SEGMENT};
		assert_int_equal(segment_log_open(&log, &again), 0);
		expect_without(log, lost, BATCHES * BATCH); /* the index remembers it */
		log_close(log);
		image.data[at] ^= 1;
	}
}

static void any_flipped_bit_costs_no_other_record(void **state)
{
	struct buffer image ATTR_BUFFER = {0};
	make_image(*state, &image);
	for (size_t at = HEAD; at < image.size; at++) {
		image.data[at] ^= (uint8_t)(1 << at % 8);
		struct log *log = open_image(*state, buffer_bytes(&image));
		struct log_place places[BATCHES * BATCH];
		struct log_found found;
		struct log_query query = {1, 0, BATCHES * BATCH};
		assert_int_equal(log_find(log, &query, places, &found), 0);
		uint64_t hit = (at - HEAD) / RECORD;
		bool last_batch = hit >= (BATCHES - 1) * BATCH;
		assert_int_equal(found.count, last_batch ? hit : BATCHES * BATCH - 1);
		for (size_t i = 0; i < found.count; i++)
			expect_record(log, &places[i], places[i].position, SIZE);
		log_close(log);
		image.data[at] ^= (uint8_t)(1 << at % 8);
	}
}

/* A tenant prints what looks like a record: recovery searches behind damage, and must not find it.
 */
static void a_record_inside_data_is_not_found(void **state)
{
	struct buffer image ATTR_BUFFER = {0}, inner ATTR_BUFFER = {0};
	make_image(*state, &image);
	scratch_empty(*state);
	struct log *log = open_log(*state, &disk_real, SEGMENT);
	uint64_t position;
	buffer_append(&inner, image.data + HEAD, image.size - HEAD);
	struct log_append append = {.n_subjects = 1, .subjects = {1}, .data = buffer_bytes(&inner)};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(log_append(log, &append, &position), 0);
		assert_int_equal(log_commit(log), 0);
	}
	buffer_clear(&image);
	assert_int_equal(file_read(((struct scratch *)*state)->directory, "0000000001.log", &image),
			 0);
	log_close(log);
	image.data[HEAD + 2] ^= 1;
	log = open_image(*state, buffer_bytes(&image));
	struct log_place places[100];
	struct log_found found;
	struct log_query query = {1, 0, 100};
	assert_int_equal(log_find(log, &query, places, &found), 0);
	assert_int_equal(found.lost, 0);
	assert_int_equal(found.count, 2);
	log_close(log);
}

static void a_full_disk_refuses_and_recovers(void **state)
{
	struct disk_faulty faulty;
	disk_faulty_init(&faulty);
	struct log *log = open_log(*state, &faulty.disk, SEGMENT);
	faulty.faults[DISK_AVAILABLE] = (struct disk_fault){.times = 2};
	append_batch(log, 0);
	assert_int_equal(log_commit(log), LOG_NO_SPACE);
	append_batch(log, 0);
	assert_int_equal(log_commit(log), LOG_NO_SPACE);
	append_batch(log, 0);
	assert_int_equal(log_commit(log), 0);
	expect_numbers(log, 0, BATCH, SIZE);
	log_close(log);
	log = open_log(*state, &faulty.disk, SEGMENT);
	expect_numbers(log, 0, BATCH, SIZE);
	faulty.faults[DISK_ALLOCATE] = (struct disk_fault){.times = 1, .error = ENOSPC};
	append_batch(log, BATCH);
	assert_int_equal(log_commit(log), LOG_NO_SPACE);
	expect_numbers(log, 0, BATCH, SIZE); /* reading goes on */
	append_batch(log, BATCH);
	assert_int_equal(log_commit(log), 0);
	expect_numbers(log, 0, 2 * BATCH, SIZE);
	log_close(log);
}

/* Each call of a commit fails in turn; whatever happens, what was acknowledged is there, in this
 * process and in the next. */
static void a_failing_call_costs_nothing_acknowledged(void **state)
{
	static const struct disk_fault kinds[] = {
	    {.times = 1, .error = EIO},
	    {.times = 1, .error = EIO, .partial = 100},
	    {.times = 1, .partial = 50},
	    {.times = 2, .error = EIO},
	    {.times = 1, .error = ENOSPC},
	    {.times = 5, .error = EIO, .partial = 200},
	    {.times = 2, .error = ENOSPC, .partial = RECORD},
	};
	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		for (unsigned call = 0; call < DISK_CALLS * 4; call++) {
			struct disk_faulty faulty;
			scratch_empty(*state);
			disk_faulty_init(&faulty);
			struct log *log = open_log(*state, &faulty.disk, SEGMENT);
			uint64_t acknowledged = 0;
			faulty.faults[call % DISK_CALLS] = kinds[kind];
			faulty.faults[call % DISK_CALLS].after = call / DISK_CALLS;
			for (int i = 0; i < 8; i++) {
				append_batch(log, acknowledged);
				if (log_commit(log) == 0)
					acknowledged += BATCH;
				expect_numbers(log, 0, acknowledged, SIZE);
			}
			assert_true(acknowledged >= BATCH);
			log_close(log);
			log = open_log(*state, &disk_real, SEGMENT);
			expect_numbers(log, 0, acknowledged, SIZE);
			log_close(log);
		}
	}
}

static void a_failed_sync_is_not_tried_again_on_the_file(void **state)
{
	struct disk_faulty faulty;
	struct stat first, second;
	const struct scratch *scratch = *state;
	disk_faulty_init(&faulty);
	struct log *log = open_log(scratch, &faulty.disk, SEGMENT);
	append_batch(log, 0);
	assert_int_equal(log_commit(log), 0);
	faulty.faults[DISK_SYNC] = (struct disk_fault){.times = 1, .error = EIO};
	append_batch(log, BATCH);
	assert_int_equal(log_commit(log), 0); /* written anew to the next segment */
	expect_numbers(log, 0, 2 * BATCH, SIZE);
	assert_int_equal(fstatat(scratch->directory, "0000000001.log", &first, 0), 0);
	assert_int_equal(first.st_size, HEAD + BATCH * RECORD);
	assert_int_equal(fstatat(scratch->directory, "0000000002.log", &second, 0), 0);
	log_close(log);
}

/* ---- kill -9 ---- */

static void append_until_killed(const struct scratch *scratch, uint64_t next, int out)
{
	struct log *log = open_log(scratch, &disk_real, 64 << 10);
	for (;;) {
		for (int i = 0; i < BATCH; i++)
			append_number(log, next++, SIZE);
		if (log_commit(log) != 0 || write(out, &next, sizeof(next)) < 0)
			_exit(1);
	}
}

/* The highest count that the child has acknowledged before it was killed. */
static uint64_t run_child(const struct scratch *scratch, uint64_t next, unsigned reports)
{
	int ends[2];
	uint64_t acknowledged = next, told;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0)
		append_until_killed(scratch, next, ends[1]);
	close(ends[1]);
	while (read(ends[0], &told, sizeof(told)) == (ssize_t)sizeof(told)) {
		acknowledged = told;
		if (reports-- == 0)
			kill(child, SIGKILL);
	}
	close(ends[0]);
	waitpid(child, NULL, 0);
	return acknowledged;
}

static void nothing_acknowledged_is_lost_by_kill(void **state)
{
	enum { ROUNDS = 50 };
	uint64_t next = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t acknowledged = run_child(*state, next, round * 7 % 23);
		struct log *log = open_log(*state, &disk_real, 64 << 10);
		struct log_bounds bounds;
		log_bounds(log, &bounds);
		assert_true(bounds.end >= acknowledged);
		expect_numbers(log, 0, bounds.end, SIZE);
		next = bounds.end;
		log_close(log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_torn_tail_ends_at_the_last_whole_record, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_tail_with_holes_is_torn_not_damaged, setup, teardown),
	    cmocka_unit_test_setup_teardown(damage_in_the_middle_is_told_and_not_served, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(any_flipped_bit_costs_no_other_record, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_record_inside_data_is_not_found, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_full_disk_refuses_and_recovers, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_failing_call_costs_nothing_acknowledged, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_failed_sync_is_not_tried_again_on_the_file, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(nothing_acknowledged_is_lost_by_kill, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
