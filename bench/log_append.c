/* Durable appends per second of the event log, beside a program that does nothing but write and
 * fdatasync, in one run.
 *
 *   log_append [DIRECTORY]     default: the current one; prints one JSON object per line
 *
 * `inFlight` is how many appends wait for one commit, as when so many producers each wait for their
 * acknowledgement. */
#include "base/clock.h"
#include "base/descriptor.h"
#include "port/log/segment_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SIZE = 200, COMMITS = 400, ROUNDS = 5 };

static uint8_t data[64 * SIZE];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double per_second(uint64_t appends, uint64_t began_ns)
{
	return (double)appends * 1e9 / (double)(clock_monotonic_ns() - began_ns);
}

static double measure_log(int directory, unsigned in_flight)
{
	struct segment_log_options options = {directory, &disk_real, 64 << 20};
	struct log *log;
	if (segment_log_open(&log, &options) < 0)
		fail("segment_log_open");
	uint64_t began = clock_monotonic_ns(), position;
	for (int i = 0; i < COMMITS; i++) {
		for (unsigned k = 0; k < in_flight; k++) {
			struct log_append append = {
			    .n_subjects = 3, .subjects = {1, 2, 3}, .data = {data, SIZE}};
			if (log_append(log, &append, &position) < 0)
				fail("log_append");
		}
		if (log_commit(log) != 0)
			fail("log_commit");
	}
	double rate = per_second((uint64_t)COMMITS * in_flight, began);
	log_close(log);
	return rate;
}

static double measure_plain(int directory, unsigned in_flight)
{
	int fd ATTR_DESCRIPTOR =
	    openat(directory, "plain", O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		fail("open");
	uint64_t began = clock_monotonic_ns();
	for (int i = 0; i < COMMITS; i++)
		if (write(fd, data, in_flight * (size_t)SIZE) < 0 || fdatasync(fd) < 0)
			fail("write");
	double rate = per_second((uint64_t)COMMITS * in_flight, began);
	unlinkat(directory, "plain", 0);
	return rate;
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

static void remove_segments(int directory)
{
	char name[32];
	for (unsigned i = 1; i <= 3 * ROUNDS + 1; i++) {
		snprintf(name, sizeof(name), "%010u.log", i);
		unlinkat(directory, name, 0);
		snprintf(name, sizeof(name), "%010u.idx", i);
		unlinkat(directory, name, 0);
	}
}

int main(int argc, char **argv)
{
	static const unsigned in_flight[] = {1, 16, 64};
	char path[4096];
	snprintf(path, sizeof(path), "%s/croft-bench-XXXXXX", argc > 1 ? argv[1] : ".");
	if (!mkdtemp(path))
		fail(path);
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(in_flight); i++) {
		double ours[ROUNDS], plain[ROUNDS];
		for (int round = 0; round < ROUNDS; round++) {
			ours[round] = measure_log(directory, in_flight[i]);
			plain[round] = measure_plain(directory, in_flight[i]);
		}
		qsort(ours, ROUNDS, sizeof(*ours), compare);
		qsort(plain, ROUNDS, sizeof(*plain), compare);
		printf("{\"workload\":\"durable appends\",\"inFlight\":%u,\"ours\":%.0f,"
		       "\"writeAndFdatasync\":%.0f,\"ratio\":%.2f,\"unit\":\"1/s\"}\n",
		       in_flight[i], ours[ROUNDS / 2], plain[ROUNDS / 2],
		       ours[ROUNDS / 2] / plain[ROUNDS / 2]);
	}
	remove_segments(directory);
	rmdir(path);
	return 0;
}
