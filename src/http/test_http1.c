/* HTTP/1 as a client sees it: framing, refusals, the life of a connection, its clocks. */
#include "http/test_stage.h"

#include <sys/socket.h>

/* Short, but longer than a busy machine keeps a process waiting. */
static const struct http_limits hasty = {.connections = 2,
					 .head_bytes = 4096,
					 .head_ms = 200,
					 .body_ms = 200,
					 .idle_ms = 200,
					 .stalled_ms = 200,
					 .message_bytes = 1024};

static void test_requests_follow_each_other(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, NULL);
	stage_connect(&stage);
	for (size_t i = 1; i <= 3; i++) {
		stage_say(&stage, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
		stage_await_text(&stage, "\r\n\r\nok");
		stage_await_count(&stage, &stage.completed, i);
		stage_forget(&stage);
	}
	assert_false(stage.is_cut);
	stage_close(&stage);
}

static void test_pipelined_requests_are_answered_in_order(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, NULL);
	stage_connect(&stage);
	stage_say(&stage, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nfirst"
			  "GET /?second HTTP/1.1\r\nHost: h\r\n\r\n"
			  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
			  "3;x=y\r\nthi\r\n2\r\nrd\r\n0\r\nTrailer: t\r\n\r\n"
			  "GET /?last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	stage_await_cut(&stage);
	assert_int_equal(stage.completed, 4);
	assert_int_equal(stage.body_ends, 4);
	assert_int_equal(stage.body_bytes, strlen("firstthird"));
	assert_memory_equal(stage.seen.data, "POST / h\nGET /?second h\nPOST / h\nGET /?last h\n",
			    stage.seen.size);
	stage_close(&stage);
}

/* An answer that begins before the body's end closes: whether all of the body will be read is not
 * known then. */
