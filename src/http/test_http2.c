/* HTTP/2 as a client sees it, in raw frames: requests, early answers, clocks, floods, the stop. */
#include "http/test_stage.h"

enum {
	DATA = 0,
	HEADERS = 1,
	RST_STREAM = 3,
	SETTINGS = 4,
	PING = 6,
	GOAWAY = 7,
	CONTINUATION = 9,
	END_STREAM = 1,
	ACK = 1,
	END_HEADERS = 4,
	WINDOW_SETTING = 4,
};

static const struct http_limits hasty = {.connections = 10,
					 .head_bytes = 4096,
					 .head_ms = 200,
					 .body_ms = 200,
					 .idle_ms = 60000,
					 .stalled_ms = 200,
					 .message_bytes = 1024};

/* ---- frames ---- */

static void append_frame(struct buffer *out, uint8_t type, uint8_t flags, uint32_t stream,
			 struct bytes body)
{
	const uint8_t head[] = {(uint8_t)(body.size >> 16),
				(uint8_t)(body.size >> 8),
				(uint8_t)body.size,
				type,
				flags,
				(uint8_t)(stream >> 24),
				(uint8_t)(stream >> 16),
				(uint8_t)(stream >> 8),
				(uint8_t)stream};
	buffer_append(out, head, sizeof(head));
	buffer_append(out, body.data, body.size);
}

static void send_frame(struct stage *stage, uint8_t type, uint8_t flags, uint32_t stream,
		       struct bytes body)
{
	struct buffer out ATTR_BUFFER = {0};
	append_frame(&out, type, flags, stream, body);
	stage_send(stage, buffer_bytes(&out));
}

/* Literal, without indexing (RFC 7541 section 6.2.2). */
static void append_field(struct buffer *block, const char *name, const char *value)
{
	buffer_append_byte(block, 0);
	buffer_append_byte(block, (uint8_t)strlen(name));
	buffer_append(block, name, strlen(name));
	buffer_append_byte(block, (uint8_t)strlen(value));
	buffer_append(block, value, strlen(value));
}

static void append_head(struct buffer *block, const char *method, const char *path)
{
	append_field(block, ":method", method);
	append_field(block, ":path", path);
	append_field(block, ":scheme", "http");
	append_field(block, ":authority", "h");
}

static void request(struct stage *stage, uint32_t stream, uint8_t flags, const char *method,
		    const char *path)
{
	struct buffer block ATTR_BUFFER = {0};
	append_head(&block, method, path);
	send_frame(stage, HEADERS, flags | END_HEADERS, stream, buffer_bytes(&block));
}

static void get(struct stage *stage, uint32_t stream, const char *path)
{
	request(stage, stream, END_STREAM, "GET", path);
}

