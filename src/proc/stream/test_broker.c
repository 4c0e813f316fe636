/* The stream role as its peers see it. */
#include "base/unit_test.h"
#include "port/log/disk_faulty.h"
#include "proc/stream/test_stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { MUCH = 1 << 30, PIECE = 60000 };

static int setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	stage_open(stage);
	*state = stage;
	return 0;
}

static int teardown(void **state)
{
	stage_close(*state);
	free(*state);
	return 0;
}

static struct control_stream_reader_open reader_of(uint8_t scope, uint64_t number)
{
	return (struct control_stream_reader_open){
	    .reader = number,
	    .scope = scope,
	    .workspace = {{1}},
	    .project = {{2}},
	    .operation = {{7, 3}},
	    .name = scope == READER_CORRELATION ? TEXT("corr") : TEXT("chat"),
	};
}

static void run_operation(struct stage *stage, uint8_t operation, uint32_t chunks)
{
	struct event_append event = stage_event(EVENT_QUEUED, operation, 0);
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_APPENDED);
	event = stage_event(EVENT_STARTED, operation, 0);
	assert_int_equal(stage_append_status(stage, &stage->worker, &event), EVENT_APPENDED);
	for (uint32_t i = 1; i <= chunks; i++) {
		event = stage_event(EVENT_CHUNK, operation, i);
		stage_append(&stage->worker, &event);
	}
	stage_settle(stage);
	event = stage_event(EVENT_COMPLETED, operation, 0);
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_APPENDED);
}

static void appends_are_acknowledged_in_order(void **state)
{
	struct stage *stage = *state;
	run_operation(stage, 7, 100);
	assert_int_equal(stage->n_appended, 103);
	for (size_t i = 0; i < stage->n_appended; i++) {
		assert_int_equal(stage->appended[i].status, EVENT_APPENDED);
		assert_int_equal(stage->appended[i].position, i);
	}
	/* A hundred chunks in one turn of the loop are a few commits, not a hundred. */
	assert_true(stage->broker->figures.values[FIGURE_COMMITS] < 20);
}

static void expect_rules(struct stage *stage)
{
	static const struct {
		uint8_t type;
		uint32_t sequence;
		uint8_t status;
	} repeats[] = {
	    {EVENT_QUEUED, 0, EVENT_ALREADY}, {EVENT_STARTED, 0, EVENT_ALREADY},
	    {EVENT_CHUNK, 1, EVENT_ALREADY},  {EVENT_CHUNK, 3, EVENT_ALREADY},
	    {EVENT_CHUNK, 4, EVENT_REFUSED},  {EVENT_COMPLETED, 0, EVENT_ALREADY},
	    {EVENT_FAILED, 0, EVENT_REFUSED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(repeats); i++) {
		struct event_append event = stage_event(repeats[i].type, 7, repeats[i].sequence);
		assert_int_equal(stage_append_status(stage, &stage->worker, &event),
				 repeats[i].status);
	}
	/* Of an operation that control has not announced: it may be about to. */
	struct event_append early = stage_event(EVENT_CHUNK, 99, 1);
	assert_int_equal(stage_append_status(stage, &stage->worker, &early), EVENT_NO_SPACE);
}

static void repeats_are_told_also_after_a_restart(void **state)
{
	struct stage *stage = *state;
	run_operation(stage, 7, 3);
	expect_rules(stage);
	stage_restart(stage);
	expect_rules(stage);
	/* An operation that was under way goes on where it stood. */
	struct event_append event = stage_event(EVENT_QUEUED, 8, 0);
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_APPENDED);
	event = stage_event(EVENT_STARTED, 8, 0);
	assert_int_equal(stage_append_status(stage, &stage->worker, &event), EVENT_APPENDED);
	event = stage_event(EVENT_CHUNK, 8, 1);
	assert_int_equal(stage_append_status(stage, &stage->worker, &event), EVENT_APPENDED);
	stage_restart(stage);
	assert_int_equal(stage_append_status(stage, &stage->worker, &event), EVENT_ALREADY);
	event = stage_event(EVENT_CHUNK, 8, 3);
	assert_int_equal(stage_append_status(stage, &stage->worker, &event), EVENT_REFUSED);
	event = stage_event(EVENT_CHUNK, 8, 2);
	assert_int_equal(stage_append_status(stage, &stage->worker, &event), EVENT_APPENDED);
}

