/* The contract that is served, held against the tables that the server works by. */
#include "proc/gateway/openapi.h"
#include "proto/api.h"
#include "proto/event.h"
#include "proto/operation.h"
#include "proto/problem.h"
#include "json/document.h"

#include "proc/gateway/test.h"

#include <stdio.h>

static struct document *document;

static int parse(void **state)
{
	(void)state;
	struct document_error error;
	return document_parse(openapi_document, 16 << 20, &document, &error);
}

static int release(void **state)
{
	(void)state;
	document_free(&document);
	return 0;
}

static const struct document_value *walk(const struct document_value *at, const char *const *names)
{
	for (; at && *names; names++)
		at = document_member(at, *names);
	return at;
}

static const struct document_value *schema(const char *name)
{
	const char *const path[] = {"components", "schemas", name, NULL};
	const struct document_value *value = walk(document_root(document), path);
	if (!value)
		fail_msg("no schema %s", name);
	return value;
}

/* "{path...}" of the table is "{path}" in OpenAPI. */
static void contract_path(const char *path, char out[256])
{
	const char *rest = strstr(path, "...}");
	int size = rest ? (int)(rest - path) : (int)strlen(path);
	snprintf(out, 256, "%.*s%s", size, path, rest ? "}" : "");
}

static void contract_method(const char *method, char out[16])
{
	size_t i = 0;
	for (; method[i]; i++)
		out[i] = (char)(method[i] | 0x20);
	out[i] = 0;
}

static const struct document_value *find_call(const struct api_route *route)
{
	char path[256], method[16];
	contract_path(route->path, path);
	contract_method(route->method, method);
	const char *const names[] = {"paths", path, method, NULL};
	return walk(document_root(document), names);
}

static void test_every_call_is_described(void **state)
{
	(void)state;
	for (size_t i = 0; i < API_CALLS; i++) {
		const struct document_value *call = find_call(&api_routes[i]);
		if (!call)
			fail_msg("%s %s is not in openapi.yaml", api_routes[i].method,
				 api_routes[i].path);
		assert_non_null(document_member(call, "operationId"));
		bool takes_body = api_routes[i].flags & (API_BODY_JSON | API_BODY_RAW);
		assert_int_equal(takes_body, document_member(call, "requestBody") != NULL);
	}
}

static void test_no_other_call_is_described(void **state)
{
	(void)state;
	const char *const names[] = {"paths", NULL};
	struct document_iterator path = {0};
	size_t calls = 0;
	while (document_next(walk(document_root(document), names), &path)) {
		struct document_iterator method = {0};
		while (document_next(path.value, &method))
			calls += !text_equal(method.name, TEXT("parameters"));
	}
	assert_int_equal(calls, API_CALLS);
}

static bool enum_has(const struct document_value *owner, const char *name)
{
	const struct document_value *list = document_member(owner, "enum");
	for (size_t i = 0; i < document_count(list); i++)
		if (text_equal(document_text(document_element(list, i)), text_of(name)))
			return true;
	return false;
}

static bool schema_has(const struct document_value *input, const char *field)
{
	return document_member(document_member(input, "properties"), field) != NULL;
}

static bool is_required(const struct document_value *input, const char *field)
{
	const struct document_value *list = document_member(input, "required");
	for (size_t i = 0; list && i < document_count(list); i++)
		if (text_equal(document_text(document_element(list, i)), text_of(field)))
			return true;
	return false;
}

static bool has_base64_form(const struct operation_field *field)
{
	return field->type == FIELD_CONTENT || field->type == FIELD_STDIN;
}

static void check_field(const struct document_value *input, const struct operation_field *field,
			size_t *known)
{
	char base64[64];
	snprintf(base64, sizeof(base64), "%sBase64", field->name);
	if (!schema_has(input, field->name))
		fail_msg("field %s is not in openapi.yaml", field->name);
	*known += 1;
	if (has_base64_form(field)) {
		assert_true(schema_has(input, base64));
		*known += 1;
	} else {
		assert_int_equal(is_required(input, field->name), field->required);
	}
}

static void test_inputs_are_those_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPERATION_KINDS; i++) {
		char name[64];
		snprintf(name, sizeof(name), "Input.%s", operation_types[i].name);
		assert_true(enum_has(schema("OperationType"), operation_types[i].name));
		const struct document_value *input = schema(name);
		size_t known = 0;
		for (size_t f = 0; f < operation_types[i].n_fields; f++)
			check_field(input, &operation_types[i].fields[f], &known);
		assert_int_equal(document_count(document_member(input, "properties")), known);
	}
}

static void test_names_of_events_and_problems(void **state)
{
	(void)state;
	for (size_t i = 0; i < EVENT_TYPES; i++)
		assert_true(enum_has(schema("EventType"), event_type_names[i]));
	for (size_t i = 0; i < EVENT_STREAMS; i++)
		assert_int_equal(enum_has(schema("ChunkStream"), event_stream_names[i]),
				 i != EVENT_MESSAGE);
	for (size_t i = 0; i < PROBLEM_CODES; i++)
		if (!enum_has(schema("ProblemCode"), problem_kinds[i].code))
			fail_msg("problem %s is not in openapi.yaml", problem_kinds[i].code);
	for (size_t i = 0; i < OUTCOMES; i++)
		if (i != OUTCOME_COMPLETED)
			assert_true(enum_has(schema("ProblemCode"), outcome_kinds[i].code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_call_is_described),
	    cmocka_unit_test(test_no_other_call_is_described),
	    cmocka_unit_test(test_inputs_are_those_of_the_table),
	    cmocka_unit_test(test_names_of_events_and_problems),
	};
	return cmocka_run_group_tests(tests, parse, release);
}
