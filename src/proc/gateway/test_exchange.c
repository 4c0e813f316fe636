/* Requests from head to answer. */
#include "base/descriptor.h"
#include "proc/gateway/test_stage.h"

#include <unistd.h>

/* ---- calls ---- */

static void test_a_call_and_its_answer(void **state)
{
	(void)state;
	struct http_exchange *http = stage_request("POST", "/v1/projects/prj_1/operations", "");
	stage_with(http, "authorization", "Bearer croft_a_b");
	stage_with(http, "idempotency-key", "\"k 1\"");
	stage_with(http, "prefer", "wait=5");
	stage_with(http, "x-request-id", "r-1");
	stage_with_body(http, "{\"a\":1}", 7);
	stage_send_all(http);
	assert_int_equal(roles.request.call, API_OPERATION_CREATE);
	assert_int_equal(roles.request.wait_ms, 5000);
	assert_string_equal(roles.key, "k 1");
	assert_string_equal(roles.body, "{\"a\":1}");
	stage_answer(202, "{\"id\":\"op\"}");
	assert_int_equal(http->status, 202);
	assert_true(http->ended);
	assert_true(stage_contains(&http->written, "{\"id\":\"op\"}"));
	assert_true(stage_contains(&http->head, "x-request-id: r-1\n"));
	assert_true(stage_contains(&http->head, "preference-applied: wait=5\n"));
	assert_true(stage_contains(&http->head, "x-content-type-options: nosniff\n"));
	assert_true(stage_contains(&http->head, "cache-control: no-store\n"));
	stage_finish(http);
	assert_false(roles.abandoned);
}