static void messages_of_named_streams_are_told_by_their_identifier(void **state)
{
	struct stage *stage = *state;
	struct event_append event = stage_event(EVENT_CHUNK, 0, 0);
	event.operation = (struct uuid){{0}};
	event.stream = EVENT_MESSAGE;
	event.stream_name = TEXT("chat");
	event.message = (struct uuid){{5}};
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_APPENDED);
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_ALREADY);
	stage_restart(stage);
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_ALREADY);
	event.message = (struct uuid){{6}};
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_APPENDED);
	struct control_stream_reader_open open = reader_of(READER_NAMED_STREAM, 1);
	stage_open_reader(stage, &open);
	stage_credit(stage, 0, 1, MUCH);
	assert_int_equal(stage->readers[1].events, 2);
	assert_true(stage->readers[1].at_end);
}

static void what_the_protocol_forbids_closes_the_channel(void **state)
{
	struct stage *stage = *state;
	struct event_append event = stage_event(EVENT_TYPES, 7, 0);
	stage_append(&stage->worker, &event);
	stage_settle(stage);
	assert_true(stage->worker.closed);
	assert_false(stage->control.closed);
}

static void readers_of_each_scope(void **state)
{
	struct stage *stage = *state;
	run_operation(stage, 6, 2);
	run_operation(stage, 7, 3);
	for (uint8_t scope = 0; scope < READER_SCOPES; scope++) {
		struct control_stream_reader_open open = reader_of(scope, scope);
		stage_open_reader(stage, &open);
		assert_int_equal(stage->readers[scope].verdict, READER_OPEN);
		assert_int_equal(stage->readers[scope].messages, 0); /* no credit yet */
		stage_credit(stage, 0, scope, MUCH);
		assert_true(stage->readers[scope].at_end);
	}
	assert_int_equal(stage->readers[READER_OPERATION].events, 6);
	assert_int_equal(stage->readers[READER_CORRELATION].events, 11);
	assert_int_equal(stage->readers[READER_PROJECT].events, 11);
	assert_int_equal(stage->readers[READER_NAMED_STREAM].events, 0);
	assert_int_equal(stage->readers[READER_OPERATION].last_type, EVENT_COMPLETED);
	struct control_stream_reader_open typed = reader_of(READER_OPERATION, 9);
	typed.types = 1u << EVENT_CHUNK;
	stage_open_reader(stage, &typed);
	stage_credit(stage, 0, 9, MUCH);
	assert_int_equal(stage->readers[9].events, 3);
}

static void credit_is_kept_to(void **state)
{
	struct stage *stage = *state;
	run_operation(stage, 7, 10);
	struct control_stream_reader_open open = reader_of(READER_OPERATION, 1);
	stage_open_reader(stage, &open);
	for (size_t granted = 1; granted <= 13; granted++) {
		stage_credit(stage, 0, 1, EVENT_OVERHEAD + 2); /* what one event costs */
		assert_int_equal(stage->readers[1].events, granted);
		assert_int_equal(stage->readers[1].at_end, granted == 13);
	}
}

