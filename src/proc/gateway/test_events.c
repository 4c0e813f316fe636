/* Golden bytes of events: as JSON, as server-sent events, as pages; and the credit of their
 * readers. */
#include "proc/gateway/delivery.h"
#include "proc/gateway/event_text.h"
#include "proc/gateway/page.h"
#include "proc/gateway/reader_credit.h"

#include <stdlib.h>

#include "proc/gateway/test.h"

#define IDS                                                                                        \
	"\"workspace\":\"ws_00000000000000000000000001\","                                         \
	"\"project\":\"prj_00000000000000000000000002\","

static struct uuid id_of(uint8_t last)
{
	struct uuid id = {{0}};
	id.b[15] = last;
	return id;
}

static struct event_delivered chunk(struct text data, bool utf8)
{
	return (struct event_delivered){
	    .cursor = TEXT("cur1"),
	    .type = EVENT_CHUNK,
	    .stream = EVENT_STDOUT,
	    .utf8 = utf8,
	    .time_ms = 1767225600123,
	    .workspace = id_of(1),
	    .project = id_of(2),
	    .operation = id_of(3),
	    .correlation = TEXT("c\"1"),
	    .data = text_bytes(data),
	};
}

static void assert_written(const struct buffer *out, const char *expected)
{
	assert_int_equal(buffer_check(out), 0);
	char *written = text_dup(buffer_text(out));
	assert_string_equal(written, expected);
	free(written);
}

static void test_text_chunk(void **state)
{
	(void)state;
	ATTR_BUFFER struct buffer out = {0};
	struct event_delivered event = chunk(TEXT("h\303\244\n\x1b[0m"), true);
	event_text_json(&out, &event);
	assert_written(
	    &out,
	    "{\"cursor\":\"cur1\",\"type\":\"chunk\",\"time\":\"2026-01-01T00:00:00.123Z\"," IDS
	    "\"operation\":\"op_00000000000000000000000003\",\"correlationId\":\"c\\\"1\","
	    "\"data\":{\"stream\":\"stdout\",\"text\":\"h\303\244\\n\\u001b[0m\"}}");
}

static void test_bytes_chunk(void **state)
{
	(void)state;
	ATTR_BUFFER struct buffer out = {0};
	struct event_delivered event = chunk((struct text){"\xff\x00\n", 3}, false);
	event.stream = EVENT_STDERR;
	event_text_sse(&out, &event);
	assert_written(
	    &out, "id: cur1\nevent: chunk\ndata: {\"cursor\":\"cur1\",\"type\":\"chunk\","
		  "\"time\":\"2026-01-01T00:00:00.123Z\"," IDS
		  "\"operation\":\"op_00000000000000000000000003\",\"correlationId\":\"c\\\"1\","
		  "\"data\":{\"stream\":\"stderr\",\"base64\":\"/wAK\"}}\n\n");
}

static void test_message_of_a_named_stream(void **state)
{
	(void)state;
	ATTR_BUFFER struct buffer out = {0};
	struct event_delivered event = chunk(TEXT("\"hi\""), true);
	event.stream = EVENT_MESSAGE;
	event.stream_name = TEXT("chat");
	event.operation = id_of(0);
	event.correlation = (struct text){0};
	event_text_json(&out, &event);
	assert_written(
	    &out,
	    "{\"cursor\":\"cur1\",\"type\":\"chunk\",\"time\":\"2026-01-01T00:00:00.123Z\"," IDS
	    "\"operation\":null,\"correlationId\":null,"
	    "\"data\":{\"stream\":\"chat\",\"data\":\"hi\",\"text\":\"hi\"}}");
}

/* White space inside JSON must not end the frame early and begin fields of its own. */
static void test_line_ends_inside_data_stay_inside(void **state)
{
	(void)state;
	ATTR_BUFFER struct buffer out = {0};
	struct event_delivered event = chunk(TEXT("{\"a\":\n1,\r\n\"id\": 2}\n"), true);
	event.type = EVENT_COMPLETED;
	event_text_sse(&out, &event);
	struct text text = buffer_text(&out);
	size_t ends = 0;
	for (size_t i = 0; i < text.size; i++)
		ends += text.data[i] == '\n' || text.data[i] == '\r';
	assert_int_equal(ends, 4); /* id, event, data, the empty line */
	assert_true(text_ends(text, TEXT("\"data\":{\"a\": 1,  \"id\": 2} }\n\n")));
}

