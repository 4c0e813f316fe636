#include "proc/control/operation_input.h"

#include "base/encode.h"
#include "base/error.h"

#include <errno.h>
#include <inttypes.h>

enum { PTY_COLS_DEFAULT = 80, PTY_ROWS_DEFAULT = 24, PTY_SIDE_LIMIT = 10000 };

struct reading {
	struct arena *arena;
	struct operation_input *input;
	struct document_error *error;
};

/* One member: its row, where it goes, and what the client wrote. */
struct member {
	const struct operation_field *field;
	void *place;
	const struct document_value *value;
	bool base64; /* it was named …Base64 */
};

static int refuse(struct reading *reading, const struct member *member, const char *what)
{
	return document_refuse(reading->error, "\"input\": \"%s%s\" must be %s",
			       member->field->name, member->base64 ? "Base64" : "", what);
}

static bool is_plain_text(const struct document_value *value, uint64_t limit)
{
	return document_kind(value) == DOCUMENT_IS_TEXT && document_text(value).size <= limit &&
	       !text_has(document_text(value), '\0');
}

static int read_text(struct reading *reading, const struct member *member)
{
	if (!is_plain_text(member->value, member->field->limit))
		return refuse(reading, member, "a string without NUL within its limit");
	*(struct text *)member->place = document_text(member->value);
	return 0;
}

static int read_path(struct reading *reading, const struct member *member)
{
	if (!is_plain_text(member->value, PATH_LIMIT) || document_text(member->value).size == 0)
		return refuse(reading, member, "a path of 1 to 4095 bytes without NUL");
	return read_text(reading, member);
}

static int decode(struct reading *reading, const struct member *member, struct text text,
		  struct bytes *out)
{
	struct buffer decoded ATTR_BUFFER = {.limit = INLINE_CONTENT_LIMIT};
	int r = decode_base64(&decoded, text);
	if (r == 1 || r == -EMSGSIZE)
		return refuse(reading, member, "base64 of at most 1 MiB");
	struct text copy = {0};
	if (r == 0 && buffer_check(&decoded) == 0)
		copy = arena_text(reading->arena, buffer_text(&decoded));
	if (!copy.data)
		return error_origin(-ENOMEM);
	*out = text_bytes(copy);
	return 0;
}

static int read_bytes(struct reading *reading, const struct member *member)
{
	struct bytes *out = member->place;
	if (document_kind(member->value) != DOCUMENT_IS_TEXT)
		return refuse(reading, member, "a string");
	struct text text = document_text(member->value);
	if (member->base64)
		return decode(reading, member, text, out);
	if (text.size > member->field->limit)
		return refuse(reading, member, "at most 1 MiB");
	*out = text_bytes(text);
	return 0;
}

static int read_content(struct reading *reading, const struct member *member)
{
	reading->input->has_content = true;
	return read_bytes(reading, member);
}

static int read_bool(struct reading *reading, const struct member *member)
{
	if (document_kind(member->value) != DOCUMENT_IS_BOOL)
		return refuse(reading, member, "true or false");
	*(bool *)member->place = document_bool(member->value);
	return 0;
}

static int read_number(struct reading *reading, const struct member *member, uint64_t *number)
{
	bool fine = document_kind(member->value) == DOCUMENT_IS_INTEGER &&
		    document_integer(member->value) >= 0;
	*number = fine ? (uint64_t)document_integer(member->value) : 0;
	if (fine && *number <= member->field->limit)
		return 0;
	return document_refuse(reading->error, "\"input\": \"%s\" must be 0 to %" PRIu64,
			       member->field->name, member->field->limit);
}

static int read_u32(struct reading *reading, const struct member *member)
{
	uint64_t number;
	int r = read_number(reading, member, &number);
	if (r == 0)
		*(uint32_t *)member->place = (uint32_t)number;
	return r;
}

static int read_u64(struct reading *reading, const struct member *member)
{
	uint64_t number;
	int r = read_number(reading, member, &number);
	if (r == 0)
		*(uint64_t *)member->place = number;
	return r;
}

static bool parse_octal(struct text text, uint32_t *mode)
{
	uint32_t value = 0;
	if (text.size == 0 || text.size > 5)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '7')
			return false;
		value = value << 3 | (uint32_t)(text.data[i] - '0');
	}
	*mode = value;
	return true;
}

