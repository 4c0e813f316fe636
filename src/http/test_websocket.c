/* WebSockets as a client sees them, in raw frames: messages, broken rules, clocks, back-pressure.
 */
#include "http/server_internal.h"
#include "http/test_stage.h"

#include <errno.h>
#include <sys/socket.h>

enum { TEXT_FRAME = 0x81, BINARY_FRAME = 0x82, CLOSE = 0x88, PING = 0x89, PONG = 0x8a };

static const struct http_limits hasty = {.connections = 10,
					 .head_bytes = 4096,
					 .head_ms = 60000,
					 .body_ms = 60000,
					 .idle_ms = 400,
					 .stalled_ms = 60000,
					 .message_bytes = 1024};

/* A frame of a client: masked, here with zeros. */
static void append_frame(struct buffer *out, uint8_t first, struct text body)
{
	assert_true(body.size < 0x10000);
	buffer_append_byte(out, first);
	if (body.size < 126) {
		buffer_append_byte(out, (uint8_t)(0x80 | body.size));
	} else {
		buffer_append_byte(out, 0x80 | 126);
		buffer_append_byte(out, (uint8_t)(body.size >> 8));
		buffer_append_byte(out, (uint8_t)body.size);
	}
	buffer_append(out, "\0\0\0\0", 4);
	buffer_append_text(out, body);
}

static void send_frame(struct stage *stage, uint8_t first, struct text body)
{
	struct buffer out ATTR_BUFFER = {0};
	append_frame(&out, first, body);
	stage_send(stage, buffer_bytes(&out));
}

