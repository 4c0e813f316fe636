/* The table of order.h, held against what the rules say of every history. */
#include "engine/stream/event_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

struct step {
	uint8_t type;
	uint32_t sequence;
	enum order_verdict verdict;
};

static void play(const struct step *steps, size_t count)
{
	struct order order = {0};
	for (size_t i = 0; i < count; i++) {
		enum order_verdict verdict = order_judge(&order, steps[i].type, steps[i].sequence);
		if (verdict != steps[i].verdict)
			fail_msg("step %zu: got %d", i, verdict);
		if (verdict == ORDER_NEXT)
			order_advance(&order, steps[i].type);
	}
}

static void a_whole_operation(void **state ATTR_UNUSED)
{
	static const struct step steps[] = {
	    {EVENT_STARTED, 0, ORDER_REFUSED},
	    {EVENT_CHUNK, 1, ORDER_REFUSED},
	    {EVENT_COMPLETED, 0, ORDER_REFUSED},
	    {EVENT_QUEUED, 0, ORDER_NEXT},
	    {EVENT_QUEUED, 0, ORDER_ALREADY},
	    {EVENT_CHUNK, 1, ORDER_REFUSED},
	    {EVENT_STARTED, 0, ORDER_NEXT},
	    {EVENT_STARTED, 0, ORDER_ALREADY},
	    {EVENT_QUEUED, 0, ORDER_ALREADY},
	    {EVENT_CHUNK, 0, ORDER_REFUSED},
	    {EVENT_CHUNK, 2, ORDER_REFUSED},
	    {EVENT_CHUNK, 1, ORDER_NEXT},
	    {EVENT_CHUNK, 1, ORDER_ALREADY},
	    {EVENT_CHUNK, 3, ORDER_REFUSED},
	    {EVENT_CHUNK, 2, ORDER_NEXT},
	    {EVENT_CHUNK, 1, ORDER_ALREADY},
	    {EVENT_CHUNK, UINT32_MAX, ORDER_REFUSED},
	    {EVENT_FAILED, 0, ORDER_NEXT},
	    {EVENT_FAILED, 0, ORDER_ALREADY},
	    {EVENT_COMPLETED, 0, ORDER_REFUSED},
	    {EVENT_CHUNK, 2, ORDER_ALREADY},
	    {EVENT_CHUNK, 3, ORDER_REFUSED},
	    {EVENT_STARTED, 0, ORDER_ALREADY},
	    {EVENT_QUEUED, 0, ORDER_ALREADY},
	    {EVENT_TYPES, 0, ORDER_REFUSED},
	};
	play(steps, ARRAY_SIZE(steps));
}

static void cancelled_while_queued(void **state ATTR_UNUSED)
{
	static const struct step steps[] = {
	    {EVENT_QUEUED, 0, ORDER_NEXT},     {EVENT_FAILED, 0, ORDER_NEXT},
	    {EVENT_STARTED, 0, ORDER_REFUSED}, {EVENT_CHUNK, 1, ORDER_REFUSED},
	    {EVENT_FAILED, 0, ORDER_ALREADY},  {EVENT_QUEUED, 0, ORDER_ALREADY},
	};
	play(steps, ARRAY_SIZE(steps));
}

static void without_output(void **state ATTR_UNUSED)
{
	static const struct step steps[] = {
	    {EVENT_QUEUED, 0, ORDER_NEXT},
	    {EVENT_STARTED, 0, ORDER_NEXT},
	    {EVENT_COMPLETED, 0, ORDER_NEXT},
	    {EVENT_CHUNK, 1, ORDER_REFUSED},
	};
	play(steps, ARRAY_SIZE(steps));
}

/* Whatever an operation has been through, its newest record says the same as having seen all of it.
 */
static void the_newest_record_tells_the_order(void **state ATTR_UNUSED)
{
	static const uint8_t types[] = {EVENT_QUEUED, EVENT_STARTED, EVENT_CHUNK,
					EVENT_CHUNK,  EVENT_CHUNK,   EVENT_COMPLETED};
	struct order order = {0};
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		order_advance(&order, types[i]);
		struct event_append append = {.type = types[i], .workspace = {{1}}, .data = {0}};
		struct event_record record = event_record_of(&append, &order), back;
		struct buffer bytes ATTR_BUFFER = {0};
		struct arena arena ATTR_ARENA = {0};
		assert_int_equal(event_record_encode(&record, &bytes), 0);
		assert_int_equal(event_record_decode(buffer_bytes(&bytes), &arena, &back), 0);
		struct order read = event_record_order(&back);
		assert_int_equal(read.stage, order.stage);
		assert_int_equal(read.started, order.started);
		assert_int_equal(read.chunks, order.chunks);
		assert_int_equal(read.terminal, order.terminal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_operation),
	    cmocka_unit_test(cancelled_while_queued),
	    cmocka_unit_test(without_output),
	    cmocka_unit_test(the_newest_record_tells_the_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
