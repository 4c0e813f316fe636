/* Scenarios of the orchestrator, read as transcripts: what is told, and the orders that follow. */
#include "base/unit_test.h"
#include "engine/orchestrator/orchestrator.h"

#include <stdio.h>
#include <string.h>

struct scene {
	struct orchestrator *engine;
	struct orchestrator_orders orders;
	uint64_t now_ms;
	char transcript[512];
};

static struct uuid named(const char *name)
{
	struct uuid id = {{0}};
	memcpy(id.b, name, strlen(name));
	return id;
}

static const struct orchestrator_limits small_limits = {
    .running = 4, .running_per_workspace = 3, .running_per_project = 2, .waiting_per_workspace = 3};

static struct scene begin(void)
{
	struct scene scene = {0};
	assert_int_equal(orchestrator_new(&small_limits, &scene.engine), 0);
	return scene;
}

static void end(struct scene *scene)
{
	orchestrator_orders_free(&scene->orders);
	orchestrator_free(scene->engine);
}

static void write_order(struct scene *scene, const struct orchestrator_order *order)
{
	static const char *const names[] = {"mark", "run", "cancel", "end", "forget"};
	char line[80];
	const char *how = order->type == ORCHESTRATOR_ORDER_END && order->finished
			      ? "finished"
			      : outcome_kinds[order->outcome].code;
	bool has_how =
	    order->type == ORCHESTRATOR_ORDER_CANCEL || order->type == ORCHESTRATOR_ORDER_END;
	snprintf(line, sizeof(line), "%s%s %.15s%s%s", scene->transcript[0] ? ", " : "",
		 names[order->type], (const char *)order->operation.b, has_how ? " " : "",
		 has_how ? how : "");
	strncat(scene->transcript, line, sizeof(scene->transcript) - strlen(scene->transcript) - 1);
}

static int tell(struct scene *scene, struct orchestrator_event event)
{
	event.now_ms = scene->now_ms;
	scene->orders.count = 0;
	scene->transcript[0] = '\0';
	int verdict = orchestrator_step(scene->engine, &event, &scene->orders);
	for (size_t i = 0; i < scene->orders.count; i++)
		write_order(scene, &scene->orders.items[i]);
	return verdict;
}

#define EXPECT(scene, text) assert_string_equal((scene)->transcript, text)

static int admit(struct scene *scene, const char *operation, const char *project)
{
	char workspace[2] = {project[0], 0};
	return tell(scene, (struct orchestrator_event){.type = ORCHESTRATOR_ADMIT,
						       .operation = named(operation),
						       .workspace = named(workspace),
						       .project = named(project),
						       .timeout_ms = 1000});
}

static int about(struct scene *scene, enum orchestrator_event_type type, const char *operation)
{
	return tell(scene, (struct orchestrator_event){.type = type,
						       .operation = named(operation),
						       .outcome = OUTCOME_CANCELLED});
}

static void open_gates(struct scene *scene, const char *operation, unsigned gates)
{
	tell(scene, (struct orchestrator_event){.type = ORCHESTRATOR_OPEN_GATE,
						.operation = named(operation),
						.gates = gates});
}

enum { ALL_BUT_MARK = ORCHESTRATOR_STORED | ORCHESTRATOR_RECORDED | ORCHESTRATOR_ANNOUNCED };

static void worker_comes(struct scene *scene, const char *worker)
{
	tell(scene, (struct orchestrator_event){.type = ORCHESTRATOR_WORKER_UP});
	tell(scene, (struct orchestrator_event){.type = ORCHESTRATOR_INVENTORY_END,
						.worker = named(worker)});
}

static void worker_goes(struct scene *scene)
{
	tell(scene, (struct orchestrator_event){.type = ORCHESTRATOR_WORKER_DOWN});
}

static void run(struct scene *scene, const char *operation, const char *project)
{
	assert_int_equal(admit(scene, operation, project), ORCHESTRATOR_RESERVED);
	open_gates(scene, operation, ORCHESTRATOR_GATES);
}

/* ---- */