static void greet(struct stage *stage, struct bytes settings)
{
	stage_connect(stage);
	stage_say(stage, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	send_frame(stage, SETTINGS, 0, 0, settings);
}

static void open_stage(struct stage *stage, const struct http_limits *limits)
{
	stage_open(stage, limits);
	greet(stage, (struct bytes){0});
}

/* A frame of that type on that stream among what has come whole; its body, data NULL if none. */
static struct bytes found(const struct stage *stage, uint8_t type, uint32_t stream)
{
	struct bytes rest = buffer_bytes(&stage->received);
	while (rest.size >= 9) {
		const uint8_t *head = rest.data;
		size_t size = (size_t)(head[0] << 16 | head[1] << 8 | head[2]);
		uint32_t id = (uint32_t)(head[5] << 24 | head[6] << 16 | head[7] << 8 | head[8]);
		if (rest.size < 9 + size)
			break;
		rest = (struct bytes){rest.data + 9 + size, rest.size - 9 - size};
		if (head[3] == type && id == stream && !(type == SETTINGS && head[4] & ACK))
			return (struct bytes){head + 9, size};
	}
	return (struct bytes){0};
}

static struct bytes await(struct stage *stage, uint8_t type, uint32_t stream)
{
	while (!found(stage, type, stream).data)
		stage_turn(stage);
	return found(stage, type, stream);
}

static uint32_t number_at(struct bytes body, size_t at)
{
	assert_true(body.size >= at + 4);
	return (uint32_t)(body.data[at] << 24 | body.data[at + 1] << 16 | body.data[at + 2] << 8 |
			  body.data[at + 3]);
}

static void assert_reset(struct stage *stage, uint32_t stream, uint32_t error)
{
	assert_int_equal(number_at(await(stage, RST_STREAM, stream), 0), error);
}

static void assert_goaway(struct stage *stage, uint32_t error)
{
	stage_await_cut(stage);
	assert_int_equal(number_at(await(stage, GOAWAY, 0), 4), error);
}

/* ---- requests ---- */

static void test_requests_are_answered(void **state ATTR_UNUSED)
{
	struct stage stage;
	open_stage(&stage, NULL);
	get(&stage, 1, "/");
	assert_memory_equal(await(&stage, DATA, 1).data, "ok", 2);
	request(&stage, 3, 0, "POST", "/echo");
	send_frame(&stage, DATA, END_STREAM, 3, text_bytes(TEXT("body")));
	assert_memory_equal(await(&stage, DATA, 3).data, "body", 4);
	request(&stage, 5, END_STREAM, "OPTIONS", "*");
	await(&stage, HEADERS, 5);
	stage_await_count(&stage, &stage.completed, 3);
	stage_close(&stage);
}

static void test_authority_and_host_must_agree(void **state ATTR_UNUSED)
{
	static const char *const hosts[] = {"h", "other"};
	struct stage stage;
	open_stage(&stage, NULL);
	for (uint32_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct buffer block ATTR_BUFFER = {0};
		append_head(&block, "GET", "/");
		append_field(&block, "host", hosts[i]);
		send_frame(&stage, HEADERS, END_STREAM | END_HEADERS, 1 + 2 * i,
			   buffer_bytes(&block));
	}
	assert_memory_equal(await(&stage, DATA, 3).data, "refused 400", 11);
	await(&stage, DATA, 1);
	assert_int_equal(stage.requests, 1);
	stage_close(&stage);
}

static void test_targets_that_are_refused(void **state ATTR_UNUSED)
{
	static const char *const targets[] = {"/a#b", "/\xc3\xa4", "*"};
	struct stage stage;
	open_stage(&stage, NULL);
	for (uint32_t i = 0; i < ARRAY_SIZE(targets); i++) {
		get(&stage, 1 + 2 * i, targets[i]); /* nghttp2 resets some before we see them */
		while (!found(&stage, RST_STREAM, 1 + 2 * i).data &&
		       !found(&stage, DATA, 1 + 2 * i).data)
			stage_turn(&stage);
	}
	assert_int_equal(stage.requests, 0);
	assert_false(stage_has(&stage, "ok"));
	stage_close(&stage);
}

static void test_too_large_a_head_is_refused(void **state ATTR_UNUSED)
{
	struct stage stage;
	open_stage(&stage, &hasty);
	char value[101] = {0};
	memset(value, 'v', 100);
	struct buffer block ATTR_BUFFER = {0};
	append_head(&block, "GET", "/");
	for (int i = 0; i < 60; i++)
		append_field(&block, "x-field", value);
	send_frame(&stage, HEADERS, END_STREAM | END_HEADERS, 1, buffer_bytes(&block));
	assert_memory_equal(await(&stage, DATA, 1).data, "refused 431", 11);
	assert_int_equal(stage.requests, 0);
	stage_close(&stage);
}

static void test_an_early_answer_ends_with_a_reset_that_is_no_error(void **state ATTR_UNUSED)
{
	struct stage stage;
	open_stage(&stage, NULL);
	request(&stage, 1, 0, "POST", "/early");
	assert_reset(&stage, 1, 0);
	assert_memory_equal(found(&stage, DATA, 1).data, "too much", 8);
	stage_await_count(&stage, &stage.completed, 1);
	stage_close(&stage);
}

/* ---- clocks ---- */

static void test_a_body_that_never_comes_resets_its_stream(void **state ATTR_UNUSED)
{
	struct stage stage;
	open_stage(&stage, &hasty);
	request(&stage, 1, 0, "POST", "/wait");
	assert_reset(&stage, 1, 8);
	stage_await_count(&stage, &stage.given_up, 1);
	get(&stage, 3, "/"); /* the connection lives on */
	await(&stage, DATA, 3);
	stage_close(&stage);
}

static void test_a_body_that_the_user_does_not_take_has_no_clock(void **state ATTR_UNUSED)
{
	struct stage stage;
	open_stage(&stage, &hasty);
	request(&stage, 1, 0, "POST", "/stopped");
	request(&stage, 3, 0, "POST", "/wait"); /* its clock runs out after that of the first */
	assert_reset(&stage, 3, 8);
	assert_null(found(&stage, RST_STREAM, 1).data);
	stage_close(&stage);
}

static void test_an_unfinished_head_ends_the_connection(void **state ATTR_UNUSED)
{
	struct stage stage;
	struct buffer block ATTR_BUFFER = {0};
	open_stage(&stage, &hasty);
	append_head(&block, "GET", "/");
	send_frame(&stage, HEADERS, END_STREAM, 1, buffer_bytes(&block));
	assert_goaway(&stage, 0);
	assert_int_equal(stage.requests, 0);
	stage_close(&stage);
}

static void test_a_window_that_stays_shut_resets_its_stream(void **state ATTR_UNUSED)
{
	static const uint8_t shut[] = {0, WINDOW_SETTING, 0, 0, 0, 0};
	struct stage stage;
	stage_open(&stage, &hasty);
	greet(&stage, (struct bytes){shut, sizeof(shut)});
	get(&stage, 1, "/big");
	assert_reset(&stage, 1, 8);
	stage_await_count(&stage, &stage.given_up, 1);
	stage_close(&stage);
}

static void test_a_feed_without_news_has_no_clock(void **state ATTR_UNUSED)
{
	struct stage stage;
	open_stage(&stage, &hasty);
	get(&stage, 1, "/silent");
	await(&stage, DATA, 1);
	request(&stage, 3, 0, "POST", "/wait");
	assert_reset(&stage, 3, 8);
	assert_null(found(&stage, RST_STREAM, 1).data);
	stage_close(&stage);
}

static void test_an_idle_connection_is_told_goodbye(void **state ATTR_UNUSED)
{
	struct http_limits limits = hasty;
	struct stage stage;
	limits.idle_ms = 200;
	open_stage(&stage, &limits);
	get(&stage, 1, "/");
	assert_goaway(&stage, 0);
	assert_int_equal(stage.completed, 1);
	stage_close(&stage);
}

/* What a stream that is gone had not been taken of counts no more against the connection. */
static void test_bodies_that_nobody_took_leave_room(void **state ATTR_UNUSED)
{
	static const uint8_t cancel[] = {0, 0, 0, 8};
	static const uint8_t piece[16 << 10] = {0};
	struct stage stage;
	open_stage(&stage, NULL);
	send_frame(&stage, SETTINGS, ACK, 0, (struct bytes){0}); /* its windows are larger */
	for (uint32_t i = 0; i < 8; i++) {
		request(&stage, 1 + 2 * i, 0, "POST", "/stopped");
		for (int k = 0; k < 12; k++)
			send_frame(&stage, DATA, 0, 1 + 2 * i,
				   (struct bytes){piece, sizeof(piece)});
		send_frame(&stage, RST_STREAM, 0, 1 + 2 * i, (struct bytes){cancel, 4});
		stage_await_count(&stage, &stage.given_up, i + 1);
	}
	get(&stage, 101, "/");
	await(&stage, DATA, 101);
	assert_int_equal(stage.body_bytes, 8 * 12 * sizeof(piece));
	assert_null(found(&stage, GOAWAY, 0).data);
	stage_close(&stage);
}

/* ---- floods ---- */

enum { FLOOD = 3000 };

static void test_streams_reset_at_once_end_the_connection(void **state ATTR_UNUSED)
{
	static const uint8_t cancel[] = {0, 0, 0, 8};
	struct stage stage;
	open_stage(&stage, NULL);
	for (uint32_t i = 0; i < FLOOD && !stage.is_cut; i++) {
		get(&stage, 1 + 2 * i, "/wait");
		send_frame(&stage, RST_STREAM, 0, 1 + 2 * i, (struct bytes){cancel, 4});
	}
	assert_goaway(&stage, 11);
	assert_true(stage.requests < FLOOD / 2);
	assert_int_equal(stage.given_up, stage.requests);
	stage_close(&stage);
}

static void test_pings_and_settings_in_floods_end_the_connection(void **state ATTR_UNUSED)
{
	static const uint8_t opaque[8] = {0};
	static const uint8_t types[] = {PING, SETTINGS};
	struct stage stage;
	stage_open(&stage, NULL);
	for (size_t k = 0; k < ARRAY_SIZE(types); k++) {
		greet(&stage, (struct bytes){0});
		size_t size = types[k] == PING ? sizeof(opaque) : 0;
		for (int i = 0; i < FLOOD && !stage.is_cut; i++)
			send_frame(&stage, types[k], 0, 0, (struct bytes){opaque, size});
		assert_goaway(&stage, 11);
	}
	stage_close(&stage);
}

static void test_a_head_in_endless_frames_ends_the_connection(void **state ATTR_UNUSED)
{
	struct stage stage;
	struct buffer block ATTR_BUFFER = {0};
	open_stage(&stage, NULL);
	append_head(&block, "GET", "/");
	send_frame(&stage, HEADERS, END_STREAM, 1, buffer_bytes(&block));
	for (int i = 0; i < FLOOD && !stage.is_cut; i++)
		send_frame(&stage, CONTINUATION, 0, 1, (struct bytes){0});
	stage_await_cut(&stage);
	assert_int_equal(stage.requests, 0);
	stage_close(&stage);
}

/* ---- the stop ---- */

static void test_a_stop_gives_notice_and_finishes(void **state ATTR_UNUSED)
{
	struct stage stage;
	open_stage(&stage, NULL);
	get(&stage, 1, "/wait");
	stage_await_count(&stage, &stage.requests, 1);
	stage_stop(&stage);
	assert_int_equal(number_at(await(&stage, GOAWAY, 0), 0), INT32_MAX);
	struct bytes ping = await(&stage, PING, 0);
	struct buffer answer ATTR_BUFFER = {0};
	append_frame(&answer, PING, ACK, 0, ping);
	stage_forget(&stage);
	stage_send(&stage, buffer_bytes(&answer));
	assert_int_equal(number_at(await(&stage, GOAWAY, 0), 0), 1);
	stage_answer(&stage);
	stage_await_cut(&stage);
	assert_memory_equal(found(&stage, DATA, 1).data, "answered", 8);
	stage_disconnect(&stage);
	while (!stage.is_stopped)
		stage_turn(&stage);
	assert_int_equal(stage.completed, 1);
	stage_close(&stage);
}

/* Those that are open when the connection goes are told of, each once. */
static void test_a_lost_connection_ends_all_streams(void **state ATTR_UNUSED)
{
	struct stage stage;
	open_stage(&stage, NULL);
	get(&stage, 1, "/wait");
	get(&stage, 3, "/silent");
	request(&stage, 5, 0, "POST", "/echo");
	stage_await_count(&stage, &stage.requests, 3);
	stage_disconnect(&stage);
	stage_await_count(&stage, &stage.given_up, 3);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_requests_are_answered),
	    cmocka_unit_test(test_authority_and_host_must_agree),
	    cmocka_unit_test(test_targets_that_are_refused),
	    cmocka_unit_test(test_too_large_a_head_is_refused),
	    cmocka_unit_test(test_an_early_answer_ends_with_a_reset_that_is_no_error),
	    cmocka_unit_test(test_a_body_that_never_comes_resets_its_stream),
	    cmocka_unit_test(test_a_body_that_the_user_does_not_take_has_no_clock),
	    cmocka_unit_test(test_an_unfinished_head_ends_the_connection),
	    cmocka_unit_test(test_a_window_that_stays_shut_resets_its_stream),
	    cmocka_unit_test(test_a_feed_without_news_has_no_clock),
	    cmocka_unit_test(test_bodies_that_nobody_took_leave_room),
	    cmocka_unit_test(test_an_idle_connection_is_told_goodbye),
	    cmocka_unit_test(test_streams_reset_at_once_end_the_connection),
	    cmocka_unit_test(test_pings_and_settings_in_floods_end_the_connection),
	    cmocka_unit_test(test_a_head_in_endless_frames_ends_the_connection),
	    cmocka_unit_test(test_a_stop_gives_notice_and_finishes),
	    cmocka_unit_test(test_a_lost_connection_ends_all_streams),
	};
	return cmocka_run_group_tests_name("http2", tests, NULL, NULL);
}