static void test_refusals(void **state)
{
	(void)state;
	static const struct {
		const char *method, *path, *query, *name, *value;
		int status;
		const char *code;
	} cases[] = {
	    {"GET", "/v2", "", "accept", "*/*", 404, "not_found"},
	    {"PUT", "/v1/workspaces", "", "accept", "*/*", 405, "method_not_allowed"},
	    {"GET", "/v1/workspaces", "ticket=t", "accept", "*/*", 400, "invalid_input"},
	    {"GET", "/v1/workspaces", "a=%zz", "accept", "*/*", 400, "invalid_request"},
	    {"GET", "/v1/projects/p/files/%zz", "", "accept", "*/*", 400, "invalid_request"},
	    {"GET", "/v1/projects/p/events", "limit=0", "accept", "*/*", 400, "invalid_input"},
	    {"GET", "/v1/projects/p/events", "waitMs=60001", "accept", "*/*", 400, "invalid_input"},
	    {"GET", "/v1/workspaces", "", "idempotency-key", "\"\"", 400,
	     "idempotency_key_invalid"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_exchange *http =
		    stage_request(cases[i].method, cases[i].path, cases[i].query);
		stage_with(http, cases[i].name, cases[i].value);
		stage_send_all(http);
		stage_assert_problem(http, cases[i].status, cases[i].code);
		stage_finish(http);
	}
	assert_int_equal(roles.n_requests, 0);
}

/* It must leave its trace in the audit log, so control refuses it. */
static void test_malformed_credential_is_control_s_to_refuse(void **state)
{
	(void)state;
	struct http_exchange *http = stage_request("GET", "/v1/workspaces", "");
	stage_with(http, "authorization", "Basic x");
	stage_send_all(http);
	assert_int_equal(roles.request.credential_kind, CREDENTIAL_API_KEY);
	assert_int_equal(roles.request.credential.size, 0);
	stage_answer(401, "{}");
	assert_int_equal(http->status, 401);
	assert_int_equal(gateway.metrics.value[METRIC_AUTHENTICATION_FAILURES], 1);
	stage_finish(http);
}

static void test_bodies_that_are_refused(void **state)
{
	(void)state;
	struct http_exchange *http = stage_request("POST", "/v1/workspaces", "");
	http->body = "a=b";
	http->body_size = 3;
	stage_with(http, "content-type", "application/x-www-form-urlencoded");
	stage_send_all(http);
	stage_assert_problem(http, 415, "unsupported_media_type");
	stage_finish(http);

	http = stage_request("POST", "/v1/workspaces", "");
	stage_with_body(http, "{}", JSON_BODY_LIMIT + 1);
	stage_send_all(http);
	stage_assert_problem(http, 413, "too_large");
	stage_finish(http);

	/* Without a length it is found out on the way. */
	static uint8_t piece[64 << 10];
	http = stage_request("POST", "/v1/workspaces", "");
	stage_with_body(http, "{}", UINT64_MAX);
	struct exchange *exchange = stage_begin(http);
	for (size_t sent = 0; sent <= JSON_BODY_LIMIT; sent += sizeof(piece))
		exchange_body(exchange, (struct bytes){piece, sizeof(piece)});
	stage_assert_problem(http, 413, "too_large");
	stage_finish(http);
	assert_int_equal(roles.n_requests, 0);
}

static void test_client_leaves(void **state)
{
	(void)state;
	struct http_exchange *http = stage_request("GET", "/v1/workspaces", "");
	stage_send_all(http);
	stage_finish(http);
	assert_true(roles.abandoned);
	stage_answer(200, "{}"); /* for nobody */
}

static void test_control_is_replaced(void **state)
{
	(void)state;
	struct http_exchange *safe = stage_request("GET", "/v1/workspaces", "");
	stage_send_all(safe);
	struct http_exchange *unsafe = stage_request("POST", "/v1/workspaces", "");
	stage_with_body(unsafe, "{}", 2);
	stage_send_all(unsafe);
	assert_int_equal(roles.n_requests, 2);
	stage_start_control();
	stage_assert_problem(unsafe, 503, "control_unavailable");
	assert_true(stage_contains(&unsafe->head, "retry-after: 1\n"));
	assert_int_equal(safe->status, 0);
	assert_int_equal(roles.n_requests, 3);
	stage_answer(200, "{\"items\":[]}");
	assert_int_equal(safe->status, 200);
	stage_finish(safe);
	stage_finish(unsafe);
}

static void test_a_call_with_a_key_is_repeated(void **state)
{
	(void)state;
	struct http_exchange *http = stage_request("POST", "/v1/projects/p/operations", "");
	stage_with(http, "idempotency-key", "k");
	stage_with_body(http, "{\"x\":2}", 7);
	stage_send_all(http);
	stage_start_control();
	assert_int_equal(roles.n_requests, 2);
	assert_string_equal(roles.body, "{\"x\":2}");
	assert_string_equal(roles.key, "k");
	stage_answer(202, "{}");
	assert_int_equal(http->status, 202);
	stage_finish(http);
}

/* ---- files ---- */

static void test_small_upload_comes_inline(void **state)
{
	(void)state;
	struct http_exchange *http = stage_request("PUT", "/v1/projects/p/files/a%2Fb", "");
	stage_with_body(http, "hello", 5);
	stage_send_all(http);
	assert_string_equal(roles.path, "a/b");
	assert_string_equal(roles.body, "hello");
	assert_int_equal(roles.request.body_direction, 0);
	assert_true(roles.pipe < 0);
	stage_answer(201, "{}");
	assert_int_equal(http->status, 201);
	stage_finish(http);
}

static void read_exactly(int fd, const char *expected)
{
	char data[64] = {0};
	assert_int_equal(read(fd, data, sizeof(data)), strlen(expected));
	assert_string_equal(data, expected);
}

static void test_large_upload_goes_through_a_pipe(void **state)
{
	(void)state;
	struct http_exchange *http = stage_request("PUT", "/v1/projects/p/files/a", "");
	stage_with_body(http, "", UINT64_MAX);
	struct exchange *exchange = stage_begin(http);
	exchange_body(exchange, text_bytes(TEXT("abc")));
	stage_turn();
	assert_true(roles.pipe >= 0);
	read_exactly(roles.pipe, "abc");
	exchange_body(exchange, text_bytes(TEXT("de")));
	exchange_body_end(exchange);
	stage_turn();
	read_exactly(roles.pipe, "de");
	read_exactly(roles.pipe, "");
	assert_true(roles.body_end && roles.whole);
	assert_int_equal(roles.body_size, 5);
	stage_answer(200, "{}");
	stage_finish(http);
}

static void test_upload_waits_for_its_reader(void **state)
{
	(void)state;
	static uint8_t piece[4 << 20];
	struct http_exchange *http = stage_request("PUT", "/v1/projects/p/files/a", "");
	stage_with_body(http, "", UINT64_MAX);
	struct exchange *exchange = stage_begin(http);
	stage_turn();
	exchange_body(exchange, (struct bytes){piece, sizeof(piece)});
	assert_true(http->paused);
	size_t total = 0;
	while (total < sizeof(piece)) {
		static uint8_t room[1 << 20];
		ssize_t n = read(roles.pipe, room, sizeof(room));
		assert_true(n > 0);
		total += (size_t)n;
		stage_turn();
	}
	assert_false(http->paused);
	stage_finish(http);
	assert_true(roles.body_end && !roles.whole); /* the client left before the end */
}

static void test_download(void **state)
{
	(void)state;
	struct http_exchange *http = stage_request("GET", "/v1/projects/p/files/a", "");
	stage_send_all(http);
	assert_true(roles.pipe >= 0);
	stage_say_answer(GATEWAY_CONTROL_HEAD, 206, "", false);
	assert_int_equal(http->status, 206);
	assert_int_equal(http->length, 6);
	assert_int_equal(write(roles.pipe, "foobar", 6), 6);
	descriptor_close(&roles.pipe);
	stage_turn();
	assert_true(stage_contains(&http->written, "foobar"));
	assert_false(http->ended);
	stage_answer(206, "");
	assert_true(http->ended);
	stage_finish(http);
}

/* A client that is slow is waited for, and sooner when the slow are many. */
static void test_download_waits_for_its_client(void **state)
{
	(void)state;
	const struct {
		size_t own, all;
		bool waits;
	} cases[] = {{0, 100 << 20, false},
		     {100 << 10, 1 << 20, false},
		     {100 << 10, 100 << 20, true},
		     {1 << 20, 1 << 20, true}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_exchange *http = stage_request("GET", "/v1/projects/p/files/a", "");
		stage_send_all(http);
		stage_say_answer(GATEWAY_CONTROL_HEAD, 206, "", false);
		http->backlog = cases[i].own;
		server_backlog = cases[i].all;
		assert_int_equal(write(roles.pipe, "foo", 3), 3);
		stage_turn();
		assert_int_equal(write(roles.pipe, "bar", 3), 3);
		descriptor_close(&roles.pipe);
		stage_turn();
		assert_int_equal(stage_contains(&http->written, "bar"), !cases[i].waits);
		http->backlog = server_backlog = 0;
		exchange_drained(http->owner);
		stage_turn();
		assert_true(stage_contains(&http->written, "foobar"));
		stage_answer(206, "");
		assert_true(http->ended);
		stage_finish(http);
	}
}

static void test_broken_download_is_cut(void **state)
{
	(void)state;
	struct http_exchange *http = stage_request("GET", "/v1/projects/p/archive", "");
	stage_send_all(http);
	stage_say_answer(GATEWAY_CONTROL_HEAD, 200, "", false);
	descriptor_close(&roles.pipe);
	stage_say_answer(GATEWAY_CONTROL_ANSWER, 200, "", true);
	assert_true(http->aborted);
	assert_false(http->ended);
	stage_finish(http);
}

/* A tenant's agent that sends more than it said must not write into the next answer. */
static void test_download_that_is_longer_or_shorter_than_said(void **state)
{
	(void)state;
	static const char *const contents[] = {"fooba", "foobarr"};
	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		struct http_exchange *http = stage_request("GET", "/v1/projects/p/files/a", "");
		stage_send_all(http);
		stage_say_answer(GATEWAY_CONTROL_HEAD, 200, "", false);
		size_t size = strlen(contents[i]);
		assert_int_equal(write(roles.pipe, contents[i], size), size);
		descriptor_close(&roles.pipe);
		stage_answer(200, "");
		assert_true(http->aborted);
		assert_false(http->ended);
		assert_true(http->written.size <= 6);
		stage_finish(http);
	}
}

