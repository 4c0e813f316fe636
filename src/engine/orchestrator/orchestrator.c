#include "engine/orchestrator/orchestrator.h"

#include "base/error.h"
#include "engine/orchestrator/record.h"

#include <errno.h>
#include <stdlib.h>

enum link_state { LINK_DOWN, LINK_INVENTORY, LINK_UP };

enum { GATES_TO_QUEUE = ORCHESTRATOR_STORED | ORCHESTRATOR_RECORDED | ORCHESTRATOR_ANNOUNCED };

struct orchestrator {
	struct orchestrator_limits limits;
	struct record_table table;
	enum link_state link;
	struct uuid worker; /* the process at the other end, once LINK_UP */
	uint64_t next_tick_ms;
	bool stopped;
};

/* One event at work. */
struct step {
	struct orchestrator *engine;
	struct record_table *table;
	const struct orchestrator_event *event;
	struct orchestrator_orders *orders;
};

enum { ORDERS_PER_RECORD = 2, ORDERS_SPARE = 8 };

/* Room for all that one event can lead to, so that no step fails half done. */
static int reserve_orders(const struct orchestrator *engine, struct orchestrator_orders *orders)
{
	size_t needed =
	    orders->count + ORDERS_PER_RECORD * (engine->table.records.count + 1) + ORDERS_SPARE;
	if (needed <= orders->capacity)
		return 0;
	struct orchestrator_order *items = reallocarray(orders->items, 2 * needed, sizeof(*items));
	if (!items)
		return error_origin(-ENOMEM);
	orders->items = items;
	orders->capacity = 2 * needed;
	return 0;
}

static void order(struct step *step, enum orchestrator_order_type type, const struct record *record)
{
	step->orders->items[step->orders->count++] = (struct orchestrator_order){
	    .type = type,
	    .operation = record->id,
	    .worker = record->worker,
	    .outcome = record->outcome,
	    .finished = record->finished,
	};
}

static bool worker_is_ready(const struct orchestrator *engine)
{
	return engine->link == LINK_UP && !engine->stopped;
}

/* ---- ends ---- */

/* An end cannot be stored before the operation is. */
static void end_when_stored(struct step *step, struct record *record)
{
	if (record->end_ordered || !(record->gates & ORCHESTRATOR_STORED))
		return;
	record->end_ordered = true;
	order(step, ORCHESTRATOR_ORDER_END, record);
}

static void begin_end(struct step *step, struct record *record, enum outcome outcome)
{
	record_set_state(record, RECORD_ENDING);
	record_leave_place(record, step->table);
	record->outcome = outcome;
	record->deadline_ms = UINT64_MAX;
	end_when_stored(step, record);
}

/* ---- starts ---- */

static void set_deadline(struct step *step, struct record *record, uint64_t running_ms)
{
	if (record->timeout_ms == 0)
		return;
	uint64_t left = record->timeout_ms > running_ms ? record->timeout_ms - running_ms : 0;
	record->deadline_ms = step->event->now_ms + left;
	if (record->deadline_ms < step->engine->next_tick_ms)
		step->engine->next_tick_ms = record->deadline_ms;
}

static void wait_again(struct step *step, struct record *record)
{
	record_leave_place(record, step->table);
	record_set_state(record, RECORD_WAITING);
	if ((record->gates & GATES_TO_QUEUE) == GATES_TO_QUEUE)
		record_queue(record, step->table);
}

static void run_when_open(struct step *step, struct record *record)
{
	struct orchestrator *engine = step->engine;
	if (record->gates != ORCHESTRATOR_GATES)
		return;
	if (!worker_is_ready(engine) || !uuid_equal(record->worker, engine->worker)) {
		wait_again(step, record);
		return;
	}
	record_set_state(record, RECORD_RUNNING);
	record->has_run = true;
	set_deadline(step, record, 0);
	order(step, ORCHESTRATOR_ORDER_RUN, record);
}