static void test_a_body_goes_back_in_chunks(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, NULL);
	stage_connect(&stage);
	stage_say(&stage, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
			  "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
	stage_await_cut(&stage);
	assert_true(stage_has(&stage, "\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
	assert_true(stage_has(&stage, "\r\nTransfer-Encoding: chunked\r\n"));
	assert_true(stage_has(&stage, "\r\nConnection: close\r\n"));
	assert_int_equal(stage.completed, 1);
	stage_close(&stage);
}

/* The second request waits in the kernel while the first is answered. */
static void test_a_request_sent_ahead_waits(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, NULL);
	stage_connect(&stage);
	stage_say(&stage, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
	stage_await_count(&stage, &stage.requests, 1);
	stage_say(&stage, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_int_equal(stage.requests, 1);
	stage_answer(&stage);
	stage_await_count(&stage, &stage.completed, 2);
	stage_await_text(&stage, "ok");
	assert_true(stage_has(&stage, "answered"));
	stage_close(&stage);
}

static void test_either_connection_field_may_close(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, NULL);
	stage_connect(&stage);
	stage_say(&stage, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
			  "Connection: keep-alive\r\n\r\n");
	stage_await_cut(&stage);
	assert_true(stage_has(&stage, "Connection: close\r\n"));
	stage_connect(&stage);
	stage_say(&stage, "GET / HTTP/1.0\r\nConnection: x\r\nConnection: Keep-Alive, y\r\n\r\n");
	stage_await_text(&stage, "Connection: keep-alive\r\n");
	stage_close(&stage);
}

static void test_absolute_targets_name_the_host(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, NULL);
	stage_connect(&stage);
	stage_say(&stage, "GET http://other:80/?a HTTP/1.1\r\nHost: h\r\n\r\n"
			  "GET HTTPS://other?b HTTP/1.1\r\nHost: h\r\n\r\n"
			  "GET http://other HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
			  "OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	stage_await_cut(&stage);
	assert_memory_equal(stage.seen.data,
			    "GET /?a other:80\nGET /?b other\nGET / other\nOPTIONS * h\n",
			    stage.seen.size);
	stage_close(&stage);
}

/* What is refused, and that the refusal arrives whole, has a name, and ends the connection. */
static void test_refusals(void **state ATTR_UNUSED)
{
	static const char *const hostile[][2] = {
	    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
	     " 400 "},
	    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	     " 400 "},
	    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", " 501 "},
	    {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", " 400 "},
	    {"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", " 400 "},
	    {"GET / HTTP/1.1\nHost: h\n\n", " 400 "},
	    {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", " 505 "},
	    {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", " 400 "},
	    {"POST /echo HTTP/1.1\r\nHost: h\r\nExpect: the best\r\n\r\n", " 417 "},
	    {"POST /wait HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n",
	     " 400 "},
	};
	struct stage stage;
	stage_open(&stage, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		stage_connect(&stage);
		stage_say(&stage, hostile[i][0]);
		stage_await_cut(&stage);
		assert_true(stage_has(&stage, hostile[i][1]));
		assert_true(stage_has(&stage, "\r\nX-Request-Id: req-1\r\n"));
		assert_true(stage_has(&stage, "\r\nConnection: close\r\n"));
		assert_true(stage_has(&stage, "\r\n\r\nrefused "));
	}
	assert_int_equal(stage.completed, 0);
	stage_close(&stage);
}

static void test_an_endless_head_is_refused(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, &hasty);
	stage_connect(&stage);
	stage_say(&stage, "GET / HTTP/1.1\r\nHost: h\r\nX: ");
	for (int i = 0; i < 100 && !stage.is_cut; i++)
		stage_say(&stage, "0123456789012345678901234567890123456789012345678");
	stage_await_cut(&stage);
	assert_true(stage_has(&stage, " 431 "));
	stage_close(&stage);
}

static void test_one_connection_too_many_is_turned_away(void **state ATTR_UNUSED)
{
	static const struct http_limits single = {.connections = 1,
						  .head_bytes = 4096,
						  .head_ms = 60000,
						  .body_ms = 60000,
						  .idle_ms = 60000,
						  .stalled_ms = 60000};
	struct stage stage, *crowd = &stage;
	stage_open(crowd, &single);
	stage_connect(crowd);
	stage_say(crowd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	stage_await_count(crowd, &stage.completed, 1);
	int first = stage.client;
	loop_watch_stop(&stage.watch);
	stage.client = -1;
	stage_connect(crowd);
	stage_await_cut(crowd);
	assert_true(stage_has(crowd, " 503 "));
	stage_disconnect(crowd);
	stage.client = first;
	stage_close(crowd);
}

/* ---- bodies and answers ---- */

static void test_an_early_answer_arrives_although_the_body_is_unread(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, NULL);
	stage_connect(&stage);
	stage_say(&stage, "POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n");
	for (int i = 0; i < 1000; i++)
		stage_say(&stage, "0123456789012345678901234567890123456789012345678");
	stage_await_cut(&stage);
	assert_true(stage_has(&stage, "HTTP/1.1 413 "));
	assert_true(stage_has(&stage, "\r\n\r\ntoo much"));
	assert_int_equal(stage.completed, 1);
	stage_close(&stage);
}

static void test_a_client_that_expects_is_told_to_go_on(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, NULL);
	stage_connect(&stage);
	stage_say(&stage, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
			  "Content-Length: 2\r\n\r\n");
	stage_await_text(&stage, "HTTP/1.1 100 Continue\r\n\r\n");
	stage_say(&stage, "ab");
	stage_await_text(&stage, "\r\n\r\nok");
	assert_int_equal(stage.body_bytes, 2);
	stage_close(&stage);
}

static void test_a_client_that_half_closes_is_gone(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, NULL);
	stage_connect(&stage);
	stage_say(&stage, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
	stage_await_count(&stage, &stage.requests, 1);
	assert_int_equal(shutdown(stage.client, SHUT_WR), 0);
	stage_await_count(&stage, &stage.given_up, 1);
	stage_close(&stage);
}

static void test_a_head_request_has_no_body(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, NULL);
	stage_connect(&stage);
	stage_say(&stage, "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	stage_await_cut(&stage);
	assert_true(stage_has(&stage, "Content-Length: 2\r\n"));
	assert_memory_equal(stage.received.data + stage.received.size - 4, "\r\n\r\n", 4);
	stage_close(&stage);
}

/* ---- clocks ---- */

static void test_a_slow_head_and_a_silent_body_are_told_so(void **state ATTR_UNUSED)
{
	static const char *const slow[] = {
	    "GET / HTTP/1.1\r\nHost",
	    "POST /wait HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"};
	struct stage stage;
	stage_open(&stage, &hasty);
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++) {
		stage_connect(&stage);
		stage_say(&stage, slow[i]);
		stage_await_cut(&stage);
		assert_true(stage_has(&stage, "HTTP/1.1 408 "));
	}
	assert_int_equal(stage.given_up, 1);
	stage_close(&stage);
}

