/* Readers against a log made up by chance: whatever the schedule, each is handed every event of its
 * filter once and in order, no more than it has credit for, and is told the end exactly when there
 * is nothing behind. */
#include "engine/stream/readers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { EVENTS = 400, READERS = 24, GATEWAYS = 3, SUBJECTS = 5, ROUNDS = 2000, COST = 10 };

struct event {
	uint64_t subject;
	uint8_t type;
};

struct model {
	uint64_t position; /* the next that the reader has to be handed */
	int64_t credit;
	bool open;
	bool told_end;
	struct reader_filter filter;
};

struct world {
	struct readers readers;
	struct event log[EVENTS];
	uint64_t end;
	struct model models[READERS];
	bool blocked[GATEWAYS];
	uint64_t random;
};

static uint64_t draw(struct world *world, uint64_t below)
{
	world->random = world->random * 6364136223846793005u + 1442695040888963407u;
	return (world->random >> 33) % below;
}

static struct reader_name name_of(size_t i)
{
	return (struct reader_name){(uint16_t)(i % GATEWAYS), i};
}

static bool matches(const struct reader_filter *filter, const struct event *event)
{
	return event->subject == filter->subject &&
	       (!filter->types || filter->types & 1u << event->type);
}

static uint64_t next_match(const struct world *world, const struct reader_filter *filter,
			   uint64_t from)
{
	while (from < world->end && !matches(filter, &world->log[from]))
		from++;
	return from;
}

static void append(struct world *world)
{
	if (world->end == EVENTS)
		return;
	struct event *event = &world->log[world->end];
	*event = (struct event){draw(world, SUBJECTS), (uint8_t)draw(world, EVENT_TYPES)};
	uint64_t position = world->end++;
	readers_published(&world->readers, &event->subject, 1, position);
}

static void open_one(struct world *world, size_t i)
{
	struct model *model = &world->models[i];
	if (model->open)
		return;
	*model = (struct model){.position = draw(world, world->end + 1), .open = true};
	model->filter.subject = draw(world, SUBJECTS);
	model->filter.types = draw(world, 2) ? 0 : 1u << draw(world, EVENT_TYPES);
	struct reader_request request = {
	    .name = name_of(i),
	    .filter = &model->filter,
	    .position = model->position,
	    .blocked = world->blocked[i % GATEWAYS],
	};
	assert_int_equal(readers_open(&world->readers, &request), 0);
	assert_int_equal(readers_open(&world->readers, &request), READERS_EXISTS);
}

/* One reader of the turn is handed the events from `from` up to `to`. */
static void expect_handed(struct world *world, size_t i, uint64_t from, uint64_t to, bool at_end)
{
	struct model *model = &world->models[i];
	assert_true(model->open && model->credit > 0);
	assert_false(world->blocked[i % GATEWAYS]);
	/* Nothing that it wants lies between where it was and where the turn begins, so nothing is
	 * left out. */
	assert_true(next_match(world, &model->filter, model->position) >= from);
	for (uint64_t at = from; at < to; at++) {
		if (!matches(&model->filter, &world->log[at]))
			continue;
		assert_true(model->credit > 0);
		model->credit -= COST;
	}
	assert_true(to >= model->position);
	model->position = to;
	model->told_end = at_end;
	if (at_end)
		assert_true(next_match(world, &model->filter, to) == world->end);
}

static void take_turn(struct world *world)
{
	struct readers_turn turn;
	if (!readers_next(&world->readers, &turn))
		return;
	struct reader_filter filter = *turn.filter;
	assert_true(turn.count > 0 && turn.credit > 0);
	uint64_t to = turn.position, cost = 0, most = 1 + draw(world, 20);
	for (; to < world->end && most > 0 && (int64_t)cost < turn.credit; to++, most--)
		cost += matches(&filter, &world->log[to]) ? COST : 0;
	bool at_end = next_match(world, &filter, to) == world->end;
	if (at_end)
		to = world->end;
	for (size_t i = 0; i < turn.count; i++)
		expect_handed(world, readers_turn_name(&world->readers, i).number, turn.position,
			      to, at_end);
	struct readers_progress progress = {to, cost, at_end};
	readers_advance(&world->readers, &turn, &progress);
}