static void test_runs_when_the_last_gate_opens(void **state)
{
	(void)state;
	const unsigned orders_of_opening[][3] = {
	    {ORCHESTRATOR_STORED | ORCHESTRATOR_MARKED, ORCHESTRATOR_RECORDED,
	     ORCHESTRATOR_ANNOUNCED},
	    {ORCHESTRATOR_RECORDED, ORCHESTRATOR_STORED | ORCHESTRATOR_MARKED,
	     ORCHESTRATOR_ANNOUNCED},
	    {ORCHESTRATOR_STORED | ORCHESTRATOR_MARKED, ORCHESTRATOR_ANNOUNCED,
	     ORCHESTRATOR_RECORDED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(orders_of_opening); i++) {
		struct scene scene = begin();
		worker_comes(&scene, "w1");
		assert_int_equal(admit(&scene, "a", "P"), ORCHESTRATOR_RESERVED);
		open_gates(&scene, "a", orders_of_opening[i][0]);
		EXPECT(&scene, "");
		open_gates(&scene, "a", orders_of_opening[i][1]);
		EXPECT(&scene, "");
		open_gates(&scene, "a", orders_of_opening[i][2]);
		EXPECT(&scene, "run a");
		about(&scene, ORCHESTRATOR_FINISHED, "a");
		EXPECT(&scene, "end a finished");
		about(&scene, ORCHESTRATOR_FINISHED, "a");
		EXPECT(&scene, "");
		about(&scene, ORCHESTRATOR_ENDED, "a");
		EXPECT(&scene, "forget a");
		end(&scene);
	}
}

static void test_waits_for_a_worker(void **state)
{
	(void)state;
	struct scene scene = begin();
	assert_int_equal(admit(&scene, "a", "P"), ORCHESTRATOR_ACCEPTED);
	open_gates(&scene, "a", ALL_BUT_MARK);
	EXPECT(&scene, "");
	worker_comes(&scene, "w1");
	EXPECT(&scene, "mark a");
	open_gates(&scene, "a", ORCHESTRATOR_MARKED);
	EXPECT(&scene, "run a");
	end(&scene);
}

static void test_workspaces_take_turns(void **state)
{
	(void)state;
	struct scene scene = begin();
	const char *const greedy[] = {"a1", "a2", "a3"};
	for (size_t i = 0; i < ARRAY_SIZE(greedy); i++) {
		admit(&scene, greedy[i], i == 1 ? "A2" : "A1");
		open_gates(&scene, greedy[i], ALL_BUT_MARK);
	}
	admit(&scene, "b1", "B1");
	open_gates(&scene, "b1", ALL_BUT_MARK);
	worker_comes(&scene, "w1");
	EXPECT(&scene, "mark a1, mark b1, mark a2, mark a3");
	end(&scene);
}

static void test_limits_of_project_workspace_and_all(void **state)
{
	(void)state;
	struct scene scene = begin();
	worker_comes(&scene, "w1");
	run(&scene, "a", "P1");
	run(&scene, "b", "P1");
	assert_int_equal(admit(&scene, "c", "P1"), ORCHESTRATOR_ACCEPTED); /* two of a project */
	open_gates(&scene, "c", ALL_BUT_MARK);
	run(&scene, "d", "P2");
	assert_int_equal(admit(&scene, "e", "P3"),
			 ORCHESTRATOR_ACCEPTED); /* three of a workspace */
	open_gates(&scene, "e", ALL_BUT_MARK);
	run(&scene, "f", "Q1");
	assert_int_equal(admit(&scene, "g", "R1"), ORCHESTRATOR_ACCEPTED); /* four in all */
	open_gates(&scene, "g", ALL_BUT_MARK);
	about(&scene, ORCHESTRATOR_FINISHED, "f");
	EXPECT(&scene, "end f finished, mark g");
	about(&scene, ORCHESTRATOR_FINISHED, "a");
	EXPECT(&scene, "end a finished, mark c");
	end(&scene);
}

static void test_queue_has_an_end(void **state)
{
	(void)state;
	struct scene scene = begin();
	assert_int_equal(admit(&scene, "a", "P"), ORCHESTRATOR_ACCEPTED);
	assert_int_equal(admit(&scene, "b", "P"), ORCHESTRATOR_ACCEPTED);
	assert_int_equal(admit(&scene, "c", "P"), ORCHESTRATOR_ACCEPTED);
	assert_int_equal(admit(&scene, "d", "P"), ORCHESTRATOR_FULL);
	assert_int_equal(admit(&scene, "e", "Q"), ORCHESTRATOR_ACCEPTED);
	about(&scene, ORCHESTRATOR_WITHDRAW, "a");
	assert_int_equal(admit(&scene, "f", "P"), ORCHESTRATOR_ACCEPTED);
	end(&scene);
}

static void test_cancel_in_every_state(void **state)
{
	(void)state;
	struct scene scene = begin();
	admit(&scene, "a", "P"); /* not even stored */
	about(&scene, ORCHESTRATOR_CANCEL, "a");
	EXPECT(&scene, "");
	open_gates(&scene, "a", ORCHESTRATOR_STORED);
	EXPECT(&scene, "end a cancelled");
	assert_int_equal(about(&scene, ORCHESTRATOR_CANCEL, "a"), ORCHESTRATOR_UNKNOWN_OPERATION);
	about(&scene, ORCHESTRATOR_ENDED, "a");
	EXPECT(&scene, ""); /* the worker never had it */

	admit(&scene, "b", "P"); /* waiting */
	open_gates(&scene, "b", ALL_BUT_MARK);
	about(&scene, ORCHESTRATOR_CANCEL, "b");
	EXPECT(&scene, "end b cancelled");

	worker_comes(&scene, "w1");
	run(&scene, "c", "P"); /* running */
	about(&scene, ORCHESTRATOR_CANCEL, "c");
	EXPECT(&scene, "cancel c cancelled");
	about(&scene, ORCHESTRATOR_CANCEL, "c");
	EXPECT(&scene, "");
	about(&scene, ORCHESTRATOR_FINISHED, "c");
	EXPECT(&scene, "end c finished");

	run(&scene, "d", "P"); /* while the worker is away: told when it is back */
	worker_goes(&scene);
	about(&scene, ORCHESTRATOR_CANCEL, "d");
	EXPECT(&scene, "");
	tell(&scene, (struct orchestrator_event){.type = ORCHESTRATOR_WORKER_UP});
	about(&scene, ORCHESTRATOR_HOLDING, "d");
	EXPECT(&scene, "cancel d cancelled");
	end(&scene);
}

static void test_timeout(void **state)
{
	(void)state;
	struct scene scene = begin();
	worker_comes(&scene, "w1");
	run(&scene, "a", "P");
	assert_int_equal(orchestrator_next_tick(scene.engine), 1000);
	scene.now_ms = 400;
	about(&scene, ORCHESTRATOR_STARTED, "a");
	scene.now_ms = 1399;
	tell(&scene, (struct orchestrator_event){.type = ORCHESTRATOR_TICK});
	EXPECT(&scene, "");
	assert_int_equal(orchestrator_next_tick(scene.engine), 1400);
	scene.now_ms = 1400;
	tell(&scene, (struct orchestrator_event){.type = ORCHESTRATOR_TICK});
	EXPECT(&scene, "cancel a timeout");
	assert_true(orchestrator_next_tick(scene.engine) == UINT64_MAX);
	end(&scene);
}

static void test_link_lost_while_running(void **state)
{
	(void)state;
	struct scene scene = begin();
	worker_comes(&scene, "w1");
	run(&scene, "held", "P");
	run(&scene, "lost", "P");
	worker_goes(&scene);
	tell(&scene, (struct orchestrator_event){.type = ORCHESTRATOR_WORKER_UP});
	about(&scene, ORCHESTRATOR_HOLDING, "held");
	tell(&scene, (struct orchestrator_event){.type = ORCHESTRATOR_INVENTORY_END,
						 .worker = named("w1")});
	EXPECT(&scene, "run lost"); /* the same process: it never arrived there */
	worker_goes(&scene);
	worker_comes(&scene, "w2");
	assert_non_null(strstr(scene.transcript, "end held worker_lost"));
	assert_non_null(strstr(scene.transcript, "end lost worker_lost"));
	end(&scene);
}

static void test_a_body_that_is_gone_cannot_run_later(void **state)
{
	(void)state;
	struct scene scene = begin();
	worker_comes(&scene, "w1");
	struct orchestrator_event upload = {.type = ORCHESTRATOR_ADMIT,
					    .operation = named("a"),
					    .workspace = named("P"),
					    .project = named("P1"),
					    .ephemeral = true};
	assert_int_equal(tell(&scene, upload), ORCHESTRATOR_RESERVED);
	open_gates(&scene, "a", ORCHESTRATOR_GATES);
	worker_goes(&scene);
	worker_comes(&scene, "w1");
	EXPECT(&scene, "end a worker_lost");
	upload.type = ORCHESTRATOR_RESTORE;
	upload.operation = named("b");
	tell(&scene, upload);
	EXPECT(&scene, "end b worker_lost");
	end(&scene);
}

static void restore(struct scene *scene, const char *operation, const char *worker, unsigned gates)
{
	tell(scene, (struct orchestrator_event){.type = ORCHESTRATOR_RESTORE,
						.operation = named(operation),
						.workspace = named("P"),
						.project = named("P1"),
						.worker = named(worker),
						.gates = gates,
						.timeout_ms = 1000});
}

static void test_after_a_restart_of_control(void **state)
{
	(void)state;
	struct scene scene = begin();
	restore(&scene, "waiting", "", ORCHESTRATOR_STORED);
	restore(&scene, "sent", "w1", ORCHESTRATOR_STORED);
	restore(&scene, "unsent", "w1", ORCHESTRATOR_STORED);
	open_gates(&scene, "waiting", ORCHESTRATOR_RECORDED | ORCHESTRATOR_ANNOUNCED);
	EXPECT(&scene, "");
	tell(&scene, (struct orchestrator_event){.type = ORCHESTRATOR_WORKER_UP});
	tell(&scene, (struct orchestrator_event){.type = ORCHESTRATOR_HOLDING,
						 .operation = named("sent"),
						 .running_ms = 900});
	tell(&scene, (struct orchestrator_event){.type = ORCHESTRATOR_INVENTORY_END,
						 .worker = named("w1")});
	EXPECT(&scene, "mark waiting");
	assert_int_equal(orchestrator_next_tick(scene.engine), 100);
	about(&scene, ORCHESTRATOR_FINISHED, "sent");
	open_gates(&scene, "unsent", ORCHESTRATOR_RECORDED | ORCHESTRATOR_ANNOUNCED);
	EXPECT(&scene, "run unsent"); /* marked for this very process already */
	about(&scene, ORCHESTRATOR_HOLDING, "stranger");
	EXPECT(&scene, "cancel stranger cancelled");
	about(&scene, ORCHESTRATOR_FINISHED, "stranger");
	EXPECT(&scene, "forget stranger");
	end(&scene);
}

static void test_what_cannot_be_recorded_does_not_run(void **state)
{
	(void)state;
	struct scene scene = begin();
	worker_comes(&scene, "w1");
	admit(&scene, "a", "P");
	open_gates(&scene, "a", ORCHESTRATOR_STORED | ORCHESTRATOR_MARKED);
	about(&scene, ORCHESTRATOR_DENY, "a");
	EXPECT(&scene, "end a internal");
	open_gates(&scene, "a", ORCHESTRATOR_ANNOUNCED | ORCHESTRATOR_RECORDED);
	EXPECT(&scene, "");
	end(&scene);
}

static void test_a_project_that_is_deleted(void **state)
{
	(void)state;
	struct scene scene = begin();
	worker_comes(&scene, "w1");
	run(&scene, "a", "P1");
	run(&scene, "b", "P2");
	tell(&scene, (struct orchestrator_event){.type = ORCHESTRATOR_CANCEL_PROJECT,
						 .project = named("P1")});
	EXPECT(&scene, "cancel a cancelled");
	end(&scene);
}

static void test_nothing_starts_after_stop(void **state)
{
	(void)state;
	struct scene scene = begin();
	worker_comes(&scene, "w1");
	admit(&scene, "a", "P");
	tell(&scene, (struct orchestrator_event){.type = ORCHESTRATOR_STOP});
	open_gates(&scene, "a", ORCHESTRATOR_GATES);
	EXPECT(&scene, "");
	assert_int_equal(admit(&scene, "b", "P"), ORCHESTRATOR_ACCEPTED);
	end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_runs_when_the_last_gate_opens),
	    cmocka_unit_test(test_waits_for_a_worker),
	    cmocka_unit_test(test_workspaces_take_turns),
	    cmocka_unit_test(test_limits_of_project_workspace_and_all),
	    cmocka_unit_test(test_queue_has_an_end),
	    cmocka_unit_test(test_cancel_in_every_state),
	    cmocka_unit_test(test_timeout),
	    cmocka_unit_test(test_link_lost_while_running),
	    cmocka_unit_test(test_a_body_that_is_gone_cannot_run_later),
	    cmocka_unit_test(test_after_a_restart_of_control),
	    cmocka_unit_test(test_what_cannot_be_recorded_does_not_run),
	    cmocka_unit_test(test_a_project_that_is_deleted),
	    cmocka_unit_test(test_nothing_starts_after_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