static void mark(struct step *step, struct record *record)
{
	bool is_marked = (record->gates & ORCHESTRATOR_MARKED) &&
			 uuid_equal(record->worker, step->engine->worker);
	record_set_state(record, RECORD_MARKING);
	record_take_place(record, step->table);
	if (!is_marked) {
		record->gates &= ~(unsigned)ORCHESTRATOR_MARKED;
		record->worker = step->engine->worker;
		order(step, ORCHESTRATOR_ORDER_MARK, record);
	}
	run_when_open(step, record);
}

static void start_what_may(struct step *step)
{
	struct record *record;
	while (worker_is_ready(step->engine) &&
	       (record = record_next(step->table, &step->engine->limits)))
		mark(step, record);
}

/* ---- events about one operation ---- */

static int on_admit(struct step *step)
{
	struct orchestrator *engine = step->engine;
	struct record *record = record_new(step->table, step->event);
	if (!record)
		return error_origin(-ENOMEM);
	if (worker_is_ready(engine) &&
	    record_place_is_free(step->table, &engine->limits, record->project)) {
		record_set_state(record, RECORD_MARKING);
		record_take_place(record, step->table);
		record->worker = engine->worker;
		return ORCHESTRATOR_RESERVED;
	}
	if (record->project->workspace->waiting > engine->limits.waiting_per_workspace) {
		record_free(step->table, record);
		return ORCHESTRATOR_FULL;
	}
	return ORCHESTRATOR_ACCEPTED;
}

static int on_restore(struct step *step)
{
	const struct orchestrator_event *event = step->event;
	struct record *record = record_new(step->table, event);
	if (!record)
		return error_origin(-ENOMEM);
	record->gates = event->gates | ORCHESTRATOR_STORED;
	record->worker = event->worker;
	if (!uuid_is_zero(event->worker)) {
		record->gates |= ORCHESTRATOR_MARKED;
		record_set_state(record, RECORD_UNKNOWN);
		record_take_place(record, step->table);
	} else if (record->ephemeral) {
		begin_end(step, record, OUTCOME_WORKER_LOST);
	} else {
		wait_again(step, record);
	}
	return ORCHESTRATOR_ACCEPTED;
}

static void open_gate(struct step *step, struct record *record)
{
	bool was_queueable = (record->gates & GATES_TO_QUEUE) == GATES_TO_QUEUE;
	record->gates |= step->event->gates;
	bool is_queueable = (record->gates & GATES_TO_QUEUE) == GATES_TO_QUEUE;
	if (record->state == RECORD_ENDING)
		end_when_stored(step, record);
	else if (record->state == RECORD_MARKING)
		run_when_open(step, record);
	else if (record->state == RECORD_WAITING && is_queueable && !was_queueable)
		record_queue(record, step->table);
}

static void withdraw(struct step *step, struct record *record)
{
	record_free(step->table, record);
}

static void cancel(struct step *step, struct record *record, enum outcome outcome)
{
	if (record->cancelled)
		return;
	record->cancelled = true;
	record->outcome = outcome;
	if (record->state == RECORD_RUNNING)
		order(step, ORCHESTRATOR_ORDER_CANCEL, record);
	else if (record->state != RECORD_UNKNOWN)
		begin_end(step, record, outcome);
}

static void deny(struct step *step, struct record *record)
{
	if (record->state == RECORD_WAITING || record->state == RECORD_MARKING)
		begin_end(step, record, OUTCOME_INTERNAL);
}

static void start(struct step *step, struct record *record)
{
	if (record->state == RECORD_RUNNING)
		set_deadline(step, record, 0);
}

static void finish(struct step *step, struct record *record)
{
	if (record->state == RECORD_ENDING)
		return;
	record->has_run = true;
	record->finished = true;
	begin_end(step, record, OUTCOME_COMPLETED);
}

static void forget(struct step *step, struct record *record)
{
	if (record->has_run && step->engine->link != LINK_DOWN)
		order(step, ORCHESTRATOR_ORDER_FORGET, record);
	record_free(step->table, record);
}