static void grant(struct world *world, size_t i, uint32_t bytes)
{
	if (world->models[i].open)
		world->models[i].credit += bytes;
	readers_credit(&world->readers, name_of(i), bytes);
}

static void close_one(struct world *world, size_t i)
{
	world->models[i].open = false;
	readers_close(&world->readers, name_of(i));
}

static void lose_gateway(struct world *world, size_t gateway)
{
	for (size_t i = gateway; i < READERS; i += GATEWAYS)
		world->models[i].open = false;
	readers_drop_gateway(&world->readers, (uint16_t)gateway);
}

static void step(struct world *world)
{
	size_t i = draw(world, READERS), gateway = draw(world, GATEWAYS);
	switch (draw(world, 40)) {
	case 0:
		close_one(world, i);
		break;
	case 1:
		if (draw(world, 10) == 0)
			lose_gateway(world, gateway);
		break;
	case 2:
		world->blocked[gateway] = !world->blocked[gateway];
		readers_block(&world->readers, (uint16_t)gateway, world->blocked[gateway]);
		break;
	case 3 ... 6:
		open_one(world, i);
		break;
	case 7 ... 14:
		grant(world, i, (uint32_t)draw(world, 60));
		break;
	case 15 ... 22:
		append(world);
		break;
	default:
		take_turn(world);
	}
}

/* With credit for all and no gateway blocked everyone comes to the end and is told so. */
static void run_out(struct world *world)
{
	for (size_t gateway = 0; gateway < GATEWAYS; gateway++) {
		world->blocked[gateway] = false;
		readers_block(&world->readers, (uint16_t)gateway, false);
	}
	for (size_t i = 0; i < READERS; i++)
		grant(world, i, EVENTS * COST + 1000);
	struct readers_turn turn;
	for (int left = EVENTS * READERS; left > 0; left--)
		take_turn(world);
	assert_false(readers_next(&world->readers, &turn));
	for (size_t i = 0; i < READERS; i++) {
		const struct model *model = &world->models[i];
		assert_true(!model->open || model->told_end);
		assert_true(!model->open ||
			    next_match(world, &model->filter, model->position) == world->end);
	}
}

static void every_schedule_hands_out_all_once(void **state ATTR_UNUSED)
{
	static struct world world;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		memset(&world, 0, sizeof(world));
		world.random = seed;
		readers_init(&world.readers, READERS);
		for (int i = 0; i < ROUNDS; i++)
			step(&world);
		run_out(&world);
		readers_free(&world.readers);
	}
}

static struct reader_request request_of(const struct reader_filter *filter, uint64_t number)
{
	return (struct reader_request){.name = {0, number}, .filter = filter};
}

static void readers_at_the_tail_share_a_turn(void **state ATTR_UNUSED)
{
	struct readers readers;
	struct reader_filter filter = {.subject = 7};
	struct readers_turn turn;
	readers_init(&readers, 1000);
	for (uint64_t i = 0; i < 1000; i++) {
		struct reader_request request = request_of(&filter, i);
		request.position = i; /* nothing of theirs is behind any of these */
		assert_int_equal(readers_open(&readers, &request), 0);
		readers_credit(&readers, request.name, 1000);
	}
	struct readers_progress end = {1000, 0, true};
	while (readers_next(&readers, &turn))
		readers_advance(&readers, &turn, &end);
	uint64_t subject = 7;
	readers_published(&readers, &subject, 1, 1000);
	readers_published(&readers, &subject, 1, 1001);
	assert_true(readers_next(&readers, &turn));
	assert_int_equal(turn.count, 1000);
	assert_int_equal(turn.position, 1000);
	readers_end(&readers, &turn);
	assert_int_equal(readers_count(&readers), 0);
	readers_free(&readers);
}

