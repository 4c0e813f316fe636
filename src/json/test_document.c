#include "wire/codec.h"
#include "json/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int parse(struct text json, struct document **document, struct document_error *error)
{
	return document_parse(text_bytes(json), 1 << 20, document, error);
}

/* Every text here must be refused, whatever a lenient reader would make of it. */
static void refuses_what_is_not_strict_json(void **state ATTR_UNUSED)
{
	static const struct text refused[] = {
	    TEXT(""),
	    TEXT(" "),
	    TEXT("{"),
	    TEXT("{}x"),
	    TEXT("{} {}"),
	    TEXT("{\"a\":1,\"a\":2}"),
	    TEXT("{\"a\":1,\"\\u0061\":2}"),
	    TEXT("{\"a\":1,}"),
	    TEXT("[1,]"),
	    TEXT("[01]"),
	    TEXT("[1.]"),
	    TEXT("[.5]"),
	    TEXT("[+1]"),
	    TEXT("[NaN]"),
	    TEXT("[1e400]"),
	    TEXT("[99999999999999999999]"),
	    TEXT("{'a':1}"),
	    TEXT("{a:1}"),
	    TEXT("[\"\t\"]"),
	    TEXT("[\"\\x41\"]"),
	    TEXT("[\"\\ud800\"]"),
	    TEXT("[\"\xff\"]"),
	    TEXT("[\"\xc0\xaf\"]"),
	    TEXT("[\"\xed\xa0\x80\"]"),
	    TEXT("\xef\xbb\xbf{}"),
	    TEXT("[1]//x"),
	    TEXT("[tru]"),
	    TEXT("{\"a\\u0000b\":1}"),
	    TEXT("{}\0"),
	};
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct document *document ATTR_DOCUMENT = NULL;
		struct document_error error = {0};
		if (parse(refused[i], &document, &error) != 1)
			fail_msg("taken: %s", refused[i].data);
		assert_null(document);
		assert_true(error.message[0] != '\0');
		assert_true(error.position <= refused[i].size ||
			    error.position == DOCUMENT_NO_POSITION);
	}
}

static struct text nested(char *out, size_t depth)
{
	memset(out, '[', depth);
	memset(out + depth, ']', depth);
	return (struct text){out, 2 * depth};
}

static void refuses_deep_nesting_at_its_position(void **state ATTR_UNUSED)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_error error;
	char *text = malloc(200000);
	assert_int_equal(parse(nested(text, DOCUMENT_DEPTH_LIMIT), &document, &error), 0);
	document_free(&document);
	assert_int_equal(parse(nested(text, DOCUMENT_DEPTH_LIMIT + 1), &document, &error), 1);
	assert_int_equal(error.position, DOCUMENT_DEPTH_LIMIT);
	assert_int_equal(parse(nested(text, 100000), &document, &error), 1);
	free(text);
}

static void brackets_inside_strings_do_not_nest(void **state ATTR_UNUSED)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_error error;
	struct buffer json ATTR_BUFFER = {0};
	buffer_append(&json, "[\"\\\"", 4);
	for (int i = 0; i < 1000; i++)
		buffer_append_byte(&json, '[');
	buffer_append(&json, "\"]", 2);
	assert_int_equal(parse(buffer_text(&json), &document, &error), 0);
}

static void refuses_too_many_values_and_too_many_bytes(void **state ATTR_UNUSED)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_error error;
	struct buffer json ATTR_BUFFER = {0};
	buffer_append_byte(&json, '[');
	for (int i = 0; i < DOCUMENT_VALUES_LIMIT; i++)
		buffer_append(&json, "1,", 2);
	buffer_append(&json, "1]", 2);
	assert_int_equal(parse(buffer_text(&json), &document, &error), 1);
	assert_int_equal(document_parse(text_bytes(TEXT("{}")), 1, &document, &error), 1);
	assert_int_equal(document_parse(text_bytes(TEXT("{}")), 2, &document, &error), 0);
}

static void writes_equal_values_as_equal_bytes(void **state ATTR_UNUSED)
{
	struct document *a ATTR_DOCUMENT = NULL, *b ATTR_DOCUMENT = NULL;
	struct document_error error;
	struct buffer first ATTR_BUFFER = {0}, second ATTR_BUFFER = {0};
	assert_int_equal(parse(TEXT("{\"b\": [1, null], \"a\":\"\\u00e9\"}"), &a, &error), 0);
	assert_int_equal(parse(TEXT("{\"a\":\"\xc3\xa9\",\"b\":[1,null]}"), &b, &error), 0);
	assert_int_equal(document_write(document_root(a), true, &first), 0);
	assert_int_equal(document_write(document_root(b), true, &second), 0);
	assert_true(text_equal(buffer_text(&first), buffer_text(&second)));
	assert_true(text_equal(buffer_text(&first), TEXT("{\"a\":\"\xc3\xa9\",\"b\":[1,null]}")));
}

struct target {
	struct text name;
	uint64_t count;
	bool flag;
	int64_t time;
	struct wire_list list;
	const struct document_value *object;
};

