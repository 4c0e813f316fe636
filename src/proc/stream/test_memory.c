/* Output goes through the role in a process of its own; one reader stops reading, another starts
 * late and reads everything. What the role ever held in memory stays below the limit of every role,
 * whatever went through it. */
#include "base/descriptor.h"
#include "base/unit_test.h"
#include "port/log/segment_log.h"
#include "proc/stream/broker.h"
#include "proto/worker_stream.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PIECE = 60000,
	PIECES = 4000,
	WINDOW = 4 << 20, /* appended and not acknowledged */
	GRANT = 1 << 20,
#ifdef ADDRESS_SANITIZED
	LIMIT_KIB = 512 << 10, /* its shadow, and what it keeps of what was freed */
#else
	LIMIT_KIB = 64 << 10,
#endif
};

enum { READS_ALL, STOPS, LATE, READERS };

struct far_end {
	struct loop *loop;
	struct channel *control, *worker, *gateway;
	uint32_t sent, acknowledged;
	uint64_t bytes[READERS];
	uint64_t owed[READERS]; /* credit used since the last grant */
	uint8_t first_wrong;
};

static void open_reader(struct far_end *end, uint64_t number)
{
	struct control_stream_reader_open open = {.reader = number,
						  .scope = READER_OPERATION,
						  .workspace = {{1}},
						  .project = {{2}},
						  .operation = {{3}}};
	channel_send(end->control, CONTROL_STREAM_READER_OPEN, &open);
}

static void append(struct far_end *end, struct channel *channel, unsigned message, uint8_t type)
{
	static uint8_t piece[PIECE];
	struct event_append event = {.type = type,
				     .time_ms = 1,
				     .workspace = {{1}},
				     .project = {{2}},
				     .operation = {{3}},
				     .sequence = end->sent,
				     .data = {piece, type == EVENT_CHUNK ? PIECE : 0}};
	memset(piece, (int)end->sent, sizeof(piece));
	channel_send(channel, message, &event);
}

static void append_more(struct far_end *end)
{
	while (end->sent < PIECES && (end->sent - end->acknowledged) * PIECE < WINDOW) {
		end->sent++;
		append(end, end->worker, WORKER_STREAM_APPEND, EVENT_CHUNK);
	}
}

static int control_hears(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
			 const void *body ATTR_UNUSED,
			 struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct far_end *end = owner;
	if (type == CONTROL_STREAM_APPENDED)
		append(end, end->worker, WORKER_STREAM_APPEND, EVENT_STARTED);
	return 0;
}

static int worker_hears(void *owner, struct channel *channel ATTR_UNUSED, unsigned type ATTR_UNUSED,
			const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct far_end *end = owner;
	const struct event_appended *appended = body;
	if (appended->status != EVENT_APPENDED)
		loop_stop(end->loop);
	if (appended->position ==
	    1) /* started: the output begins, and with it two of its readers */
		for (uint64_t i = READS_ALL; i <= STOPS; i++)
			open_reader(end, i);
	if (appended->position > 1)
		end->acknowledged++;
	if (appended->position > 1 && end->acknowledged == PIECES / 2)
		open_reader(end, LATE);
	append_more(end);
	return 0;
}

static void take(struct far_end *end, uint64_t reader, const struct event_delivered *event)
{
	end->owed[reader] += event_cost(event);
	if (event->type != EVENT_CHUNK)
		return;
	uint8_t expected = (uint8_t)(end->bytes[reader] / PIECE + 1);
	end->first_wrong |= event->data.data[0] ^ expected;
	end->first_wrong |= event->data.data[event->data.size - 1] ^ expected;
	end->bytes[reader] += event->data.size;
}

static void grant(struct far_end *end, uint64_t reader, uint64_t bytes)
{
	struct gateway_stream_credit credit = {reader, (uint32_t)bytes};
	channel_send(end->gateway, GATEWAY_STREAM_CREDIT, &credit);
	end->owed[reader] = 0;
}

