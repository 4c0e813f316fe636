/* Thousands of schedules in which control, the worker and the link between them die at any moment.
 * Beside the engine stand models of what is durable (the store), of the worker, and of the messages
 * between them, which a broken link loses or, when the worker reads them late, still delivers.
 * Whatever happens: no operation is executed twice, each ends exactly once, and none that was
 * acknowledged is forgotten. */
#include "base/unit_test.h"
#include "engine/orchestrator/orchestrator.h"

#include <stdlib.h>
#include <string.h>

enum { OPERATIONS = 12, STEPS = 400, SCHEDULES = 3000, PIPE = 64 };

struct row { /* durable */
	bool stored, over, ephemeral;
	struct uuid mark;
};

struct holding { /* in the worker's memory */
	bool held, finished;
};

struct world {
	uint64_t seed;
	struct orchestrator *engine;
	struct orchestrator_orders orders;
	struct row rows[OPERATIONS];
	bool admitted[OPERATIONS]; /* in this life of control */
	bool reserved[OPERATIONS];
	unsigned gates[OPERATIONS];
	bool ending[OPERATIONS];
	bool marking[OPERATIONS];
	struct uuid mark_wanted[OPERATIONS];
	struct holding worker[OPERATIONS];
	struct uuid worker_number;
	bool link;
	int runs_under_way[PIPE]; /* RUN messages that the worker has not read */
	size_t n_runs;
	int executed[OPERATIONS], ended[OPERATIONS];
};

static uint64_t roll(struct world *world, uint64_t sides)
{
	world->seed ^= world->seed << 13;
	world->seed ^= world->seed >> 7;
	world->seed ^= world->seed << 17;
	return world->seed % sides;
}

static struct uuid number(uint64_t n)
{
	struct uuid id = {{0}};
	memcpy(id.b, &n, sizeof(n));
	return id;
}

static int index_of(struct uuid id)
{
	uint64_t n;
	memcpy(&n, id.b, sizeof(n));
	return (int)n - 1;
}

static struct orchestrator_event event_of(enum orchestrator_event_type type, int i)
{
	return (struct orchestrator_event){.type = type,
					   .operation = number((uint64_t)i + 1),
					   .workspace = number((uint64_t)(i % 2) + 100),
					   .project = number((uint64_t)(i % 4) + 200)};
}

static void carry_out(struct world *world, const struct orchestrator_order *order)
{
	int i = index_of(order->operation);
	switch (order->type) {
	case ORCHESTRATOR_ORDER_MARK:
		world->marking[i] = true;
		world->mark_wanted[i] = order->worker;
		break;
	case ORCHESTRATOR_ORDER_RUN:
		assert_true(world->link);
		assert_true(world->rows[i].stored && !world->rows[i].over);
		assert_true(uuid_equal(world->rows[i].mark, order->worker));
		assert_int_equal(world->gates[i] & ORCHESTRATOR_RECORDED, ORCHESTRATOR_RECORDED);
		assert_true(world->n_runs < PIPE);
		world->runs_under_way[world->n_runs++] = i;
		break;
	case ORCHESTRATOR_ORDER_CANCEL:
		if (world->worker[i].held)
			world->worker[i].finished = true;
		break;
	case ORCHESTRATOR_ORDER_END:
		assert_false(world->ending[i]);
		world->ending[i] = true;
		break;
	case ORCHESTRATOR_ORDER_FORGET:
		assert_true(world->rows[i].over);
		world->worker[i] = (struct holding){0};
		break;
	}
}

static int tell(struct world *world, struct orchestrator_event event)
{
	world->orders.count = 0;
	int verdict = orchestrator_step(world->engine, &event, &world->orders);
	assert_true(verdict >= 0);
	for (size_t i = 0; i < world->orders.count; i++)
		carry_out(world, &world->orders.items[i]);
	return verdict;
}

/* ---- what can happen ---- */

static void arrive(struct world *world, int i)
{
	if (world->rows[i].stored || world->admitted[i])
		return;
	struct orchestrator_event event = event_of(ORCHESTRATOR_ADMIT, i);
	event.ephemeral = world->rows[i].ephemeral = i % 5 == 0;
	int verdict = tell(world, event);
	if (verdict == ORCHESTRATOR_FULL)
		return;
	world->admitted[i] = true;
	world->reserved[i] = verdict == ORCHESTRATOR_RESERVED;
	world->mark_wanted[i] = orchestrator_worker(world->engine);
}

static void open_gate(struct world *world, int i, unsigned gates)
{
	struct orchestrator_event event = event_of(ORCHESTRATOR_OPEN_GATE, i);
	event.gates = gates;
	world->gates[i] |= gates;
	tell(world, event);
}

static void store_row(struct world *world, int i)
{
	if (!world->admitted[i] || world->rows[i].stored)
		return;
	world->rows[i].stored = true;
	if (world->reserved[i])
		world->rows[i].mark = world->mark_wanted[i];
	open_gate(world, i, ORCHESTRATOR_STORED | (world->reserved[i] ? ORCHESTRATOR_MARKED : 0u));
}

static void store_mark(struct world *world, int i)
{
	if (!world->marking[i])
		return;
	world->marking[i] = false;
	world->rows[i].mark = world->mark_wanted[i];
	open_gate(world, i, ORCHESTRATOR_MARKED);
}

static void store_end(struct world *world, int i)
{
	if (!world->ending[i])
		return;
	world->ending[i] = false;
	world->rows[i].over = true;
	world->ended[i]++;
	tell(world, event_of(ORCHESTRATOR_ENDED, i));
}