static void test_small_download_comes_inline(void **state)
{
	(void)state;
	struct http_exchange *http = stage_request("GET", "/v1/projects/p/files/a", "");
	stage_send_all(http);
	stage_answer(200, "small");
	assert_true(http->ended);
	assert_true(stage_contains(&http->written, "small"));
	stage_finish(http);
}

/* ---- other ---- */

static void test_cors(void **state)
{
	(void)state;
	struct http_exchange *http = stage_request("OPTIONS", "/v1/workspaces", "");
	stage_with(http, "origin", "https://app.example");
	stage_with(http, "access-control-request-method", "POST");
	stage_send_all(http);
	assert_int_equal(http->status, 204);
	assert_true(
	    stage_contains(&http->head, "access-control-allow-origin: https://app.example\n"));
	assert_true(stage_contains(&http->head,
				   "access-control-allow-methods: GET, HEAD, POST, OPTIONS\n"));
	assert_true(stage_contains(&http->head, "access-control-allow-headers: Authorization,"));
	stage_finish(http);
	http = stage_request("OPTIONS", "*", "");
	stage_send_all(http);
	assert_int_equal(http->status, 204);
	assert_true(
	    stage_contains(&http->head, "allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\n"));
	stage_finish(http);
	http = stage_request("GET", "/healthz", "");
	stage_with(http, "origin", "https://evil.example");
	stage_send_all(http);
	assert_int_equal(http->status, 200);
	assert_false(stage_contains(&http->head, "access-control-allow-origin"));
	stage_finish(http);
}

