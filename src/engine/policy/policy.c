#include "engine/policy/policy.h"

enum { POLICY_TEXT_LIMIT = 64 << 10 };

struct policy_fields {
	const struct document_value *operations;
};
static const struct document_field policy_fields[] = {
    {"operations", DOCUMENT_OBJECT, .offset = offsetof(struct policy_fields, operations)},
};

struct operation_fields {
	struct wire_list allow, deny;
};
enum { HAS_ALLOW = 1 };
static const struct document_field operation_fields[] = {
    {"allow", DOCUMENT_TEXT_LIST, .offset = offsetof(struct operation_fields, allow),
     .limit = POLICY_PATTERNS_MAX},
    {"deny", DOCUMENT_TEXT_LIST, .offset = offsetof(struct operation_fields, deny),
     .limit = POLICY_PATTERNS_MAX},
};

_Static_assert(OPERATION_KINDS < 64, "a policy has a bit for each operation");
static const uint64_t every_operation = ((uint64_t)1 << OPERATION_KINDS) - 1;

static uint64_t match(struct text pattern)
{
	uint64_t bits = 0;
	bool family = text_ends(pattern, TEXT("*"));
	if (family)
		pattern.size--;
	for (int i = 0; i < OPERATION_KINDS; i++) {
		struct text name = text_of(operation_types[i].name);
		if (family ? text_starts(name, pattern) : text_equal(name, pattern))
			bits |= (uint64_t)1 << i;
	}
	return bits;
}

static int match_all(const struct wire_list *patterns, uint64_t *bits, struct document_error *error)
{
	const struct text *texts = patterns->items;
	char name[DOCUMENT_NAME_SIZE];
	*bits = 0;
	for (size_t i = 0; i < patterns->count; i++) {
		uint64_t matched = match(texts[i]);
		if (matched == 0)
			return document_refuse(error, "no operation matches \"%s\"",
					       document_name(name, texts[i]));
		*bits |= matched;
	}
	return 0;
}

static int read_operations(const struct document_value *value, struct arena *arena,
			   struct policy *policy, struct document_error *error)
{
	struct document_table table = {operation_fields, ARRAY_SIZE(operation_fields)};
	struct operation_fields fields = {0};
	uint64_t present, allow, deny;
	int r = document_bind(value, table, arena, &fields, &present, error);
	if (r == 0)
		r = match_all(&fields.allow, &allow, error);
	if (r == 0)
		r = match_all(&fields.deny, &deny, error);
	if (r == 0)
		policy->allowed = (present & HAS_ALLOW ? allow : every_operation) & ~deny;
	return r;
}

int policy_read(const struct document_value *value, struct policy *policy,
		struct document_error *error)
{
	struct arena arena ATTR_ARENA = {0};
	struct document_table table = {policy_fields, ARRAY_SIZE(policy_fields)};
	struct policy_fields fields = {0};
	struct policy read = {every_operation};
	uint64_t present;
	int r = document_bind(value, table, &arena, &fields, &present, error);
	if (r == 0 && fields.operations)
		r = read_operations(fields.operations, &arena, &read, error);
	if (r < 0)
		return document_refuse(error, "it is too large");
	if (r == 0)
		*policy = read;
	return r;
}

struct policy policy_parse(struct text json)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_error error;
	struct policy policy = {0};
	if (text_equal(json, TEXT("{}")))
		return (struct policy){every_operation};
	if (document_parse(text_bytes(json), POLICY_TEXT_LIMIT, &document, &error) != 0 ||
	    policy_read(document_root(document), &policy, &error) != 0)
		return (struct policy){0};
	return policy;
}

bool policy_allows(const struct policy *policy, enum operation_kind kind)
{
	return policy->allowed >> kind & 1;
}
