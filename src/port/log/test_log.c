#include "port/log/test_log.h"

#include "base/descriptor.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { ALL = 1, GROUPS = 7, GROUP_FIRST = 100, SIZE_MAX_TEST = 70000 };

void scratch_make(struct scratch *scratch)
{
	snprintf(scratch->path, sizeof(scratch->path), "/tmp/croft-test-log-XXXXXX");
	assert_non_null(mkdtemp(scratch->path));
	scratch->directory = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(scratch->directory >= 0);
}

void scratch_empty(struct scratch *scratch)
{
	DIR *directory = opendir(scratch->path);
	for (struct dirent *entry; (entry = readdir(directory));)
		unlinkat(scratch->directory, entry->d_name, 0);
	closedir(directory);
}

void scratch_remove(struct scratch *scratch)
{
	scratch_empty(scratch);
	descriptor_close(&scratch->directory);
	rmdir(scratch->path);
}

struct log *open_log(const struct scratch *scratch, const struct disk *disk, uint64_t segment_bytes)
{
	struct segment_log_options options = {scratch->directory, disk, segment_bytes};
	struct log *log = NULL;
	assert_int_equal(segment_log_open(&log, &options), 0);
	return log;
}

static void make_data(uint64_t number, uint8_t *data, size_t size)
{
	uint64_t state = number * 0x9e3779b97f4a7c15u + 1;
	for (size_t i = 0; i < size; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		data[i] = (uint8_t)(state >> 56);
	}
}

int append_number(struct log *log, uint64_t number, size_t size)
{
	uint8_t data[SIZE_MAX_TEST];
	uint64_t position;
	make_data(number, data, size);
	struct log_append append = {
	    .time_ms = (int64_t)number + 1,
	    .tag = (uint8_t)(number % 5),
	    .n_subjects = 2,
	    .subjects = {ALL, GROUP_FIRST + number % GROUPS},
	    .data = {data, size},
	};
	return log_append(log, &append, &position);
}

void expect_record(struct log *log, const struct log_place *place, uint64_t number, size_t size)
{
	uint8_t data[SIZE_MAX_TEST];
	struct log_record record;
	assert_int_equal(log_read(log, place, &record), 0);
	make_data(number, data, size);
	assert_int_equal(record.position, place->position);
	assert_int_equal(record.time_ms, number + 1);
	assert_int_equal(record.tag, number % 5);
	assert_int_equal(record.data.size, size);
	assert_memory_equal(record.data.data, data, size);
}

static void expect_subject(struct log *log, uint64_t subject, uint64_t first, uint64_t step,
			   uint64_t end, size_t size)
{
	enum { PAGE = 64 };
	struct log_place places[PAGE];
	struct log_found found = {.count = PAGE};
	uint64_t next = first;
	struct log_query query = {subject, first, PAGE};
	while (found.count == PAGE) {
		assert_int_equal(log_find(log, &query, places, &found), 0);
		assert_true(found.lost == LOG_NONE_LOST);
		for (size_t i = 0; i < found.count; i++, next += step) {
			assert_int_equal(places[i].position, next);
			expect_record(log, &places[i], next, size);
		}
		query.from = next > first ? next - step + 1 : first;
	}
	assert_true(next >= end && next < end + step);
}

void expect_numbers(struct log *log, uint64_t first, uint64_t end, size_t size)
{
	struct log_bounds bounds;
	log_bounds(log, &bounds);
	assert_int_equal(bounds.first, first);
	assert_int_equal(bounds.end, end);
	expect_subject(log, ALL, first, 1, end, size);
	for (uint64_t i = first; i < first + GROUPS && i < end; i++) {
		struct log_place last;
		expect_subject(log, GROUP_FIRST + i % GROUPS, i, GROUPS, end, size);
		assert_int_equal(log_find_last(log, GROUP_FIRST + i % GROUPS, first, &last), 0);
		assert_int_equal(last.position, i + (end - 1 - i) / GROUPS * GROUPS);
	}
}