static void record_or_announce(struct world *world, int i)
{
	unsigned gate = roll(world, 2) ? ORCHESTRATOR_RECORDED : ORCHESTRATOR_ANNOUNCED;
	bool announced_early = gate == ORCHESTRATOR_ANNOUNCED && !world->rows[i].stored;
	if (world->admitted[i] && !announced_early && !(world->gates[i] & gate))
		open_gate(world, i, gate);
}

/* A RUN for what is held is a repeat. */
static void worker_reads(struct world *world)
{
	if (world->n_runs == 0)
		return;
	int i = world->runs_under_way[0];
	memmove(world->runs_under_way, world->runs_under_way + 1, --world->n_runs * sizeof(int));
	if (world->worker[i].held)
		return;
	world->worker[i].held = true;
	world->executed[i]++;
}

static void worker_finishes(struct world *world, int i)
{
	if (!world->worker[i].held || !world->link)
		return;
	world->worker[i].finished = true;
	tell(world, event_of(ORCHESTRATOR_FINISHED, i));
}

static void link_breaks(struct world *world)
{
	if (!world->link)
		return;
	world->link = false;
	tell(world, (struct orchestrator_event){.type = ORCHESTRATOR_WORKER_DOWN});
}

/* The worker first reads what came through the old channel, or that is lost with it. */
static void link_comes(struct world *world)
{
	if (world->link)
		return;
	while (world->n_runs > 0 && roll(world, 2))
		worker_reads(world);
	world->n_runs = 0;
	world->link = true;
	tell(world, (struct orchestrator_event){.type = ORCHESTRATOR_WORKER_UP});
	bool held[OPERATIONS], finished[OPERATIONS];
	for (int i = 0; i < OPERATIONS; i++) {
		held[i] = world->worker[i].held;
		finished[i] = world->worker[i].finished;
		if (held[i])
			tell(world, event_of(ORCHESTRATOR_HOLDING, i));
	}
	tell(world, (struct orchestrator_event){.type = ORCHESTRATOR_INVENTORY_END,
						.worker = world->worker_number});
	for (int i = 0; i < OPERATIONS; i++)
		if (held[i] && finished[i])
			tell(world, event_of(ORCHESTRATOR_FINISHED, i));
}

static void worker_dies(struct world *world)
{
	link_breaks(world);
	world->n_runs = 0;
	memset(world->worker, 0, sizeof(world->worker));
	world->worker_number = number(1000 + roll(world, UINT64_MAX / 2));
}

static void start_control(struct world *world)
{
	struct orchestrator_limits limits = {4, 3, 2, 5};
	assert_int_equal(orchestrator_new(&limits, &world->engine), 0);
	for (int i = 0; i < OPERATIONS; i++) {
		const struct row *row = &world->rows[i];
		if (!row->stored || row->over)
			continue;
		struct orchestrator_event event = event_of(ORCHESTRATOR_RESTORE, i);
		event.worker = row->mark;
		event.ephemeral = row->ephemeral;
		world->admitted[i] = true;
		tell(world, event);
	}
}

/* What was not durable is gone. */
static void control_dies(struct world *world)
{
	world->link = false;
	orchestrator_free(world->engine);
	memset(world->admitted, 0, sizeof(world->admitted));
	memset(world->reserved, 0, sizeof(world->reserved));
	memset(world->gates, 0, sizeof(world->gates));
	memset(world->ending, 0, sizeof(world->ending));
	memset(world->marking, 0, sizeof(world->marking));
	start_control(world);
}

static void cancel(struct world *world, int i)
{
	struct orchestrator_event event = event_of(ORCHESTRATOR_CANCEL, i);
	event.outcome = OUTCOME_CANCELLED;
	tell(world, event);
}

static void something_happens(struct world *world, bool calm)
{
	int i = (int)roll(world, OPERATIONS);
	uint64_t what = roll(world, 100);
	if (what < 15)
		arrive(world, i);
	else if (what < 35)
		store_row(world, i);
	else if (what < 50)
		record_or_announce(world, i);
	else if (what < 58)
		store_mark(world, i);
	else if (what < 66)
		store_end(world, i);
	else if (what < 76)
		worker_reads(world);
	else if (what < 84)
		worker_finishes(world, i);
	else if (what < 90)
		link_comes(world);
	else if (calm)
		return;
	else if (what < 93)
		link_breaks(world);
	else if (what < 95)
		worker_dies(world);
	else if (what < 97)
		control_dies(world);
	else
		cancel(world, i);
}

static bool all_is_over(const struct world *world)
{
	for (int i = 0; i < OPERATIONS; i++)
		if ((world->rows[i].stored || world->admitted[i]) && !world->rows[i].over)
			return false;
	return true;
}

static void check(const struct world *world)
{
	for (int i = 0; i < OPERATIONS; i++) {
		assert_true(world->executed[i] <= 1);
		assert_true(world->ended[i] <= 1);
		if (world->rows[i].stored)
			assert_int_equal(world->ended[i], 1);
	}
}

static void run_schedule(uint64_t seed)
{
	struct world world = {.seed = seed * 0x9e3779b97f4a7c15u + 1, .worker_number = number(999)};
	start_control(&world);
	for (int step = 0; step < STEPS; step++)
		something_happens(&world, false);
	for (int step = 0; step < 100 * STEPS && !all_is_over(&world); step++)
		something_happens(&world, true);
	assert_true(all_is_over(&world));
	check(&world);
	orchestrator_free(world.engine);
	orchestrator_orders_free(&world.orders);
}

static void test_crashes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SCHEDULES; seed++)
		run_schedule(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_crashes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