static void test_addresses_that_fail_too_often(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct http_exchange *http = stage_request("GET", "/v1/workspaces", "");
		stage_with(http, "x-api-key", "croft_a_wrong");
		stage_send_all(http);
		if (i < 2) {
			stage_answer(401, "{}");
			assert_true(stage_contains(&http->head, "www-authenticate: Bearer"));
		} else {
			stage_assert_problem(http, 429, "too_many_authentication_failures");
			assert_true(stage_contains(&http->head, "retry-after: "));
		}
		stage_finish(http);
	}
}

static void test_what_the_gateway_answers_itself(void **state)
{
	(void)state;
	static const struct {
		const char *path, *part;
		int status;
	} cases[] = {
	    {"/healthz", "{\"status\":\"ok\"}", 200},
	    {"/readyz", "{\"ready\":false,\"roles\":{\"control\":false}}", 503},
	    {"/v1/version", "\"version\":\"", 200},
	    {"/v1/openapi.json", "{\"openapi\":\"3.1.0\"", 200},
	    {"/metrics",
	     "croft_gateway_requests_total{method=\"GET\",route=\"/healthz\",status=\"2xx\"} 1\n",
	     200},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_exchange *http = stage_request("GET", cases[i].path, "");
		stage_send_all(http);
		assert_int_equal(http->status, cases[i].status);
		assert_true(stage_contains(&http->written, cases[i].part));
		stage_finish(http);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STAGE_TEST(test_a_call_and_its_answer),
	    STAGE_TEST(test_refusals),
	    STAGE_TEST(test_malformed_credential_is_control_s_to_refuse),
	    STAGE_TEST(test_bodies_that_are_refused),
	    STAGE_TEST(test_client_leaves),
	    STAGE_TEST(test_control_is_replaced),
	    STAGE_TEST(test_a_call_with_a_key_is_repeated),
	    STAGE_TEST(test_small_upload_comes_inline),
	    STAGE_TEST(test_large_upload_goes_through_a_pipe),
	    STAGE_TEST(test_upload_waits_for_its_reader),
	    STAGE_TEST(test_download),
	    STAGE_TEST(test_download_waits_for_its_client),
	    STAGE_TEST(test_broken_download_is_cut),
	    STAGE_TEST(test_download_that_is_longer_or_shorter_than_said),
	    STAGE_TEST(test_small_download_comes_inline),
	    STAGE_TEST(test_cors),
	    STAGE_TEST(test_addresses_that_fail_too_often),
	    STAGE_TEST(test_what_the_gateway_answers_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
