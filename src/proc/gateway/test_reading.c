/* Readers of events and WebSockets, as clients see them. */
#include "proc/gateway/socket.h"
#include "proc/gateway/test_stage.h"

/* ---- events ---- */

static struct http_exchange *events(const char *path, const char *query, const char *accept)
{
	struct http_exchange *http = stage_request("GET", path, query);
	stage_with(http, "accept", accept);
	stage_with(http, "last-event-id", "seen");
	stage_send_all(http);
	return http;
}

static void test_event_stream(void **state)
{
	(void)state;
	struct http_exchange *http = events("/v1/operations/op_1/events", "", "text/event-stream");
	assert_int_equal(http->status, 0);
	stage_say_opened(READER_OPEN);
	assert_int_equal(http->status, 0);
	stage_say_event(EVENT_QUEUED, "", true);
	assert_int_equal(http->status, 200);
	assert_true(stage_contains(&http->head, "content-type: text/event-stream"));
	assert_true(stage_contains(&http->head, "x-accel-buffering: no\n"));
	stage_say_event(EVENT_QUEUED, "c1", false);
	assert_true(stage_contains(&http->written, "id: c1\nevent: queued\ndata: {"));
	assert_false(http->ended);
	stage_say_event(EVENT_COMPLETED, "c2", true);
	assert_true(stage_contains(&http->written, "id: c2\nevent: completed\n"));
	assert_true(http->ended);
	assert_int_equal(roles.closed, roles.request.reader);
	stage_finish(http);
}

/* HEAD has no body to wait for: it asks for a page, whatever is accepted. */
static void test_head_of_events_ends(void **state)
{
	(void)state;
	struct http_exchange *http = stage_request("HEAD", "/v1/projects/p/events", "");
	stage_with(http, "accept", "text/event-stream");
	stage_send_all(http);
	stage_say_opened(READER_OPEN);
	stage_say_event(EVENT_CHUNK, "", true);
	assert_int_equal(http->status, 200);
	assert_true(http->ended);
	stage_finish(http);
}

static void test_expired_cursor(void **state)
{
	(void)state;
	struct http_exchange *http = events("/v1/projects/p/events", "", "text/event-stream");
	stage_say_opened(READER_EXPIRED);
	stage_assert_problem(http, 410, "cursor_expired");
	assert_true(
	    stage_contains(&http->written, "\"oldestCursor\":\"oldest1\",\"archiveUrl\":null"));
	stage_finish(http);
}

static void test_nothing_left(void **state)
{
	(void)state;
	struct http_exchange *http = events("/v1/operations/op_1/events", "", "text/event-stream");
	stage_say_opened(READER_OPEN);
	stage_say_ended(READER_COMPLETE);
	assert_int_equal(http->status, 204);
	stage_finish(http);
	http = events("/v1/operations/op_1/events", "", "application/json");
	stage_say_opened(READER_COMPLETE);
	assert_true(stage_contains(&http->written, "{\"items\":[],\"nextCursor\":\"seen\"}"));
	stage_finish(http);
}

static void test_page(void **state)
{
	(void)state;
	struct http_exchange *http =
	    events("/v1/projects/p/events", "limit=2&cursor=c&waitMs=0", "application/json");
	assert_string_equal(roles.query, "cursor=c;"); /* the rest is the gateway's own */
	stage_say_opened(READER_OPEN);
	stage_say_event(EVENT_QUEUED, "c1", false);
	assert_int_equal(http->status, 0);
	stage_say_event(EVENT_CHUNK, "c2", false);
	assert_int_equal(http->status, 200);
	assert_true(stage_contains(&http->written, "\"nextCursor\":\"c2\"}"));
	stage_finish(http);
}

static void test_empty_page_and_patience(void **state)
{
	(void)state;
	struct http_exchange *http = events("/v1/projects/p/events", "", "application/json");
	stage_say_opened(READER_OPEN);
	stage_say_event(EVENT_CHUNK, "", true);
	assert_true(stage_contains(&http->written, "{\"items\":[],\"nextCursor\":\"pos1\"}"));
	stage_finish(http);
	http = events("/v1/projects/p/events", "waitMs=60000", "application/json");
	stage_say_opened(READER_OPEN);
	stage_say_event(EVENT_CHUNK, "", true);
	assert_int_equal(http->status, 0);
	stage_say_event(EVENT_CHUNK, "c9", true);
	assert_true(stage_contains(&http->written, "\"cursor\":\"c9\""));
	assert_true(http->ended);
	stage_finish(http);
}