static void feeds_take_turns(void **state ATTR_UNUSED)
{
	struct readers readers;
	readers_init(&readers, 10);
	for (uint64_t i = 0; i < 3; i++) {
		struct reader_filter filter = {.subject = i};
		struct reader_request request = request_of(&filter, i);
		assert_int_equal(readers_open(&readers, &request), 0);
		readers_credit(&readers, request.name, 1000);
	}
	for (uint64_t i = 0; i < 9; i++) {
		struct readers_turn turn;
		assert_true(readers_next(&readers, &turn));
		assert_int_equal(turn.filter->subject, i % 3);
		struct readers_progress progress = {turn.position + 1, 1, false};
		readers_advance(&readers, &turn, &progress);
	}
	readers_free(&readers);
}

static void the_number_of_readers_is_limited(void **state ATTR_UNUSED)
{
	struct readers readers;
	struct reader_filter filter = {.subject = 1};
	readers_init(&readers, 2);
	for (uint64_t i = 0; i < 3; i++) {
		struct reader_request request = request_of(&filter, i);
		assert_int_equal(readers_open(&readers, &request), i < 2 ? 0 : READERS_TOO_MANY);
	}
	readers_free(&readers);
}

static void count_withdrawn(void *owner, struct reader_name name)
{
	*(uint64_t *)owner += 1u << name.number;
}

static void the_right_to_read_is_withdrawn(void **state ATTR_UNUSED)
{
	struct readers readers;
	uint64_t told = 0;
	readers_init(&readers, 10);
	for (uint64_t i = 0; i < 6; i++) {
		struct reader_filter filter = {.subject = i % 2, .project = {{(uint8_t)(i % 2)}}};
		struct reader_request request = request_of(&filter, i);
		request.key.b[0] = (uint8_t)(i % 3);
		assert_int_equal(readers_open(&readers, &request), 0);
	}
	readers_withdraw(&readers, (struct uuid){{2}}, (struct uuid){{0}}, count_withdrawn, &told);
	assert_int_equal(told, 1 << 2 | 1 << 5);
	told = 0;
	readers_withdraw(&readers, (struct uuid){{0}}, (struct uuid){{1}}, count_withdrawn, &told);
	assert_int_equal(told, 1 << 1 | 1 << 3);
	assert_int_equal(readers_count(&readers), 2);
	readers_free(&readers);
}

static void filters_compare_what_they_name(void **state ATTR_UNUSED)
{
	struct reader_filter filter = {.scope = READER_CORRELATION,
				       .types = 1u << EVENT_CHUNK,
				       .workspace = {{1}},
				       .name = "ab",
				       .name_size = 2};
	struct event_record record = {.type = EVENT_CHUNK,
				      .workspace = {{1}},
				      .project = {{2}},
				      .operation = {{3}},
				      .correlation = TEXT("ab")};
	assert_true(reader_filter_matches(&filter, &record));
	record.correlation = TEXT("abc");
	assert_false(reader_filter_matches(&filter, &record));
	filter.scope = READER_OPERATION;
	filter.project = record.project;
	filter.operation = record.operation;
	assert_true(reader_filter_matches(&filter, &record));
	record.type = EVENT_QUEUED;
	assert_false(reader_filter_matches(&filter, &record));
	filter.types = 0;
	assert_true(reader_filter_matches(&filter, &record));
	record.workspace.b[0] = 9;
	assert_false(reader_filter_matches(&filter, &record));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_schedule_hands_out_all_once),
	    cmocka_unit_test(readers_at_the_tail_share_a_turn),
	    cmocka_unit_test(feeds_take_turns),
	    cmocka_unit_test(the_number_of_readers_is_limited),
	    cmocka_unit_test(the_right_to_read_is_withdrawn),
	    cmocka_unit_test(filters_compare_what_they_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