static void hold(struct step *step, struct record *record)
{
	if (record->state == RECORD_ENDING)
		return;
	record_set_state(record, RECORD_RUNNING);
	record_take_place(record, step->table);
	record->has_run = true;
	set_deadline(step, record, step->event->running_ms);
	if (record->cancelled)
		order(step, ORCHESTRATOR_ORDER_CANCEL, record);
}

static void cancel_as_asked(struct step *step, struct record *record)
{
	cancel(step, record, step->event->outcome);
}

/* ---- events about the worker and about all ---- */

static int on_worker_up(struct step *step)
{
	step->engine->link = LINK_INVENTORY;
	return ORCHESTRATOR_ACCEPTED;
}

static int on_worker_down(struct step *step)
{
	step->engine->link = LINK_DOWN;
	map_for_each (node, &step->table->records) {
		struct record *record = container_of(node, struct record, node);
		if (record->state == RECORD_RUNNING)
			record_set_state(record, RECORD_UNKNOWN);
	}
	return ORCHESTRATOR_ACCEPTED;
}

/* What the inventory did not name. */
static void resolve_unknown(struct step *step, struct record *record)
{
	bool never_arrived = uuid_equal(record->worker, step->engine->worker);
	if (!never_arrived || record->ephemeral)
		begin_end(step, record, OUTCOME_WORKER_LOST);
	else if (record->cancelled)
		begin_end(step, record, record->outcome);
	else
		wait_again(step, record);
}

static int on_inventory_end(struct step *step)
{
	step->engine->link = LINK_UP;
	step->engine->worker = step->event->worker;
	map_for_each (node, &step->table->records) {
		struct record *record = container_of(node, struct record, node);
		if (record->state == RECORD_UNKNOWN)
			resolve_unknown(step, record);
	}
	return ORCHESTRATOR_ACCEPTED;
}

static int on_cancel_project(struct step *step)
{
	map_for_each (node, &step->table->records) {
		struct record *record = container_of(node, struct record, node);
		if (uuid_equal(record->project->id, step->event->project) &&
		    record->state != RECORD_ENDING)
			cancel(step, record, OUTCOME_CANCELLED);
	}
	return ORCHESTRATOR_ACCEPTED;
}

static int on_tick(struct step *step)
{
	uint64_t next = UINT64_MAX;
	map_for_each (node, &step->table->records) {
		struct record *record = container_of(node, struct record, node);
		if (record->state == RECORD_RUNNING && !record->cancelled &&
		    record->deadline_ms <= step->event->now_ms)
			cancel(step, record, OUTCOME_TIMEOUT);
		else if (!record->cancelled && record->deadline_ms > step->event->now_ms &&
			 record->deadline_ms < next)
			next = record->deadline_ms;
	}
	step->engine->next_tick_ms = next;
	return ORCHESTRATOR_ACCEPTED;
}

static int on_stop(struct step *step)
{
	step->engine->stopped = true;
	return ORCHESTRATOR_ACCEPTED;
}

/* ---- operations that are not known here: over long ago, by now forgotten ---- */

static void order_about_unknown(struct step *step, enum orchestrator_order_type type)
{
	struct record nobody = {.id = step->event->operation, .outcome = OUTCOME_CANCELLED};
	order(step, type, &nobody);
}

static int on_unknown(struct step *step)
{
	if (step->event->type == ORCHESTRATOR_FINISHED)
		order_about_unknown(step, ORCHESTRATOR_ORDER_FORGET);
	else if (step->event->type == ORCHESTRATOR_HOLDING)
		order_about_unknown(step, ORCHESTRATOR_ORDER_CANCEL);
	return ORCHESTRATOR_UNKNOWN_OPERATION;
}

/* ---- */

struct handler {
	int (*whole)(struct step *step);
	void (*one)(struct step *step, struct record *record);
};