static int read_mode(struct reading *reading, const struct member *member)
{
	uint32_t mode;
	reading->input->has_mode = true;
	if (document_kind(member->value) == DOCUMENT_IS_INTEGER)
		return read_u32(reading, member);
	if (document_kind(member->value) != DOCUMENT_IS_TEXT ||
	    !parse_octal(document_text(member->value), &mode) || mode > member->field->limit)
		return refuse(reading, member, "permission bits such as \"0644\", at most 0777");
	*(uint32_t *)member->place = mode;
	return 0;
}

static int read_text_list(struct reading *reading, const struct member *member)
{
	struct wire_list *list = member->place;
	if (document_kind(member->value) != DOCUMENT_IS_LIST ||
	    document_count(member->value) > member->field->limit)
		return refuse(reading, member, "a list of strings within its limit");
	size_t count = document_count(member->value);
	struct text *texts = arena_alloc(reading->arena, count * sizeof(*texts) + 1);
	if (!texts)
		return error_origin(-ENOMEM);
	for (size_t i = 0; i < count; i++) {
		const struct document_value *element = document_element(member->value, i);
		if (!is_plain_text(element, WIRE_ELEMENT_LIMIT))
			return refuse(reading, member, "a list of strings without NUL");
		texts[i] = document_text(element);
	}
	*list = (struct wire_list){texts, count};
	return 0;
}

static bool is_variable(const struct document_iterator *variable)
{
	return variable->name.size > 0 && variable->name.size <= PATH_LIMIT &&
	       !text_has(variable->name, '=') && !text_has(variable->name, '\0') &&
	       is_plain_text(variable->value, WIRE_ELEMENT_LIMIT);
}

static int read_env(struct reading *reading, const struct member *member)
{
	struct wire_list *list = member->place;
	struct document_iterator variable = {0};
	if (document_kind(member->value) != DOCUMENT_IS_OBJECT ||
	    document_count(member->value) > member->field->limit)
		return refuse(reading, member, "an object of at most 512 strings");
	size_t count = document_count(member->value), i = 0;
	struct wire_pair *pairs = arena_alloc(reading->arena, count * sizeof(*pairs) + 1);
	if (!pairs)
		return error_origin(-ENOMEM);
	while (document_next(member->value, &variable)) {
		if (!is_variable(&variable))
			return refuse(reading, member, "an object of strings without NUL");
		pairs[i++] = (struct wire_pair){variable.name, document_text(variable.value)};
	}
	*list = (struct wire_list){pairs, count};
	return 0;
}

#define EDIT(member) .offset = offsetof(struct operation_edit, member)
static const struct document_field edit_table[] = {
    {"old", DOCUMENT_TEXT, true, EDIT(old), .limit = INLINE_CONTENT_LIMIT},
    {"new", DOCUMENT_TEXT, true, EDIT(new), .limit = INLINE_CONTENT_LIMIT},
    {"all", DOCUMENT_BOOL, EDIT(all)},
};
#undef EDIT

static int read_edits(struct reading *reading, const struct member *member)
{
	struct wire_list *list = member->place;
	struct document_table table = {edit_table, ARRAY_SIZE(edit_table)};
	uint64_t present;
	if (document_kind(member->value) != DOCUMENT_IS_LIST ||
	    document_count(member->value) == 0 ||
	    document_count(member->value) > member->field->limit)
		return refuse(reading, member, "a list of 1 to 256 edits");
	size_t count = document_count(member->value);
	struct operation_edit *edits = arena_alloc(reading->arena, count * sizeof(*edits));
	if (!edits)
		return error_origin(-ENOMEM);
	for (size_t i = 0; i < count; i++) {
		int r = document_bind(document_element(member->value, i), table, reading->arena,
				      &edits[i], &present, reading->error);
		if (r != 0)
			return r;
	}
	*list = (struct wire_list){edits, count};
	return 0;
}

struct pty_size {
	uint64_t cols, rows;
};

static const struct document_field pty_table[] = {
    {"cols", DOCUMENT_U64, true, .offset = offsetof(struct pty_size, cols), .minimum = 1,
     .limit = PTY_SIDE_LIMIT},
    {"rows", DOCUMENT_U64, true, .offset = offsetof(struct pty_size, rows), .minimum = 1,
     .limit = PTY_SIDE_LIMIT},
};

static int read_pty(struct reading *reading, const struct member *member)
{
	struct document_table table = {pty_table, ARRAY_SIZE(pty_table)};
	struct pty_size size = {PTY_COLS_DEFAULT, PTY_ROWS_DEFAULT};
	uint64_t present;
	reading->input->pty = true;
	if (document_kind(member->value) == DOCUMENT_IS_BOOL) {
		reading->input->pty = document_bool(member->value);
	} else if (document_kind(member->value) == DOCUMENT_IS_OBJECT) {
		int r = document_bind(member->value, table, reading->arena, &size, &present,
				      reading->error);
		if (r != 0)
			return r;
	} else {
		return refuse(reading, member, "true, false or {\"cols\",\"rows\"}");
	}
	reading->input->cols = (uint16_t)size.cols;
	reading->input->rows = (uint16_t)size.rows;
	return 0;
}