static void upgrade(struct stage *stage)
{
	stage_connect(stage);
	stage_say(stage,
		  "GET /socket HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n"
		  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	stage_await_text(stage, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
	stage_forget(stage);
}

static void open_stage(struct stage *stage, const struct http_limits *limits)
{
	stage_open(stage, limits);
	upgrade(stage);
}

static void assert_close(struct stage *stage, uint16_t code)
{
	const char wanted[] = {(char)(code >> 8), (char)code};
	const uint8_t *at;
	stage_await_cut(stage);
	assert_true(stage->received.size >= 4);
	at = memchr(stage->received.data, CLOSE, stage->received.size);
	assert_non_null(at);
	assert_memory_equal(at + 2, wanted, 2);
}

static void test_messages_go_both_ways(void **state ATTR_UNUSED)
{
	struct stage stage;
	open_stage(&stage, NULL);
	send_frame(&stage, TEXT_FRAME, TEXT("hello"));
	stage_await_text(&stage, "\x81\x05hello");
	send_frame(&stage, 0x01, TEXT("in two "));
	send_frame(&stage, PING, TEXT("between"));
	send_frame(&stage, 0x80, TEXT("parts"));
	stage_await_text(&stage, "\x8a\x07"
				 "between");
	stage_await_text(&stage, "\x81\x0cin two parts");
	send_frame(&stage, CLOSE, TEXT("\x03\xe8"));
	assert_close(&stage, 1000);
	assert_int_equal(stage.completed, 1);
	stage_close(&stage);
}

static void test_what_is_no_upgrade_is_refused(void **state ATTR_UNUSED)
{
	static const char *const requests[] = {
	    "GET /socket HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
	    "GET /socket HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: "
	    "websocket\r\n"
	    "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	    "GET /socket HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: "
	    "websocket\r\n"
	    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dG9vIHNob3J0\r\n\r\n",
	};
	struct stage stage;
	stage_open(&stage, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		stage_connect(&stage);
		stage_say(&stage, requests[i]);
		stage_await_cut(&stage);
		assert_true(stage_has(&stage, "HTTP/1.1 426 "));
	}
	stage_close(&stage);
}

static void test_broken_rules_end_it(void **state ATTR_UNUSED)
{
	char large[2000];
	memset(large, 'x', sizeof(large));
	const struct {
		uint8_t first;
		struct text body;
		uint16_t code;
	} broken[] = {
	    {TEXT_FRAME, TEXT("\xc0\xaf"), 1007}, /* overlong UTF-8 */
	    {BINARY_FRAME, TEXT("x"), 1003},
	    {TEXT_FRAME, {large, sizeof(large)}, 1009},
	    {0x83, TEXT("x"), 1002}, /* an opcode that does not exist */
	    {0xc1, TEXT("x"), 1002}, /* an extension that was not agreed */
	    {0x80, TEXT("x"), 1002}, /* goes on with nothing */
	};
	struct stage stage;
	stage_open(&stage, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		upgrade(&stage);
		send_frame(&stage, broken[i].first, broken[i].body);
		if (broken[i].code == 1003) /* ours to say, and then the client answers */
			send_frame(&stage, CLOSE, TEXT("\x03\xeb"));
		assert_close(&stage, broken[i].code);
	}
	upgrade(&stage);
	stage_say(&stage, "\x81\x05hello"); /* not masked */
	assert_close(&stage, 1002);
	stage_close(&stage);
}

/* ---- clocks ---- */

static void test_a_silent_client_is_asked_and_then_cut(void **state ATTR_UNUSED)
{
	struct stage stage;
	open_stage(&stage, &hasty);
	stage_await_text(&stage, "\x89");
	send_frame(&stage, PONG, TEXT(""));
	stage_forget(&stage);
	stage_await_text(&stage, "\x89"); /* it was heard, and is asked anew */
	stage_await_cut(&stage);
	stage_await_count(&stage, &stage.given_up, 1);
	stage_close(&stage);
}

static void test_a_close_that_is_not_answered_ends_all_the_same(void **state ATTR_UNUSED)
{
	struct stage stage;
	open_stage(&stage, NULL);
	stage_stop(&stage);
	assert_close(&stage, 1001);
	assert_int_equal(stage.completed, 1);
	stage_disconnect(&stage);
	while (!stage.is_stopped)
		stage_turn(&stage);
	stage_close(&stage);
}

/* ---- back-pressure ---- */

enum { REFUSALS = 200 }; /* of the kernel in a row: the server reads no more */

static size_t push_pings(struct stage *stage)
{
	struct buffer frame ATTR_BUFFER = {0};
	size_t pushed = 0, refused = 0;
	char body[125] = {0};
	for (int i = 0; i < 256; i++)
		append_frame(&frame, PING, (struct text){body, sizeof(body)});
	while (refused < REFUSALS) {
		ssize_t n = send(stage->client, frame.data + pushed % frame.size,
				 frame.size - pushed % frame.size, MSG_NOSIGNAL);
		assert_true(n > 0 || errno == EAGAIN);
		refused = n > 0 ? 0 : refused + 1;
		pushed += n > 0 ? (size_t)n : 0;
		loop_turn(stage->loop);
	}
	return pushed;
}

static void test_pings_of_a_client_that_does_not_read_take_no_memory(void **state ATTR_UNUSED)
{
	struct stage stage;
	open_stage(&stage, NULL);
	loop_watch_change(&stage.watch, 0);
	size_t pushed = push_pings(&stage);
	const struct http_connection *connection =
	    list_first(&stage.server->connections, struct http_connection, node);
	assert_in_range(http_connection_backlog(connection), HTTP_BACKLOG_HIGH,
			HTTP_BACKLOG_HIGH + (64 << 10));
	loop_watch_change(&stage.watch, LOOP_READABLE);
	size_t whole = pushed / (125 + 6); /* a pong has no mask, and so four bytes less */
	while (stage.received.size < whole * (125 + 2))
		stage_turn(&stage);
	assert_int_equal(stage.received.size, whole * (125 + 2));
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_messages_go_both_ways),
	    cmocka_unit_test(test_what_is_no_upgrade_is_refused),
	    cmocka_unit_test(test_broken_rules_end_it),
	    cmocka_unit_test(test_a_silent_client_is_asked_and_then_cut),
	    cmocka_unit_test(test_a_close_that_is_not_answered_ends_all_the_same),
	    cmocka_unit_test(test_pings_of_a_client_that_does_not_read_take_no_memory),
	};
	return cmocka_run_group_tests_name("websocket", tests, NULL, NULL);
}