/* ---- sockets ---- */

static void tell(struct http_exchange *http, const char *message)
{
	exchange_message(http->owner, text_of(message));
	stage_turn();
}

static struct http_exchange *open_socket(void)
{
	struct http_exchange *http = stage_request("GET", "/v1/ws", "");
	stage_with(http, "authorization", "Bearer croft_0000000000000000000000000a_b");
	stage_send_all(http);
	assert_int_equal(roles.request.call, API_SOCKET);
	stage_answer(200, "");
	assert_true(http->upgraded);
	return http;
}

static void test_socket(void **state)
{
	(void)state;
	struct http_exchange *http = open_socket();
	tell(http, "{\"type\":\"ping\",\"id\":\"1\"}");
	assert_true(stage_contains(&http->written, "{\"type\":\"pong\",\"id\":\"1\"}\n"));
	tell(http,
	     "{\"type\":\"subscribe\",\"id\":\"s\",\"operation\":\"op_1\",\"cursor\":\"c0\"}");
	assert_int_equal(roles.request.call, API_OPERATION_EVENTS);
	assert_true(roles.request.connected);
	assert_string_equal(roles.query, "cursor=c0;");
	stage_say_opened(READER_OPEN);
	assert_true(stage_contains(&http->written, "{\"type\":\"subscribed\",\"id\":\"s\"}\n"));
	stage_say_event(EVENT_FAILED, "c1", true);
	assert_true(stage_contains(
	    &http->written, "{\"type\":\"event\",\"id\":\"s\",\"event\":{\"cursor\":\"c1\""));
	assert_true(stage_contains(&http->written,
				   "{\"type\":\"ended\",\"id\":\"s\",\"reason\":\"complete\"}\n"));
	tell(http, "{\"type\":\"input\",\"id\":\"2\",\"operation\":\"op_1\",\"data\":\"x\"}");
	assert_int_equal(roles.request.call, API_OPERATION_INPUT);
	assert_string_equal(roles.body, "{\"data\":\"x\"}");
	stage_answer(204, "");
	assert_true(stage_contains(&http->written, "{\"type\":\"done\",\"id\":\"2\"}\n"));
	tell(http,
	     "{\"type\":\"signal\",\"id\":\"3\",\"operation\":\"op_1\",\"signal\":\"SIGINT\"}");
	stage_answer(409, "{\"code\":\"conflict\"}");
	assert_true(stage_contains(
	    &http->written,
	    "{\"type\":\"error\",\"id\":\"3\",\"error\":{\"code\":\"conflict\"}}\n"));
	tell(http, "{\"type\":\"unsubscribe\",\"id\":\"nothing\"}");
	assert_true(stage_contains(&http->written, "\"code\":\"not_found\""));
	tell(http, "nonsense");
	assert_int_equal(http->close_code, 1007);
	stage_finish(http);
}

static void test_revoked_key_closes_its_sockets(void **state)
{
	(void)state;
	struct http_exchange *http = open_socket();
	tell(http, "{\"type\":\"subscribe\",\"id\":\"s\",\"project\":\"prj_1\"}");
	stage_say_opened(READER_OPEN);
	struct uuid other = {{1}}, key = {{0}};
	key.b[15] = 10;
	sockets_withdraw(&gateway, other);
	assert_int_equal(http->close_code, 0);
	sockets_withdraw(&gateway, key);
	stage_turn();
	assert_int_equal(http->close_code, 1008);
	assert_int_equal(gateway.readers.count, 0);
	stage_finish(http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STAGE_TEST(test_event_stream),   STAGE_TEST(test_head_of_events_ends),
	    STAGE_TEST(test_expired_cursor), STAGE_TEST(test_nothing_left),
	    STAGE_TEST(test_page),           STAGE_TEST(test_empty_page_and_patience),
	    STAGE_TEST(test_socket),         STAGE_TEST(test_revoked_key_closes_its_sockets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