static void cursors_resume_and_foreign_ones_do_not(void **state)
{
	struct stage *stage = *state;
	run_operation(stage, 7, 10);
	struct control_stream_reader_open open = reader_of(READER_OPERATION, 1);
	stage_open_reader(stage, &open);
	stage_credit(stage, 0, 1, 4 * (EVENT_OVERHEAD + 2));
	assert_int_equal(stage->readers[1].events, 4);
	char cursor[CURSOR_TEXT_LIMIT + 1];
	memcpy(cursor, stage->readers[1].cursor, sizeof(cursor));
	stage_restart(stage);
	for (uint8_t scope = 0; scope < READER_NAMED_STREAM; scope++) {
		open = reader_of(scope, scope);
		open.start = READER_AT_CURSOR;
		open.cursor = text_of(cursor);
		stage_open_reader(stage, &open);
		stage_credit(stage, 0, scope, MUCH);
		assert_int_equal(stage->readers[scope].verdict, READER_OPEN);
		assert_int_equal(stage->readers[scope].events, 9);
	}
	struct control_stream_reader_open foreign = open;
	foreign.scope = READER_PROJECT;
	foreign.reader = 10;
	foreign.project = (struct uuid){{9}};
	stage_open_reader(stage, &foreign);
	assert_int_equal(stage->readers[10].verdict, READER_BAD_CURSOR);
	foreign = open;
	foreign.scope = READER_CORRELATION;
	foreign.reader = 11;
	foreign.workspace = (struct uuid){{9}};
	stage_open_reader(stage, &foreign);
	assert_int_equal(stage->readers[11].verdict, READER_BAD_CURSOR);
}

static void forged_and_future_cursors_are_refused(void **state)
{
	struct stage *stage = *state;
	run_operation(stage, 7, 1);
	struct event_cursor at = {{{1}}, {{2}}, 4};
	struct event_cursor_text good = event_cursor_format(&stage->key, &at);
	at.position = 5;
	struct event_cursor_text future = event_cursor_format(&stage->key, &at);
	struct control_stream_reader_open open = reader_of(READER_OPERATION, 1);
	open.start = READER_AT_CURSOR;
	open.cursor = text_of(future.data);
	stage_open_reader(stage, &open);
	assert_int_equal(stage->readers[1].verdict, READER_BAD_CURSOR);
	for (size_t i = 0; i < EVENT_CURSOR_TEXT; i += 3) {
		struct event_cursor_text forged = good;
		forged.data[i] = forged.data[i] == '0' ? '1' : '0';
		/* The workspace's code is not looked at for a project, except that the mask depends
		 * on it. */
		open.reader = 2;
		open.cursor = text_of(forged.data);
		stage->readers[2] = (struct stage_reader){0};
		stage_open_reader(stage, &open);
		assert_int_equal(stage->readers[2].verdict, READER_BAD_CURSOR);
	}
	open.reader = 3;
	open.cursor = TEXT("");
	stage_open_reader(stage, &open);
	assert_int_equal(stage->readers[3].verdict, READER_BAD_CURSOR);
	open.reader = 4;
	open.cursor = text_of(good.data);
	stage_open_reader(stage, &open);
	assert_int_equal(stage->readers[4].verdict, READER_OPEN);
	stage_credit(stage, 0, 4, MUCH); /* behind the last event of what has ended */
	assert_true(stage->readers[4].ended);
	assert_int_equal(stage->readers[4].ended_verdict, READER_COMPLETE);
}

static void tail_readers_share_deliveries(void **state)
{
	struct stage *stage = *state;
	for (uint64_t i = 0; i < 40; i++) {
		struct control_stream_reader_open open = reader_of(READER_PROJECT, i);
		open.start = READER_AT_END;
		stage_open_reader(stage, &open);
		stage_credit(stage, 0, i, MUCH);
	}
	uint64_t before = stage->delivers;
	struct event_append event = stage_event(EVENT_QUEUED, 7, 0);
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_APPENDED);
	assert_int_equal(stage->delivers, before + 1);
	for (uint64_t i = 0; i < 40; i++) {
		assert_int_equal(stage->readers[i].events, 1);
		assert_true(stage->readers[i].at_end);
	}
}

