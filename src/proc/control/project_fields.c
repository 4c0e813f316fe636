#include "proc/control/project_fields.h"

#include "base/error.h"
#include "engine/policy/policy.h"
#include "proc/control/answer.h"
#include "proc/control/fields.h"
#include "proc/control/projects.h"

#include <errno.h>

struct project_fields {
	struct text name, template, runtime_class, tier, region;
	const struct document_value *env, *policy;
};

enum { HAS_NAME = 1, HAS_TEMPLATE = 2, HAS_RUNTIME_CLASS = 4, HAS_TIER = 8, HAS_REGION = 16 };

#define MEMBER(member) .offset = offsetof(struct project_fields, member)
static const struct document_field project_table[] = {
    {"name", DOCUMENT_TEXT, MEMBER(name), .limit = NAME_LIMIT},
    {"template", DOCUMENT_TEXT, MEMBER(template), .limit = LABEL_LIMIT},
    {"runtimeClass", DOCUMENT_TEXT, MEMBER(runtime_class), .limit = LABEL_LIMIT},
    {"tier", DOCUMENT_TEXT, MEMBER(tier), .limit = LABEL_LIMIT},
    {"region", DOCUMENT_TEXT, MEMBER(region), .limit = LABEL_LIMIT},
    {"env", DOCUMENT_OBJECT, MEMBER(env)},
    {"policy", DOCUMENT_OBJECT, MEMBER(policy), .nullable = true},
};
#undef MEMBER

static int refuse(struct control_request *request, const char *why)
{
	control_answer_problem(request, PROBLEM_INVALID_INPUT, "%s", why);
	return 1;
}

static bool is_variable_name(struct text name)
{
	bool fine = name.size >= 1 && name.size <= PROJECT_ENV_NAME_LIMIT &&
		    (name.data[0] < '0' || name.data[0] > '9');
	for (size_t i = 0; fine && i < name.size; i++) {
		char c = name.data[i];
		fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		       c == '_';
	}
	return fine;
}

/* Keeps the value as JSON in the request's arena. */
static int keep_json(struct control_request *request, const struct document_value *value,
		     size_t limit, const char *too_large, struct text *kept)
{
	struct buffer json ATTR_BUFFER = {0};
	int r = document_write(value, true, &json);
	if (r == 0 && json.size > limit)
		return refuse(request, too_large);
	struct text copy = {0};
	if (r == 0)
		copy = arena_text(&request->arena, buffer_text(&json));
	if (!copy.data) {
		control_answer_outcome(request, error_origin(-ENOMEM));
		return 1;
	}
	*kept = copy;
	return 0;
}

static int read_env(struct control_request *request, const struct document_value *env,
		    struct text *kept)
{
	struct document_iterator variable = {0};
	char name[DOCUMENT_NAME_SIZE];
	if (document_count(env) > ENV_LIMIT)
		return refuse(request, "\"env\" has too many variables");
	while (document_next(env, &variable)) {
		bool is_text = document_kind(variable.value) == DOCUMENT_IS_TEXT;
		if (is_variable_name(variable.name) && is_text &&
		    !text_has(document_text(variable.value), '\0'))
			continue;
		control_answer_problem(
		    request, PROBLEM_INVALID_INPUT,
		    "\"env\": \"%s\" must be a variable's name and its value a string without NUL",
		    document_name(name, variable.name));
		return 1;
	}
	return keep_json(request, env, PROJECT_ENV_BYTES_LIMIT, "\"env\" is too large", kept);
}

static int read_policy(struct control_request *request, const struct document_value *value,
		       struct text *kept)
{
	struct document_error error;
	struct policy policy;
	if (policy_read(value, &policy, &error)) {
		control_answer_problem(request, PROBLEM_INVALID_INPUT, "\"policy\": %s",
				       error.message);
		return 1;
	}
	return keep_json(request, value, PROJECT_POLICY_BYTES_LIMIT, "\"policy\" is too large",
			 kept);
}

static int check_choices(struct control_request *request, const struct project_fields *fields,
			 uint64_t present)
{
	if ((present & HAS_TEMPLATE) && !text_equal(fields->template, TEXT("default")))
		return refuse(request, "there is no such template; \"default\" is one");
	if ((present & HAS_RUNTIME_CLASS) && !text_equal(fields->runtime_class, TEXT("standard")))
		return refuse(request, "there is no such runtimeClass; \"standard\" is one");
	if ((present & HAS_TIER) && field_check_label(request, "tier", fields->tier))
		return 1;
	return present & HAS_REGION ? field_check_label(request, "region", fields->region) : 0;
}

int project_read_fields(struct control_request *request, bool creating, struct store_project *row)
{
	struct document_table table = {project_table, ARRAY_SIZE(project_table)};
	struct project_fields fields = {
	    .name = row->name,
	    .template = row->template,
	    .runtime_class = row->runtime_class,
	    .tier = row->tier,
	    .region = row->region,
	};
	struct store_project read = *row;
	uint64_t present;
	if (control_request_body(request, table, &fields, &present))
		return 1;
	if (creating && !(present & HAS_NAME))
		return refuse(request, "\"name\" is required");
	if ((present & HAS_NAME) && field_check_name(request, "name", fields.name))
		return 1;
	if (check_choices(request, &fields, present) ||
	    (fields.env && read_env(request, fields.env, &read.env)) ||
	    (fields.policy && read_policy(request, fields.policy, &read.policy)))
		return 1;
	read.name = fields.name;
	read.template = fields.template;
	read.runtime_class = fields.runtime_class;
	read.tier = fields.tier;
	read.region = fields.region;
	*row = read;
	return 0;
}

/* The pairs outlive the tree that they are read from, so their texts are copied. */
int project_environment(const struct store_project *project, struct arena *arena,
			struct wire_list *out)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_iterator variable = {0};
	struct document_error error;
	if (document_parse(text_bytes(project->env), PROJECT_ENV_BYTES_LIMIT, &document, &error) !=
		0 ||
	    document_kind(document_root(document)) != DOCUMENT_IS_OBJECT)
		return error_origin(-EUCLEAN);
	struct wire_list list = {.count = document_count(document_root(document))};
	struct wire_pair *pairs = arena_alloc(arena, list.count * sizeof(*pairs));
	if (!pairs)
		return error_origin(-ENOMEM);
	for (size_t i = 0; document_next(document_root(document), &variable); i++) {
		pairs[i].name = arena_text(arena, variable.name);
		pairs[i].value = arena_text(arena, document_text(variable.value));
		if (!pairs[i].name.data || !pairs[i].value.data)
			return error_origin(-ENOMEM);
	}
	list.items = pairs;
	*out = list;
	return 0;
}
