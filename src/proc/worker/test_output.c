#include "base/unit_test.h"
#include "proc/worker/output.h"
#include "proto/event.h"

#include <stdlib.h>

/* Stands for operations: the lists only compare their addresses. */
static char places[2];

static struct operation *operation_at(int i)
{
	return (struct operation *)(void *)&places[i];
}

static struct append *print(struct output *output, int operation, const char *text)
{
	struct output_piece piece = {operation_at(operation), EVENT_CHUNK, EVENT_STDOUT, 1,
				     text_bytes(text_of(text))};
	return output_add(output, &piece);
}

static uint64_t send_one(struct output *output)
{
	struct append *append = output_next(output);
	assert_non_null(append);
	output_sent(output, append);
	return append->token;
}

static void assert_text(const struct append *append, const char *expected)
{
	assert_int_equal(append->size, strlen(expected));
	assert_memory_equal(append->data, expected, append->size);
}

static void acknowledge(struct output *output, uint64_t token, uint8_t status,
			enum output_settled expected)
{
	struct append *append = NULL;
	assert_int_equal(output_acknowledge(output, token, status, &append), expected);
	if (append)
		output_release(output, append);
}

static void small_pieces_of_a_turn_are_one_event(void **state ATTR_UNUSED)
{
	struct output output;
	output_init(&output);
	struct append *first = print(&output, 0, "ab");
	assert_ptr_equal(print(&output, 0, "cd"), first);
	assert_ptr_not_equal(print(&output, 1, "x"), first);  /* another operation */
	assert_ptr_not_equal(print(&output, 0, "ef"), first); /* would change the order */
	assert_text(first, "abcd");
	assert_int_equal(output.held, 7);
	output_free(&output);
	assert_int_equal(output.held, 0);
}

static void what_was_sent_takes_no_more(void **state ATTR_UNUSED)
{
	struct output output;
	output_init(&output);
	struct append *first = print(&output, 0, "ab");
	send_one(&output);
	assert_ptr_not_equal(print(&output, 0, "cd"), first);
	output_call_back(&output); /* it may be in the log as it was */
	struct append *second = container_of(output.to_send.previous, struct append, node);
	assert_text(second, "cd");
	assert_ptr_equal(print(&output, 0, "ef"), second);
	assert_text(first, "ab");
	output_free(&output);
}

static void an_event_has_a_limit(void **state ATTR_UNUSED)
{
	struct output output;
	output_init(&output);
	char *big = calloc(1, EVENT_CHUNK_LIMIT);
	memset(big, 'a', EVENT_CHUNK_LIMIT - 1);
	struct append *first = print(&output, 0, big);
	assert_ptr_equal(print(&output, 0, "b"), first);
	assert_int_equal(first->size, EVENT_CHUNK_LIMIT);
	assert_ptr_not_equal(print(&output, 0, "c"), first);
	free(big);
	output_free(&output);
}

static void a_new_channel_gets_all_that_is_not_durable_in_order(void **state ATTR_UNUSED)
{
	struct output output;
	uint64_t tokens[3];
	output_init(&output);
	for (int i = 0; i < 3; i++) {
		print(&output, i % 2, "x");
		tokens[i] = send_one(&output);
	}
	acknowledge(&output, tokens[0], EVENT_APPENDED, OUTPUT_DURABLE);
	print(&output, 1, "y");
	output_call_back(&output);
	assert_int_equal(send_one(&output), tokens[1]);
	assert_int_equal(send_one(&output), tokens[2]);
	send_one(&output);
	assert_null(output_next(&output));
	acknowledge(&output, tokens[1], EVENT_ALREADY, OUTPUT_DURABLE);
	acknowledge(&output, tokens[0], EVENT_ALREADY, OUTPUT_UNKNOWN);
	output_free(&output);
}

static void without_space_nothing_is_lost_and_nothing_overtakes(void **state ATTR_UNUSED)
{
	struct output output;
	uint64_t tokens[3];
	output_init(&output);
	for (int i = 0; i < 3; i++) {
		print(&output, 0, "x");
		tokens[i] = send_one(&output);
	}
	acknowledge(&output, tokens[0], EVENT_APPENDED, OUTPUT_DURABLE);
	acknowledge(&output, tokens[1], EVENT_NO_SPACE, OUTPUT_LATER);
	print(&output, 0, "y");
	assert_null(output_next(&output));
	assert_false(output_resume(&output)); /* the answer to the third is still to come */
	acknowledge(&output, tokens[2], EVENT_REFUSED, OUTPUT_LATER); /* for the gap before it */
	assert_null(output_next(&output));
	assert_true(output_resume(&output));
	assert_int_equal(send_one(&output), tokens[1]);
	assert_int_equal(send_one(&output), tokens[2]);
	acknowledge(&output, tokens[1], EVENT_APPENDED, OUTPUT_DURABLE);
	acknowledge(&output, tokens[2], EVENT_REFUSED,
		    OUTPUT_REFUSED); /* now it means what it says */
	assert_int_equal(output.held, 1);
	output_free(&output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(small_pieces_of_a_turn_are_one_event),
	    cmocka_unit_test(what_was_sent_takes_no_more),
	    cmocka_unit_test(an_event_has_a_limit),
	    cmocka_unit_test(a_new_channel_gets_all_that_is_not_durable_in_order),
	    cmocka_unit_test(without_space_nothing_is_lost_and_nothing_overtakes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
