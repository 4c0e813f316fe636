#include "json/document.h"

#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* A document is the library's root value and a value one of its values, under names of our own. */
static const json_t *library(const struct document_value *value)
{
	return (const json_t *)(const void *)value;
}

static const struct document_value *ours(const json_t *value)
{
	return (const struct document_value *)(const void *)value;
}

/* The library seeds its hash tables from /dev/urandom at the first object. A confined process
 * cannot open that: it would be killed, or get a seed made of the time, against which a client can
 * choose keys that collide. So they are seeded before main(). */
static void __attribute__((constructor)) seed_library(void)
{
	size_t seed = 0;
	while (seed == 0)
		if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
			abort();
	json_object_seed(seed);
}

int document_refuse(struct document_error *error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	size_t size = strlen(error->message);
	size -= text_utf8_tail((struct text){error->message, size});
	error->message[size] = '\0';
	error->position = DOCUMENT_NO_POSITION;
	return 1;
}

const char *document_name(char out[DOCUMENT_NAME_SIZE], struct text name)
{
	size_t size = name.size < DOCUMENT_NAME_SIZE - 4 ? name.size : DOCUMENT_NAME_SIZE - 4;
	size -= text_utf8_tail((struct text){name.data, size});
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)name.data[i] < 0x20 || name.data[i] == 0x7f ? '?' : name.data[i];
	memcpy(out + size, size < name.size ? "..." : "", size < name.size ? 4 : 1);
	return out;
}

static int refuse_at(struct document_error *error, size_t position, const char *message)
{
	document_refuse(error, "%s", message);
	error->position = position;
	return 1;
}

/* Where the string that opens at `at` closes, or the end. */
static size_t skip_string(struct bytes json, size_t at)
{
	for (at++; at < json.size && json.data[at] != '"'; at++)
		if (json.data[at] == '\\')
			at++;
	return at;
}

/* Each value but the first follows a bracket, a comma or a colon: counting those bounds the number
 * of values. */
static int check_shape(struct bytes json, struct document_error *error)
{
	size_t depth = 0, values = 1;
	for (size_t at = 0; at < json.size; at++) {
		uint8_t c = json.data[at];
		if (c == '"') {
			at = skip_string(json, at);
		} else if (c == '{' || c == '[') {
			values++;
			if (++depth > DOCUMENT_DEPTH_LIMIT)
				return refuse_at(error, at, "the JSON is nested too deep");
		} else if (c == '}' || c == ']') {
			depth -= depth > 0;
		} else if (c == ',') {
			values++;
		}
		if (values > DOCUMENT_VALUES_LIMIT)
			return refuse_at(error, at, "the JSON has too many values");
	}
	return 0;
}

static int explain(const json_error_t *library_error, struct document_error *error)
{
	char text[DOCUMENT_NAME_SIZE + JSON_ERROR_TEXT_LENGTH];
	struct text message = text_of(library_error->text);
	size_t size = message.size < sizeof(text) - 1 ? message.size : sizeof(text) - 1;
	for (size_t i = 0; i < size;
	     i++) /* the library quotes the text near the error, cut anywhere */
		text[i] = message.data[i] >= 0x20 && message.data[i] < 0x7f ? message.data[i] : '?';
	text[size] = '\0';
	document_refuse(error, "the JSON is not valid: %s (line %d, column %d)", text,
			library_error->line, library_error->column);
	error->position = library_error->position > 0 ? (size_t)library_error->position : 0;
	return 1;
}

int document_parse(struct bytes json, size_t limit, struct document **document,
		   struct document_error *error)
{
	json_error_t library_error;
	if (json.size == 0)
		return refuse_at(error, 0, "a JSON body is needed");
	if (json.size > limit)
		return refuse_at(error, limit, "the JSON is too large");
	if (!text_is_utf8(bytes_text(json)))
		return document_refuse(error, "the JSON is not UTF-8");
	int r = check_shape(json, error);
	if (r != 0)
		return r;
	json_t *root =
	    json_loadb((const char *)json.data, json.size,
		       JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &library_error);
	if (!root && json_error_code(&library_error) == json_error_out_of_memory)
		return error_origin(-ENOMEM);
	if (!root)
		return explain(&library_error, error);
	*document = (struct document *)(void *)root;
	return 0;
}

void document_free(struct document **document)
{
	json_decref((json_t *)(void *)*document);
	*document = NULL;
}

const struct document_value *document_root(const struct document *document)
{
	return (const struct document_value *)(const void *)document;
}

enum document_kind document_kind(const struct document_value *value)
{
	switch (json_typeof(library(value))) {
	case JSON_OBJECT:
		return DOCUMENT_IS_OBJECT;
	case JSON_ARRAY:
		return DOCUMENT_IS_LIST;
	case JSON_STRING:
		return DOCUMENT_IS_TEXT;
	case JSON_INTEGER:
		return DOCUMENT_IS_INTEGER;
	case JSON_REAL:
		return DOCUMENT_IS_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return DOCUMENT_IS_BOOL;
	default:
		return DOCUMENT_IS_NULL;
	}
}

struct text document_text(const struct document_value *value)
{
	assert(document_kind(value) == DOCUMENT_IS_TEXT);
	return (struct text){json_string_value(library(value)), json_string_length(library(value))};
}

bool document_bool(const struct document_value *value)
{
	assert(document_kind(value) == DOCUMENT_IS_BOOL);
	return json_is_true(library(value));
}

int64_t document_integer(const struct document_value *value)
{
	assert(document_kind(value) == DOCUMENT_IS_INTEGER);
	return json_integer_value(library(value));
}

size_t document_count(const struct document_value *value)
{
	if (document_kind(value) == DOCUMENT_IS_OBJECT)
		return json_object_size(library(value));
	assert(document_kind(value) == DOCUMENT_IS_LIST);
	return json_array_size(library(value));
}

const struct document_value *document_element(const struct document_value *list, size_t index)
{
	assert(document_kind(list) == DOCUMENT_IS_LIST);
	return ours(json_array_get(library(list), index));
}

const struct document_value *document_member(const struct document_value *object, const char *name)
{
	assert(document_kind(object) == DOCUMENT_IS_OBJECT);
	return ours(json_object_get(library(object), name));
}

bool document_next(const struct document_value *object, struct document_iterator *iterator)
{
	assert(document_kind(object) == DOCUMENT_IS_OBJECT);
	json_t *walked =
	    (json_t *)(void *)(uintptr_t)object; /* the library's iterators are not const-correct */
	iterator->at =
	    iterator->at ? json_object_iter_next(walked, iterator->at) : json_object_iter(walked);
	if (!iterator->at)
		return false;
	iterator->name = text_of(json_object_iter_key(iterator->at));
	iterator->value = ours(json_object_iter_value(iterator->at));
	return true;
}

static int append_piece(const char *piece, size_t size, void *out)
{
	buffer_append(out, piece, size);
	return 0;
}

int document_write(const struct document_value *value, bool sorted, struct buffer *out)
{
	size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | (sorted ? JSON_SORT_KEYS : 0);
	if (json_dump_callback(library(value), append_piece, out, flags) < 0)
		return error_origin(-ENOMEM);
	return buffer_check(out);
}