static void test_page(void **state)
{
	(void)state;
	struct page page;
	page_begin(&page, 2);
	page_set_next(&page, TEXT("start"));
	page_add(&page, TEXT("{1}"), TEXT("c1"));
	assert_false(page_is_full(&page));
	page_add(&page, TEXT("{2}"), TEXT("c2"));
	assert_true(page_is_full(&page));
	ATTR_BUFFER struct buffer out = {0};
	assert_int_equal(page_write(&page, &out), 0);
	assert_written(&out, "{\"items\":[{1},{2}],\"nextCursor\":\"c2\"}");
	page_free(&page);
}

static void test_empty_page_says_where_to_go_on(void **state)
{
	(void)state;
	struct page page;
	page_begin(&page, 100);
	page_set_next(&page, TEXT("here"));
	ATTR_BUFFER struct buffer out = {0};
	assert_int_equal(page_write(&page, &out), 0);
	assert_written(&out, "{\"items\":[],\"nextCursor\":\"here\"}");
	page_free(&page);
}

static void test_delivery_writes_each_form_once(void **state)
{
	(void)state;
	struct event_delivered events[] = {chunk(TEXT("a"), true), chunk(TEXT("b"), true)};
	struct gateway_stream_deliver message = {.events = {events, 2}};
	static struct delivery delivery;
	delivery_begin(&delivery, &message);
	struct text second = delivery_json(&delivery, 1);
	assert_true(text_ends(second, TEXT("\"text\":\"b\"}}")));
	assert_true(text_starts(second, TEXT("{\"cursor\"")));
	assert_true(text_ends(delivery_json(&delivery, 0), TEXT("\"text\":\"a\"}}")));
	struct bytes sse = delivery_sse(&delivery);
	assert_ptr_equal(delivery_sse(&delivery).data, sse.data);
	assert_int_equal(delivery_sse(&delivery).size, sse.size);
	assert_true(text_equal(delivery_position(&delivery), TEXT("cur1")));
	delivery_free(&delivery);
}

static void test_credit_is_bounded_by_the_window(void **state)
{
	(void)state;
	struct reader_credit credit;
	reader_credit_init(&credit);
	assert_int_equal(reader_credit_due(&credit, 0, false), READER_WINDOW_FIRST);
	assert_int_equal(reader_credit_due(&credit, 0, false), 0);
	/* A client that takes nothing is never granted more than the window. */
	reader_credit_use(&credit, READER_WINDOW_FIRST);
	assert_int_equal(reader_credit_due(&credit, READER_WINDOW_FIRST, false), 0);
	assert_int_equal(reader_credit_due(&credit, 6 * READER_WINDOW_FIRST, false), 0);
	/* One that takes all sees it grow, up to the limit. */
	for (int i = 0; i < 10; i++) {
		reader_credit_use(&credit, credit.granted);
		reader_credit_due(&credit, 0, false);
	}
	assert_int_equal(credit.granted, READER_WINDOW_LIMIT);
	reader_credit_use(&credit, 5 * READER_WINDOW_LIMIT); /* overdrawn by one large event */
	assert_int_equal(credit.granted, 0);
	assert_int_equal(reader_credit_due(&credit, 0, true), READER_WINDOW_TIGHT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text_chunk),
	    cmocka_unit_test(test_bytes_chunk),
	    cmocka_unit_test(test_message_of_a_named_stream),
	    cmocka_unit_test(test_line_ends_inside_data_stay_inside),
	    cmocka_unit_test(test_page),
	    cmocka_unit_test(test_empty_page_says_where_to_go_on),
	    cmocka_unit_test(test_delivery_writes_each_form_once),
	    cmocka_unit_test(test_credit_is_bounded_by_the_window),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