static void rights_are_withdrawn_and_projects_forgotten(void **state)
{
	struct stage *stage = *state;
	run_operation(stage, 7, 1);
	struct control_stream_reader_open open = reader_of(READER_PROJECT, 1);
	open.key = (struct uuid){{4}};
	stage_open_reader(stage, &open);
	open = reader_of(READER_PROJECT, 2);
	stage_open_reader(stage, &open);
	struct control_stream_reader_stop stop = {.key = {{4}}};
	channel_send(stage->control.channel, CONTROL_STREAM_READER_STOP, &stop);
	stage_settle(stage);
	assert_true(stage->readers[1].ended && !stage->readers[2].ended);
	assert_int_equal(stage->readers[1].ended_verdict, READER_WITHDRAWN);
	struct control_stream_forget forget = {{{1}}, {{2}}};
	channel_send(stage->control.channel, CONTROL_STREAM_FORGET, &forget);
	stage_settle(stage);
	assert_true(stage->readers[2].ended);
	for (uint64_t round = 10; round < 12; round++) {
		open = reader_of(READER_CORRELATION, round);
		stage_open_reader(stage, &open);
		stage_credit(stage, 0, round, MUCH);
		assert_int_equal(stage->readers[round].events, 0);
		assert_true(stage->readers[round].at_end);
		stage_restart(stage);
	}
}

static void too_many_readers(void **state)
{
	struct stage *stage = *state;
	stage->readers_max = 2;
	stage_restart(stage);
	for (uint64_t i = 0; i < 3; i++) {
		struct control_stream_reader_open open = reader_of(READER_PROJECT, i);
		stage_open_reader(stage, &open);
		assert_int_equal(stage->readers[i].verdict, i < 2 ? READER_OPEN : READER_TOO_MANY);
	}
	stage_connect_gateway(stage, 0); /* its process was replaced: its readers are gone */
	struct control_stream_reader_open open = reader_of(READER_PROJECT, 5);
	stage_open_reader(stage, &open);
	assert_int_equal(stage->readers[5].verdict, READER_OPEN);
}

static void a_reader_may_come_before_its_gateway(void **state)
{
	struct stage *stage = *state;
	run_operation(stage, 7, 1);
	channel_free(stage->gateways[1].channel);
	stage->gateways[1].channel = NULL;
	stage_settle(stage);
	struct control_stream_reader_open open = reader_of(READER_PROJECT, 3);
	open.gateway = 1;
	stage_open_reader(stage, &open);
	assert_false(stage->readers[3].opened);
	stage_connect_gateway(stage, 1);
	stage_settle(stage);
	assert_true(stage->readers[3].opened);
	stage_credit(stage, 1, 3, MUCH);
	assert_int_equal(stage->readers[3].events, 4);
}

static void append_pieces(struct stage *stage, uint32_t first, uint32_t count, uint64_t *hash)
{
	static uint8_t piece[PIECE];
	for (uint32_t i = first; i < first + count; i++) {
		struct event_append event = stage_event(EVENT_CHUNK, 7, i);
		for (size_t k = 0; k < PIECE; k++) {
			piece[k] = (uint8_t)(k * i >> 3);
			*hash = (*hash ^ piece[k]) * 0x100000001b3u;
		}
		event.data = (struct bytes){piece, PIECE};
		stage_append(&stage->worker, &event);
		stage_settle(stage);
	}
}

/* Output goes by; one reader stops reading, one gateway dies, one reads everything and gets every
 * byte in order. */
static void slow_and_dead_readers_hold_nobody_up(void **state)
{
	enum { PIECES = 300 };
	struct stage *stage = *state;
	uint64_t hash = 0;
	struct event_append event = stage_event(EVENT_QUEUED, 7, 0);
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_APPENDED);
	event = stage_event(EVENT_STARTED, 7, 0);
	assert_int_equal(stage_append_status(stage, &stage->worker, &event), EVENT_APPENDED);
	for (uint64_t i = 0; i < 3; i++) {
		struct control_stream_reader_open open = reader_of(READER_OPERATION, i);
		open.gateway = i == 2;
		stage_open_reader(stage, &open);
	}
	stage_credit(stage, 0, 0, MUCH);
	stage_credit(stage, 0, 1, 10 * PIECE);
	stage_credit(stage, 1, 2, MUCH);
	append_pieces(stage, 1, PIECES / 2, &hash);
	channel_free(stage->gateways[1].channel);
	stage->gateways[1].channel = NULL;
	append_pieces(stage, PIECES / 2 + 1, PIECES / 2, &hash);
	assert_int_equal(stage->readers[0].bytes, PIECES * PIECE);
	assert_int_equal(stage->readers[0].hash, hash);
	assert_true(stage->readers[1].bytes <= 11 * PIECE);
	assert_int_equal(readers_count(&stage->broker->readers), 2);
	stage_credit(stage, 0, 1, MUCH); /* it comes back: nothing was lost */
	assert_int_equal(stage->readers[1].hash, hash);
}

