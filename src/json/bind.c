/* document_bind(): an object into a struct, by a table. */
#include "base/clock.h"
#include "base/error.h"
#include "wire/codec.h"
#include "json/document.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

struct binding {
	struct arena *arena;
	struct document_error *error;
};

static int bind_text(const struct binding *to, const struct document_field *field,
		     const struct document_value *value, void *member)
{
	if (document_kind(value) != DOCUMENT_IS_TEXT)
		return document_refuse(to->error, "\"%s\" must be a string", field->name);
	struct text text = document_text(value);
	if (text.size > field->limit)
		return document_refuse(to->error, "\"%s\" has more than %" PRIu64 " bytes",
				       field->name, field->limit);
	if (text.size < field->minimum)
		return document_refuse(to->error, "\"%s\" must not be empty", field->name);
	if (field->type == DOCUMENT_TEXT && text_has(text, '\0'))
		return document_refuse(to->error, "\"%s\" must not hold a NUL character",
				       field->name);
	*(struct text *)member = text;
	return 0;
}

static int bind_bool(const struct binding *to, const struct document_field *field,
		     const struct document_value *value, void *member)
{
	if (document_kind(value) != DOCUMENT_IS_BOOL)
		return document_refuse(to->error, "\"%s\" must be true or false", field->name);
	*(bool *)member = document_bool(value);
	return 0;
}

static int bind_u64(const struct binding *to, const struct document_field *field,
		    const struct document_value *value, void *member)
{
	bool fits = document_kind(value) == DOCUMENT_IS_INTEGER && document_integer(value) >= 0 &&
		    (uint64_t)document_integer(value) >= field->minimum &&
		    (uint64_t)document_integer(value) <= field->limit;
	if (!fits)
		return document_refuse(to->error,
				       "\"%s\" must be a whole number from %" PRIu64 " to %" PRIu64,
				       field->name, field->minimum, field->limit);
	*(uint64_t *)member = (uint64_t)document_integer(value);
	return 0;
}

static int bind_time(const struct binding *to, const struct document_field *field,
		     const struct document_value *value, void *member)
{
	struct text text = {0};
	if (document_kind(value) == DOCUMENT_IS_TEXT)
		text = document_text(value);
	if (clock_parse(text.data, text.size, member))
		return document_refuse(to->error, "\"%s\" must be a time as in RFC 3339",
				       field->name);
	return 0;
}

static int bind_text_list(const struct binding *to, const struct document_field *field,
			  const struct document_value *value, void *member)
{
	if (document_kind(value) != DOCUMENT_IS_LIST || document_count(value) > field->limit)
		return document_refuse(to->error,
				       "\"%s\" must be a list of at most %" PRIu64 " strings",
				       field->name, field->limit);
	struct wire_list list = {.count = document_count(value)};
	struct text *items = arena_alloc(to->arena, list.count * sizeof(*items));
	if (!items)
		return error_origin(-ENOMEM);
	struct document_field element = {field->name, DOCUMENT_TEXT, .limit = WIRE_ELEMENT_LIMIT};
	for (size_t i = 0; i < list.count; i++) {
		int r = bind_text(to, &element, document_element(value, i), &items[i]);
		if (r != 0)
			return r;
	}
	list.items = items;
	*(struct wire_list *)member = list;
	return 0;
}

static int bind_value(const struct binding *to, const struct document_field *field,
		      const struct document_value *value, void *member)
{
	if (field->type == DOCUMENT_OBJECT && document_kind(value) != DOCUMENT_IS_OBJECT)
		return document_refuse(to->error, "\"%s\" must be an object", field->name);
	*(const struct document_value **)member = value;
	return 0;
}

typedef int bind_function(const struct binding *to, const struct document_field *field,
			  const struct document_value *value, void *member);

static bind_function *const bind_functions[] = {
    [DOCUMENT_TEXT] = bind_text,    [DOCUMENT_RAW_TEXT] = bind_text,
    [DOCUMENT_BOOL] = bind_bool,    [DOCUMENT_U64] = bind_u64,
    [DOCUMENT_TIME] = bind_time,    [DOCUMENT_TEXT_LIST] = bind_text_list,
    [DOCUMENT_OBJECT] = bind_value, [DOCUMENT_ANY] = bind_value,
};

static size_t row_of(struct document_table table, struct text name)
{
	size_t i = 0;
	while (i < table.n_fields && !text_equal(name, text_of(table.fields[i].name)))
		i++;
	return i;
}

static int check_required(struct document_table table, uint64_t present,
			  struct document_error *error)
{
	for (size_t i = 0; i < table.n_fields; i++)
		if (table.fields[i].required && !(present >> i & 1))
			return document_refuse(error, "\"%s\" is required", table.fields[i].name);
	return 0;
}

int document_bind(const struct document_value *value, struct document_table table,
		  struct arena *arena, void *out, uint64_t *present, struct document_error *error)
{
	const struct binding to = {arena, error};
	struct document_iterator member = {0};
	uint64_t bits = 0;
	char name[DOCUMENT_NAME_SIZE];

	assert(table.n_fields <= DOCUMENT_FIELDS_MAX);
	if (document_kind(value) != DOCUMENT_IS_OBJECT)
		return document_refuse(error, "the body must be a JSON object");
	while (document_next(value, &member)) {
		size_t row = row_of(table, member.name);
		if (row == table.n_fields)
			return document_refuse(error, "unknown field \"%s\"",
					       document_name(name, member.name));
		const struct document_field *field = &table.fields[row];
		bits |= (uint64_t)1 << row;
		if (field->nullable && document_kind(member.value) == DOCUMENT_IS_NULL)
			continue;
		int r = bind_functions[field->type](&to, field, member.value,
						    (uint8_t *)out + field->offset);
		if (r != 0)
			return error_trace(r);
	}
	int r = check_required(table, bits, error);
	if (r == 0)
		*present = bits;
	return r;
}