static int read_shell(struct reading *reading, const struct member *member)
{
	struct wire_list *list = member->place;
	if (!is_plain_text(member->value, member->field->limit) ||
	    document_text(member->value).size == 0)
		return refuse(reading, member, "a string of 1 byte to 128 KiB without NUL");
	struct text *argv = arena_alloc(reading->arena, 3 * sizeof(*argv));
	if (!argv)
		return error_origin(-ENOMEM);
	argv[0] = TEXT("/bin/sh");
	argv[1] = TEXT("-c");
	argv[2] = document_text(member->value);
	*list = (struct wire_list){argv, 3};
	return 0;
}

typedef int read_function(struct reading *reading, const struct member *member);

static read_function *const read_functions[] = {
    [FIELD_PATH] = read_path,       [FIELD_TEXT] = read_text,
    [FIELD_CONTENT] = read_content, [FIELD_BOOL] = read_bool,
    [FIELD_U32] = read_u32,         [FIELD_U64] = read_u64,
    [FIELD_MODE] = read_mode,       [FIELD_TEXT_LIST] = read_text_list,
    [FIELD_ENV] = read_env,         [FIELD_EDITS] = read_edits,
    [FIELD_PTY] = read_pty,         [FIELD_STDIN] = read_bytes,
    [FIELD_SHELL] = read_shell,
};

/* ---- the whole object ---- */

static bool takes_base64(const struct operation_field *field)
{
	return field->type == FIELD_CONTENT || field->type == FIELD_STDIN;
}

static size_t find_field(const struct operation_type *type, struct text name, bool *base64)
{
	struct text bare = name;
	bool has_suffix = text_ends(name, TEXT("Base64"));
	if (has_suffix)
		bare.size -= TEXT("Base64").size;
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct operation_field *field = &type->fields[i];
		*base64 = has_suffix && takes_base64(field);
		if (text_equal(*base64 ? bare : name, text_of(field->name)))
			return i;
	}
	return type->n_fields;
}

/* Two members that say the same thing in two ways share their place in the input. */
static bool is_taken(const struct operation_type *type, uint64_t seen, size_t index)
{
	for (size_t i = 0; i < type->n_fields; i++)
		if ((seen >> i & 1) && type->fields[i].offset == type->fields[index].offset)
			return true;
	return false;
}

static int read_members(struct reading *reading, const struct operation_type *type,
			const struct document_value *object, uint64_t *seen)
{
	struct document_iterator at = {0};
	char name[DOCUMENT_NAME_SIZE];
	while (document_next(object, &at)) {
		struct member member = {.value = at.value};
		size_t index = find_field(type, at.name, &member.base64);
		if (index == type->n_fields)
			return document_refuse(reading->error, "\"input\": unknown field \"%s\"",
					       document_name(name, at.name));
		if (is_taken(type, *seen, index))
			return document_refuse(
			    reading->error,
			    "\"input\": \"%s\" stands beside another that says the "
			    "same",
			    document_name(name, at.name));
		*seen |= 1ull << index;
		member.field = &type->fields[index];
		member.place = (uint8_t *)reading->input + member.field->offset;
		int r = read_functions[member.field->type](reading, &member);
		if (r != 0)
			return r;
	}
	return 0;
}

int operation_input_read(enum operation_kind kind, const struct document_value *value,
			 struct arena *arena, struct operation_input *input,
			 struct document_error *error)
{
	const struct operation_type *type = &operation_types[kind];
	struct operation_input read = {0};
	struct reading reading = {arena, &read, error};
	uint64_t seen = 0;
	error->position = DOCUMENT_NO_POSITION;
	if (document_kind(value) != DOCUMENT_IS_OBJECT)
		return document_refuse(error, "\"input\" must be an object");
	int r = read_members(&reading, type, value, &seen);
	if (r != 0)
		return r;
	for (size_t i = 0; i < type->n_fields; i++)
		if (type->fields[i].required && !(seen >> i & 1))
			return document_refuse(error, "\"input\": \"%s\" is required",
					       type->fields[i].name);
	if (kind == OPERATION_COMMAND_RUN && read.argv.count == 0)
		return document_refuse(error, "\"input\": \"argv\" or \"shell\" is required");
	*input = read;
	return 0;
}