static void test_idle_connections_are_closed(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, &hasty);
	stage_connect(&stage);
	stage_await_cut(&stage);
	assert_int_equal(stage.received.size, 0);
	stage_connect(&stage);
	stage_say(&stage, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	stage_await_cut(&stage);
	assert_true(stage_has(&stage, "\r\n\r\nok"));
	assert_int_equal(stage.completed, 1);
	stage_close(&stage);
}

static void test_a_client_that_takes_nothing_is_cut(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, &hasty);
	stage.client_reads = false;
	stage_connect(&stage);
	stage_say(&stage, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
	stage_await_count(&stage, &stage.given_up, 1);
	stage_close(&stage);
}

/* An answer that waits for the user has no clock. */
static void test_the_user_is_waited_for(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, &hasty);
	stage_connect(&stage);
	stage_say(&stage, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
	stage_await_count(&stage, &stage.requests, 1);
	int first = stage.client; /* another connection, begun later, has its clock run out */
	loop_watch_stop(&stage.watch);
	stage.client = -1;
	stage_connect(&stage);
	stage_await_cut(&stage);
	stage_disconnect(&stage);
	assert_non_null(stage.waiting);
	stage.client = first;
	stage_close(&stage);
}

static void test_a_stop_lets_answers_finish(void **state ATTR_UNUSED)
{
	struct stage stage;
	stage_open(&stage, NULL);
	stage_connect(&stage);
	stage_say(&stage, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
	stage_await_count(&stage, &stage.requests, 1);
	stage_stop(&stage);
	stage_answer(&stage);
	stage_await_cut(&stage);
	assert_true(stage_has(&stage, "Connection: close\r\n"));
	assert_true(stage_has(&stage, "\r\n\r\nanswered"));
	stage_disconnect(&stage);
	while (!stage.is_stopped)
		stage_turn(&stage);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_requests_follow_each_other),
	    cmocka_unit_test(test_pipelined_requests_are_answered_in_order),
	    cmocka_unit_test(test_a_body_goes_back_in_chunks),
	    cmocka_unit_test(test_a_request_sent_ahead_waits),
	    cmocka_unit_test(test_either_connection_field_may_close),
	    cmocka_unit_test(test_absolute_targets_name_the_host),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_an_endless_head_is_refused),
	    cmocka_unit_test(test_one_connection_too_many_is_turned_away),
	    cmocka_unit_test(test_an_early_answer_arrives_although_the_body_is_unread),
	    cmocka_unit_test(test_a_client_that_expects_is_told_to_go_on),
	    cmocka_unit_test(test_a_client_that_half_closes_is_gone),
	    cmocka_unit_test(test_a_head_request_has_no_body),
	    cmocka_unit_test(test_a_slow_head_and_a_silent_body_are_told_so),
	    cmocka_unit_test(test_idle_connections_are_closed),
	    cmocka_unit_test(test_a_client_that_takes_nothing_is_cut),
	    cmocka_unit_test(test_the_user_is_waited_for),
	    cmocka_unit_test(test_a_stop_lets_answers_finish),
	};
	return cmocka_run_group_tests_name("http1", tests, NULL, NULL);
}