static int gateway_hears(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
			 const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct far_end *end = owner;
	const struct gateway_stream_deliver *deliver = body;
	const struct event_delivered *events = deliver->events.items;
	if (type == GATEWAY_STREAM_OPENED)
		grant(end, ((const struct gateway_stream_opened *)body)->reader, GRANT);
	if (type != GATEWAY_STREAM_DELIVER)
		return 0;
	for (size_t i = 0; i < deliver->readers.count; i++) {
		uint64_t reader = ((const uint64_t *)deliver->readers.items)[i];
		for (size_t k = 0; k < deliver->events.count; k++)
			take(end, reader, &events[k]);
		if (reader != STOPS && end->owed[reader] > GRANT / 2)
			grant(end, reader, end->owed[reader]);
	}
	const uint64_t all = (uint64_t)PIECES * PIECE;
	if (end->bytes[READS_ALL] == all && end->bytes[LATE] == all)
		loop_stop(end->loop);
	return 0;
}

static void on_closed(void *owner, struct channel *channel ATTR_UNUSED, int why ATTR_UNUSED)
{
	loop_stop(((struct far_end *)owner)->loop);
}

static const struct channel_events control_events = {control_hears, on_closed, NULL};
static const struct channel_events worker_events = {worker_hears, on_closed, NULL};
static const struct channel_events gateway_events = {gateway_hears, on_closed, NULL};

/* ---- the role ---- */

static void run_role(int directory, const int fds[3])
{
	static const enum role_kind kinds[3] = {ROLE_GATEWAY, ROLE_CONTROL, ROLE_WORKER};
	struct broker_options options = {.readers = 10};
	struct segment_log_options log = {directory, &disk_real, 64 << 20};
	struct broker *broker;
	if (loop_new(&options.loop) < 0 || segment_log_open(&options.log, &log) < 0 ||
	    broker_open(&broker, &options) < 0)
		_exit(1);
	for (int i = 0; i < 3; i++)
		if (broker_peer(broker, kinds[i], 0, fds[i]) < 0)
			_exit(1);
	loop_run(options.loop);
	_exit(0);
}

static long peak_kib(pid_t pid)
{
	char path[64], line[256];
	long peak = -1;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "VmHWM: %ld", &peak) == 1)
			break;
	if (status)
		fclose(status);
	return peak;
}

static void remove_all(const char *path, int directory)
{
	DIR *listing = opendir(path);
	for (struct dirent *entry; (entry = readdir(listing));)
		unlinkat(directory, entry->d_name, 0);
	closedir(listing);
	rmdir(path);
}

static void connect_all(struct far_end *end, int ends[3][2])
{
	static const struct channel_events *const events[3] = {&gateway_events, &control_events,
							       &worker_events};
	static const struct protocol *const protocols[3] = {
	    &gateway_stream_protocol, &control_stream_protocol, &worker_stream_protocol};
	struct channel **channels[3] = {&end->gateway, &end->control, &end->worker};
	assert_int_equal(loop_new(&end->loop), 0);
	for (int i = 0; i < 3; i++) {
		close(ends[i][1]);
		assert_int_equal(
		    channel_new(channels[i], end->loop, ends[i][0], protocols[i], events[i], end),
		    0);
	}
}

static void memory_stays_below_the_limit(void **state ATTR_UNUSED)
{
	char path[] = "/tmp/croft-test-memory-XXXXXX";
	struct far_end end = {0};
	int ends[3][2];
	assert_non_null(mkdtemp(path));
	int directory ATTR_DESCRIPTOR = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3; i++)
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends[i]), 0);
	pid_t role = fork();
	if (role == 0) {
		for (int i = 0; i < 3; i++)
			close(ends[i][0]);
		run_role(directory, (int[3]){ends[0][1], ends[1][1], ends[2][1]});
	}
	connect_all(&end, ends);
	append(&end, end.control, CONTROL_STREAM_APPEND, EVENT_QUEUED);
	loop_run(end.loop);
	long peak = peak_kib(role);
	kill(role, SIGKILL);
	waitpid(role, NULL, 0);
	remove_all(path, directory);
	print_message("role's memory at most: %ld KiB\n", peak);
	assert_int_equal(end.acknowledged, PIECES);
	assert_int_equal(end.bytes[READS_ALL], (uint64_t)PIECES * PIECE);
	assert_int_equal(end.bytes[LATE], (uint64_t)PIECES * PIECE);
	assert_true(end.bytes[STOPS] < GRANT + PIECE);
	assert_int_equal(end.first_wrong, 0);
	assert_true(peak > 0 && peak < LIMIT_KIB);
	channel_free(end.control);
	channel_free(end.worker);
	channel_free(end.gateway);
	loop_free(end.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(memory_stays_below_the_limit)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