static const struct handler handlers[ORCHESTRATOR_EVENTS] = {
    [ORCHESTRATOR_ADMIT] = {.whole = on_admit},
    [ORCHESTRATOR_RESTORE] = {.whole = on_restore},
    [ORCHESTRATOR_OPEN_GATE] = {.one = open_gate},
    [ORCHESTRATOR_WITHDRAW] = {.one = withdraw},
    [ORCHESTRATOR_DENY] = {.one = deny},
    [ORCHESTRATOR_CANCEL] = {.one = cancel_as_asked},
    [ORCHESTRATOR_CANCEL_PROJECT] = {.whole = on_cancel_project},
    [ORCHESTRATOR_WORKER_UP] = {.whole = on_worker_up},
    [ORCHESTRATOR_WORKER_DOWN] = {.whole = on_worker_down},
    [ORCHESTRATOR_HOLDING] = {.one = hold},
    [ORCHESTRATOR_INVENTORY_END] = {.whole = on_inventory_end},
    [ORCHESTRATOR_STARTED] = {.one = start},
    [ORCHESTRATOR_FINISHED] = {.one = finish},
    [ORCHESTRATOR_ENDED] = {.one = forget},
    [ORCHESTRATOR_TICK] = {.whole = on_tick},
    [ORCHESTRATOR_STOP] = {.whole = on_stop},
};

static int handle_one(struct step *step, const struct handler *handler)
{
	struct record *record = record_find(step->table, step->event->operation);
	bool is_over =
	    record && record->state == RECORD_ENDING && step->event->type == ORCHESTRATOR_CANCEL;
	if (!record)
		return on_unknown(step);
	if (is_over)
		return ORCHESTRATOR_UNKNOWN_OPERATION;
	handler->one(step, record);
	return ORCHESTRATOR_ACCEPTED;
}

int orchestrator_step(struct orchestrator *engine, const struct orchestrator_event *event,
		      struct orchestrator_orders *orders)
{
	const struct handler *handler = &handlers[event->type];
	struct step step = {engine, &engine->table, event, orders};
	int r = reserve_orders(engine, orders);
	if (r < 0)
		return error_trace(r);
	int verdict = handler->whole ? handler->whole(&step) : handle_one(&step, handler);
	start_what_may(&step);
	return verdict;
}

/* ---- */

int orchestrator_new(const struct orchestrator_limits *limits, struct orchestrator **out)
{
	struct orchestrator *engine = calloc(1, sizeof(*engine));
	if (!engine)
		return error_origin(-ENOMEM);
	engine->limits = *limits;
	engine->next_tick_ms = UINT64_MAX;
	record_table_init(&engine->table);
	*out = engine;
	return 0;
}

void orchestrator_free(struct orchestrator *engine)
{
	if (!engine)
		return;
	record_table_free(&engine->table);
	free(engine);
}

void orchestrator_orders_free(struct orchestrator_orders *orders)
{
	free(orders->items);
	*orders = (struct orchestrator_orders){0};
}

uint64_t orchestrator_next_tick(const struct orchestrator *engine)
{
	return engine->next_tick_ms;
}

struct uuid orchestrator_worker(const struct orchestrator *engine)
{
	return engine->worker;
}

struct orchestrator_counts orchestrator_count(const struct orchestrator *engine)
{
	uint64_t by_state[RECORD_ENDING + 1] = {0};
	map_for_each (node, &engine->table.records)
		by_state[container_of(node, struct record, node)->state]++;
	return (struct orchestrator_counts){
	    .waiting = by_state[RECORD_WAITING] + by_state[RECORD_MARKING],
	    .running = by_state[RECORD_RUNNING],
	    .ending = by_state[RECORD_ENDING],
	    .unknown = by_state[RECORD_UNKNOWN],
	};
}

uint32_t orchestrator_position(const struct orchestrator *engine, struct uuid workspace)
{
	const struct record_workspace *found = map_object(
	    &engine->table.workspaces, ((struct bytes){workspace.b, sizeof(workspace.b)}),
	    struct record_workspace, node);
	return found ? found->waiting : 0;
}
