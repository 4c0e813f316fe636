/* A hostile agent: whatever it sends, the worker must neither break nor believe it about operations
 * that it does not run. */
#include "base/log.h"
#include "proc/worker/worker.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NO_SUCH_PROCESS = INT_MAX, TURNS = 64 };

static void greet(int fd)
{
	static const char name[] = "worker-agent";
	uint8_t hello[8 + 2 + 4 + sizeof(name) - 1] = {
	    2 + 4 + sizeof(name) - 1, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, sizeof(name) - 1};
	memcpy(hello + 14, name, sizeof(name) - 1);
	if (write(fd, hello, sizeof(hello)) < 0)
		abort();
}

static const struct uuid known = {{0}}; /* so that frames of zeros speak of it */

static void hold_operation(struct worker *worker, struct instance *instance)
{
	struct control_worker_run run = {.operation = known, .project = instance->project};
	run.correlation = TEXT("c");
	run.input = text_bytes(TEXT("i"));
	int r = operation_accept(worker, &run, -1); /* waits: all are told that the worker stops */
	struct operation *operation = operation_find(worker, known);
	assert(r == 0 && operation);
	list_remove(&operation->link);
	operation->instance = instance;
	list_append(&instance->operations, &operation->link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2];
	struct instance *slot = NULL;
	struct worker worker = {.n_slots = 1, .slots = &slot, .stopping = true};
	struct instance instance = {.worker = &worker, .pid = NO_SUCH_PROCESS};
	log_open("fuzz", LOG_ERROR);
	list_init(&worker.waiting);
	list_init(&instance.operations);
	output_init(&worker.output);
	if (loop_new(&worker.loop) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	hold_operation(&worker, &instance);
	if (channel_new(&instance.agent, worker.loop, pair[0], &worker_agent_protocol,
			&agent_events, &instance) < 0)
		abort();
	greet(pair[1]);
	ssize_t n = send(pair[1], data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(pair[1], SHUT_WR);
	for (int i = 0; i < TURNS && n >= 0 && instance.state == INSTANCE_LIVES; i++)
		loop_turn(worker.loop);
	instance_end(&instance);

	struct operation *operation = operation_find(&worker, known);
	assert(operation && operation->finished && !operation->instance);
	assert(operation->credit >= -(int64_t)(OVERDRAFT + EVENT_CHUNK_LIMIT));
	assert(worker.operations.count == 1);
	output_free(&worker.output);
	operation->n_pending = 0;
	operation_forget(operation);
	loop_deferred_cancel(&worker.send_output);
	channel_free(instance.agent);
	close(pair[1]);
	map_free(&worker.operations);
	loop_free(worker.loop);
	return 0;
}