static const struct document_field fields[] = {
    {"name", DOCUMENT_TEXT, .required = true, .offset = offsetof(struct target, name), .minimum = 1,
     .limit = 8},
    {"count", DOCUMENT_U64, .offset = offsetof(struct target, count), .minimum = 1, .limit = 10},
    {"flag", DOCUMENT_BOOL, .offset = offsetof(struct target, flag)},
    {"time", DOCUMENT_TIME, .nullable = true, .offset = offsetof(struct target, time)},
    {"list", DOCUMENT_TEXT_LIST, .offset = offsetof(struct target, list), .limit = 2},
    {"object", DOCUMENT_OBJECT, .offset = offsetof(struct target, object)},
};

struct bound {
	struct document *document;
	struct arena arena;
	struct target target;
	uint64_t present;
	struct document_error error;
};

static int bind(struct text json, struct bound *bound)
{
	*bound = (struct bound){0};
	assert_int_equal(parse(json, &bound->document, &bound->error), 0);
	return document_bind(document_root(bound->document),
			     (struct document_table){fields, ARRAY_SIZE(fields)}, &bound->arena,
			     &bound->target, &bound->present, &bound->error);
}

static void unbind(struct bound *bound)
{
	document_free(&bound->document);
	arena_free(&bound->arena);
}

static void binds_every_type(void **state ATTR_UNUSED)
{
	struct bound bound;
	assert_int_equal(bind(TEXT("{\"name\":\"n\",\"count\":10,\"flag\":true,\"time\":\"2026-01-"
				   "02T03:04:05.678Z\","
				   "\"list\":[\"a\",\"b\"],\"object\":{\"x\":1}}"),
			      &bound),
			 0);
	assert_true(text_equal(bound.target.name, TEXT("n")));
	assert_int_equal(bound.target.count, 10);
	assert_true(bound.target.flag);
	assert_int_equal(bound.target.time, 1767323045678);
	assert_int_equal(bound.target.list.count, 2);
	assert_true(text_equal(((struct text *)bound.target.list.items)[1], TEXT("b")));
	assert_int_equal(document_integer(document_member(bound.target.object, "x")), 1);
	assert_int_equal(bound.present, 0x3f);
	unbind(&bound);

	assert_int_equal(bind(TEXT("{\"name\":\"n\",\"time\":null}"), &bound), 0);
	assert_int_equal(bound.present, 1 << 0 | 1 << 3);
	assert_int_equal(bound.target.time, 0);
	unbind(&bound);
}

static void refuses_members_that_the_table_does_not_allow(void **state ATTR_UNUSED)
{
	static const struct {
		struct text json;
		const char *says;
	} cases[] = {
	    {TEXT("[]"), "object"},
	    {TEXT("{}"), "\"name\" is required"},
	    {TEXT("{\"name\":\"n\",\"nam\\u00e9\":1}"), "unknown field \"nam\xc3\xa9\""},
	    {TEXT("{\"name\":\"n\",\"a\\u001bb\":1}"), "unknown field \"a?b\""},
	    {TEXT("{\"name\":\"\"}"), "must not be empty"},
	    {TEXT("{\"name\":\"123456789\"}"), "more than 8"},
	    {TEXT("{\"name\":\"a\\u0000\"}"), "NUL"},
	    {TEXT("{\"name\":null}"), "must be a string"},
	    {TEXT("{\"name\":\"n\",\"count\":0}"), "1 to 10"},
	    {TEXT("{\"name\":\"n\",\"count\":11}"), "1 to 10"},
	    {TEXT("{\"name\":\"n\",\"count\":-1}"), "1 to 10"},
	    {TEXT("{\"name\":\"n\",\"count\":1.0}"), "1 to 10"},
	    {TEXT("{\"name\":\"n\",\"flag\":1}"), "true or false"},
	    {TEXT("{\"name\":\"n\",\"time\":\"yesterday\"}"), "RFC 3339"},
	    {TEXT("{\"name\":\"n\",\"list\":[\"a\",\"b\",\"c\"]}"), "at most 2"},
	    {TEXT("{\"name\":\"n\",\"list\":[1]}"), "must be a string"},
	    {TEXT("{\"name\":\"n\",\"object\":[]}"), "must be an object"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bound bound;
		assert_int_equal(bind(cases[i].json, &bound), 1);
		if (!strstr(bound.error.message, cases[i].says))
			fail_msg("%s: %s", cases[i].json.data, bound.error.message);
		unbind(&bound);
	}
}

static void shortens_foreign_names_between_characters(void **state ATTR_UNUSED)
{
	char out[DOCUMENT_NAME_SIZE];
	char name[400];
	for (size_t i = 0; i < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xa9", 2);
	for (size_t shift = 0; shift < 2; shift++) {
		name[0] = 'x';
		document_name(out, (struct text){name + 1 - shift, sizeof(name) - 1});
		assert_true(strlen(out) < DOCUMENT_NAME_SIZE);
	}
	char whole[200];
	memset(whole, 'a', sizeof(whole));
	assert_int_equal(strlen(document_name(out, (struct text){whole, 200})),
			 DOCUMENT_NAME_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_what_is_not_strict_json),
	    cmocka_unit_test(refuses_deep_nesting_at_its_position),
	    cmocka_unit_test(brackets_inside_strings_do_not_nest),
	    cmocka_unit_test(refuses_too_many_values_and_too_many_bytes),
	    cmocka_unit_test(writes_equal_values_as_equal_bytes),
	    cmocka_unit_test(binds_every_type),
	    cmocka_unit_test(refuses_members_that_the_table_does_not_allow),
	    cmocka_unit_test(shortens_foreign_names_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
