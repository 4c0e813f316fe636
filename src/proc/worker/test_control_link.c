/* The worker's side of its channel to control, as a transcript: what control says, and what comes
 * back. No instance can be started here, so operations wait. */
#include "base/unit_test.h"
#include "proc/worker/worker.h"

#include <errno.h>
#include <sys/socket.h>

enum { TURNS = 8, SAID_MAX = 16 };

struct control {
	struct channel *channel;
	unsigned said[SAID_MAX]; /* types of what the worker said */
	size_t count;
	struct control_worker_holding held, last; /* of an operation; the closing one */
	uint8_t outcome;
	int why; /* it was closed */
};

struct scene {
	struct loop *loop;
	struct instance *slot;
	struct worker worker;
	struct control control;
};

static const struct uuid first = {{1}}, second = {{2}}, project = {{3}};

static int control_hears(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
			 const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct control *control = owner;
	const struct control_worker_holding *holding = body;
	assert_true(control->count < SAID_MAX);
	control->said[control->count++] = type;
	if (type == CONTROL_WORKER_FINISHED)
		control->outcome = ((const struct control_worker_finished *)body)->outcome;
	if (type == CONTROL_WORKER_HOLDING && uuid_is_zero(holding->operation))
		control->last = *holding;
	else if (type == CONTROL_WORKER_HOLDING)
		control->held = *holding;
	return 0;
}

static void control_is_closed(void *owner, struct channel *channel ATTR_UNUSED, int why)
{
	((struct control *)owner)->why = why;
}

static const struct channel_events control_side = {control_hears, control_is_closed, NULL};

static void run_turns(struct scene *scene)
{
	for (int i = 0; i < TURNS; i++)
		loop_turn(scene->loop);
}

/* As the supervisor does it, with a first control and with each that replaces it. */
static void connect_control(struct scene *scene)
{
	int pair[2];
	channel_free(scene->control.channel);
	scene->control = (struct control){0};
	run_turns(scene);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(channel_new(&scene->worker.control, scene->loop, pair[0],
				     &control_worker_protocol, &control_events, &scene->worker),
			 0);
	assert_int_equal(channel_new(&scene->control.channel, scene->loop, pair[1],
				     &control_worker_protocol, &control_side, &scene->control),
			 0);
}

static void open_scene(struct scene *scene)
{
	*scene = (struct scene){0};
	assert_int_equal(loop_new(&scene->loop), 0);
	/* It stops: what comes waits for an instance that is not made any more. */
	scene->worker = (struct worker){.loop = scene->loop,
					.n_slots = 1,
					.slots = &scene->slot,
					.number = {{9}},
					.stopping = true};
	list_init(&scene->worker.waiting);
	output_init(&scene->worker.output);
	connect_control(scene);
}

static void close_scene(struct scene *scene)
{
	channel_free(scene->control.channel);
	channel_free(scene->worker.control);
	assert_int_equal(scene->worker.operations.count, 0);
	map_free(&scene->worker.operations);
	output_free(&scene->worker.output);
	loop_free(scene->loop);
}

static void say(struct scene *scene, unsigned type, const void *message)
{
	assert_int_equal(channel_send(scene->control.channel, type, message), 0);
	run_turns(scene);
}

static void say_run(struct scene *scene, struct uuid operation)
{
	struct control_worker_run run = {.operation = operation, .project = project};
	run.correlation = TEXT("c");
	run.input = text_bytes(TEXT("i"));
	say(scene, CONTROL_WORKER_RUN, &run);
}

static void say_cancel(struct scene *scene, struct uuid operation)
{
	struct control_worker_cancel cancel = {operation, OUTCOME_CANCELLED};
	say(scene, CONTROL_WORKER_CANCEL, &cancel);
}

static void say_of(struct scene *scene, unsigned type, struct uuid operation)
{
	struct control_worker_operation message = {operation};
	say(scene, type, &message);
}

#define assert_said(scene, ...)                                                                    \
	do {                                                                                       \
		const unsigned expected_types[] = {__VA_ARGS__};                                   \
		assert_int_equal((scene)->control.count, ARRAY_SIZE(expected_types));              \
		assert_memory_equal((scene)->control.said, expected_types,                         \
				    sizeof(expected_types));                                       \
		(scene)->control.count = 0;                                                        \
	} while (0)

