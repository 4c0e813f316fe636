#include "proc/gateway/socket_message.h"

#include "proc/gateway/test.h"

struct parsed {
	struct arena arena;
	struct document *document;
	struct socket_message message;
	struct document_error error;
};

static int parse(struct parsed *parsed, const char *json)
{
	*parsed = (struct parsed){0};
	return socket_message_parse(text_bytes(text_of(json)), &parsed->arena, &parsed->document,
				    &parsed->message, &parsed->error);
}

static void release(struct parsed *parsed)
{
	document_free(&parsed->document);
	arena_free(&parsed->arena);
}

static void assert_outcome(const char *json, int expected)
{
	struct parsed parsed;
	assert_int_equal(parse(&parsed, json), expected);
	release(&parsed);
}

static void test_subscribe(void **state)
{
	(void)state;
	struct parsed p;
	assert_int_equal(
	    parse(&p,
		  "{\"type\":\"subscribe\",\"id\":\"s1\",\"project\":\"prj_x\",\"stream\":\"chat\","
		  "\"cursor\":\"c\",\"from\":\"start\"}"),
	    0);
	assert_int_equal(p.message.type, SOCKET_SUBSCRIBE);
	assert_true(text_equal(p.message.id, TEXT("s1")));
	assert_true(text_equal(p.message.project, TEXT("prj_x")));
	assert_true(text_equal(p.message.stream, TEXT("chat")));
	assert_true(text_equal(p.message.cursor, TEXT("c")));
	assert_null(p.message.operation.data);
	release(&p);
}

static void test_bodies(void **state)
{
	(void)state;
	static const struct {
		const char *message;
		const char *body;
	} cases[] = {
	    {"{\"type\":\"input\",\"operation\":\"op_x\",\"data\":\"a\\u0000\\n\",\"eof\":true}",
	     "{\"data\":\"a\\u0000\\n\",\"eof\":true}"},
	    {"{\"type\":\"input\",\"operation\":\"op_x\",\"dataBase64\":\"AA==\"}",
	     "{\"dataBase64\":\"AA==\"}"},
	    {"{\"type\":\"signal\",\"id\":\"1\",\"operation\":\"op_x\",\"signal\":\"SIGINT\"}",
	     "{\"signal\":\"SIGINT\"}"},
	    {"{\"type\":\"resize\",\"operation\":\"op_x\",\"cols\":80,\"rows\":24}",
	     "{\"cols\":80,\"rows\":24}"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed p;
		assert_int_equal(parse(&p, cases[i].message), 0);
		ATTR_BUFFER struct buffer out = {0};
		socket_message_body(&p.message, &out);
		assert_true(text_equal(buffer_text(&out), text_of(cases[i].body)));
		release(&p);
	}
}

static void test_what_cannot_go_on(void **state)
{
	(void)state;
	static const char *const broken[] = {
	    "",
	    "x",
	    "[]",
	    "null",
	    "{\"type\":\"subscribe\"",
	    "{\"id\":\"1\"}",
	    "{}",
	    "{\"type\":1}",
	    "{\"type\":\"x\"}",
	    "{\"type\":\"ping\",\"type\":\"ping\"}",
	    "{\"type\":\"ping\"} {}",
	    "{\"type\":\"\xff\"}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
		assert_outcome(broken[i], SOCKET_MESSAGE_BROKEN);
}

static void test_what_is_answered_with_an_error(void **state)
{
	(void)state;
	static const char *const refused[] = {
	    "{\"type\":\"subscribe\",\"operation\":\"op_x\"}",
	    "{\"type\":\"subscribe\",\"id\":\"\",\"operation\":\"op_x\"}",
	    "{\"type\":\"subscribe\",\"id\":\"1\"}",
	    "{\"type\":\"subscribe\",\"id\":\"1\",\"operation\":\"op_x\",\"project\":\"prj_x\"}",
	    "{\"type\":\"subscribe\",\"id\":\"1\",\"stream\":\"s\"}",
	    "{\"type\":\"subscribe\",\"id\":\"1\",\"operation\":\"op_x\",\"from\":\"middle\"}",
	    "{\"type\":\"ping\",\"extra\":1}",
	    "{\"type\":\"resize\",\"operation\":\"op_x\",\"cols\":0,\"rows\":1}",
	    "{\"type\":\"resize\",\"operation\":\"op_x\",\"cols\":70000,\"rows\":1}",
	    "{\"type\":\"signal\",\"operation\":\"op_x\"}",
	    "{\"type\":\"input\",\"operation\":\"op_x\",\"eof\":1}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_outcome(refused[i], SOCKET_MESSAGE_REFUSED);
	struct parsed p;
	assert_int_equal(parse(&p, "{\"type\":\"signal\",\"id\":\"7\",\"x\":1}"),
			 SOCKET_MESSAGE_REFUSED);
	assert_true(text_equal(p.message.id, TEXT("7"))); /* the answer names the message */
	release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_subscribe),
	    cmocka_unit_test(test_bodies),
	    cmocka_unit_test(test_what_cannot_go_on),
	    cmocka_unit_test(test_what_is_answered_with_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