static void a_full_disk_refuses_writes_and_serves_readers(void **state)
{
	struct stage *stage = *state;
	struct disk_faulty faulty;
	disk_faulty_init(&faulty);
	run_operation(stage, 6, 2);
	stage->disk = &faulty.disk;
	stage_restart(stage);
	faulty.faults[DISK_AVAILABLE] = (struct disk_fault){.times = 3};
	struct event_append event = stage_event(EVENT_QUEUED, 7, 0);
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_NO_SPACE);
	event = stage_event(EVENT_QUEUED, 6, 0);
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_ALREADY);
	struct control_stream_reader_open open = reader_of(READER_PROJECT, 1);
	stage_open_reader(stage, &open);
	stage_credit(stage, 0, 1, MUCH);
	assert_int_equal(stage->readers[1].events, 5);
	event = stage_event(EVENT_QUEUED, 7, 0);
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_NO_SPACE);
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_NO_SPACE);
	assert_int_equal(stage_append_status(stage, &stage->control, &event), EVENT_APPENDED);
	assert_int_equal(stage->readers[1].events, 6);
}

static void what_retention_took_is_told(void **state)
{
	struct stage *stage = *state;
	uint64_t hash = 0;
	struct event_append event = stage_event(EVENT_QUEUED, 7, 0);
	stage_append_status(stage, &stage->control, &event);
	event = stage_event(EVENT_STARTED, 7, 0);
	stage_append_status(stage, &stage->worker, &event);
	struct control_stream_reader_open open = reader_of(READER_PROJECT, 1);
	stage_open_reader(stage, &open); /* stays without credit at the beginning */
	append_pieces(stage, 1, 60, &hash);
	struct log_retention retention = {.bytes = 1 << 20};
	assert_int_equal(log_expire(stage->broker->log, &retention, 0), 0);
	stage_credit(stage, 0, 1, MUCH);
	assert_true(stage->readers[1].ended);
	assert_int_equal(stage->readers[1].ended_verdict, READER_EXPIRED);
	open = reader_of(READER_OPERATION, 2);
	stage_open_reader(stage, &open);
	assert_int_equal(stage->readers[2].verdict, READER_EXPIRED);
	open = reader_of(READER_PROJECT, 3);
	open.start = READER_AT_CURSOR;
	open.cursor = text_of(stage->readers[2].oldest);
	stage_open_reader(stage, &open);
	assert_int_equal(stage->readers[3].verdict, READER_OPEN);
	stage_credit(stage, 0, 3, MUCH);
	assert_true(stage->readers[3].events > 0 && stage->readers[3].at_end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(appends_are_acknowledged_in_order, setup, teardown),
	    cmocka_unit_test_setup_teardown(repeats_are_told_also_after_a_restart, setup, teardown),
	    cmocka_unit_test_setup_teardown(messages_of_named_streams_are_told_by_their_identifier,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(what_the_protocol_forbids_closes_the_channel, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(readers_of_each_scope, setup, teardown),
	    cmocka_unit_test_setup_teardown(credit_is_kept_to, setup, teardown),
	    cmocka_unit_test_setup_teardown(cursors_resume_and_foreign_ones_do_not, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(forged_and_future_cursors_are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(tail_readers_share_deliveries, setup, teardown),
	    cmocka_unit_test_setup_teardown(rights_are_withdrawn_and_projects_forgotten, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(too_many_readers, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_reader_may_come_before_its_gateway, setup, teardown),
	    cmocka_unit_test_setup_teardown(slow_and_dead_readers_hold_nobody_up, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_full_disk_refuses_writes_and_serves_readers, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(what_retention_took_is_told, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