static void an_operation_is_held_until_it_is_forgotten(void **state ATTR_UNUSED)
{
	struct scene scene;
	open_scene(&scene);
	say_run(&scene, first);
	say_of(&scene, CONTROL_WORKER_FORGET, first); /* too early: it has not ended */
	assert_non_null(operation_find(&scene.worker, first));
	say_cancel(&scene, first);
	assert_said(&scene, CONTROL_WORKER_FINISHED);
	assert_int_equal(scene.control.outcome, OUTCOME_CANCELLED);
	say_cancel(&scene, first); /* it has ended already */
	assert_int_equal(scene.control.count, 0);
	assert_true(operations_are_told(&scene.worker));
	say_of(&scene, CONTROL_WORKER_FORGET, first);
	say_of(&scene, CONTROL_WORKER_FORGET, first);
	assert_null(operation_find(&scene.worker, first));
	close_scene(&scene);
}

static void what_is_said_twice_is_done_once(void **state ATTR_UNUSED)
{
	struct scene scene;
	open_scene(&scene);
	say_run(&scene, first);
	say_run(&scene, first);
	assert_int_equal(scene.worker.operations.count, 1);
	say_cancel(&scene, first);
	say_run(&scene, first); /* ended, and not to be run again while it is held */
	assert_said(&scene, CONTROL_WORKER_FINISHED);
	say_of(&scene, CONTROL_WORKER_FORGET, first);
	close_scene(&scene);
}

static void another_control_is_told_what_is_held_and_how_it_ended(void **state ATTR_UNUSED)
{
	struct scene scene;
	open_scene(&scene);
	say_run(&scene, first);
	say_cancel(&scene, first);
	connect_control(&scene);
	say_of(&scene, CONTROL_WORKER_INVENTORY, (struct uuid){{0}});
	assert_said(&scene, CONTROL_WORKER_HOLDING, CONTROL_WORKER_HOLDING,
		    CONTROL_WORKER_FINISHED);
	assert_true(uuid_equal(scene.control.held.operation, first));
	assert_true(scene.control.held.finished);
	assert_int_equal(scene.control.outcome, OUTCOME_CANCELLED);
	say_of(&scene, CONTROL_WORKER_FORGET, first);
	say_of(&scene, CONTROL_WORKER_INVENTORY, (struct uuid){{0}});
	assert_said(&scene, CONTROL_WORKER_HOLDING);
	assert_true(uuid_equal(scene.control.last.worker, scene.worker.number));
	close_scene(&scene);
}

static void what_ends_without_control_is_told_later(void **state ATTR_UNUSED)
{
	struct scene scene;
	open_scene(&scene);
	say_run(&scene, first);
	say_run(&scene, second);
	channel_free(scene.control.channel);
	scene.control.channel = NULL;
	run_turns(&scene);
	assert_null(scene.worker.control);
	operations_cancel_all(&scene.worker, OUTCOME_WORKER_LOST);
	assert_false(operations_are_told(&scene.worker));
	connect_control(&scene);
	say_of(&scene, CONTROL_WORKER_INVENTORY, (struct uuid){{0}});
	assert_said(&scene, CONTROL_WORKER_HOLDING, CONTROL_WORKER_HOLDING, CONTROL_WORKER_HOLDING,
		    CONTROL_WORKER_FINISHED, CONTROL_WORKER_FINISHED);
	assert_int_equal(scene.control.outcome, OUTCOME_WORKER_LOST);
	assert_true(operations_are_told(&scene.worker));
	say_of(&scene, CONTROL_WORKER_FORGET, first);
	say_of(&scene, CONTROL_WORKER_FORGET, second);
	close_scene(&scene);
}

static void words_of_the_worker_from_control_close_the_channel(void **state ATTR_UNUSED)
{
	struct scene scene;
	struct control_worker_status status = {.ready = true};
	open_scene(&scene);
	say(&scene, CONTROL_WORKER_STATUS, &status);
	assert_null(scene.worker.control);
	assert_int_not_equal(scene.control.why, 0);
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_operation_is_held_until_it_is_forgotten),
	    cmocka_unit_test(what_is_said_twice_is_done_once),
	    cmocka_unit_test(another_control_is_told_what_is_held_and_how_it_ended),
	    cmocka_unit_test(what_ends_without_control_is_told_later),
	    cmocka_unit_test(words_of_the_worker_from_control_close_the_channel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
