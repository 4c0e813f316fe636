/* JSON that others wrote, read strictly: a client's body, an agent's result. The only home of
 * jansson. (Writing JSON needs no tree and is done by base/json.h.)
 *
 * What is refused as a whole: text that is not UTF-8, duplicate keys, nesting deeper than
 * DOCUMENT_DEPTH_LIMIT, more values than DOCUMENT_VALUES_LIMIT, anything behind the value. Memory
 * is therefore bounded before the library allocates. Depth and number are counted in a pass of our
 * own, since the library's limits are far wider.
 *
 * A document owns its tree; values and the texts taken from them live as long as the document. Used
 * by control. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"

enum {
	DOCUMENT_DEPTH_LIMIT = 64,
	DOCUMENT_VALUES_LIMIT = 128 << 10,
	DOCUMENT_FIELDS_MAX = 64, /* rows in one table of fields */
	DOCUMENT_MESSAGE_SIZE = 240,
};

struct document;
struct document_value;

/* Why it was refused, in words for the client. `position` is the byte in the text, or
 * DOCUMENT_NO_POSITION once the syntax was fine. */
struct document_error {
	size_t position;
	char message[DOCUMENT_MESSAGE_SIZE]; /* well-formed UTF-8 */
};
#define DOCUMENT_NO_POSITION SIZE_MAX

/* 0; 1 refused, `error` says why; -ENOMEM. `limit` is the most bytes that are looked at. */
int document_parse(struct bytes json, size_t limit, struct document **document,
		   struct document_error *error) ATTR_MUST_CHECK;
void document_free(struct document **document); /* harmless on NULL */
#define ATTR_DOCUMENT ATTR_CLEANUP(document_free)

const struct document_value *document_root(const struct document *document);

enum document_kind {
	DOCUMENT_IS_NULL,
	DOCUMENT_IS_BOOL,
	DOCUMENT_IS_INTEGER,
	DOCUMENT_IS_REAL,
	DOCUMENT_IS_TEXT,
	DOCUMENT_IS_LIST,
	DOCUMENT_IS_OBJECT,
};
enum document_kind document_kind(const struct document_value *value);

/* Each is for its own kind alone (asserted). A text may hold NUL. */
struct text document_text(const struct document_value *value);
bool document_bool(const struct document_value *value);
int64_t document_integer(const struct document_value *value);
size_t document_count(const struct document_value *list_or_object);
const struct document_value *document_element(const struct document_value *list, size_t index);
const struct document_value *document_member(const struct document_value *object,
					     const char *name); /* or NULL */

/* Walks an object's members in the order of the text: returns false at the end. Start with a zeroed
 * iterator. */
struct document_iterator {
	void *at;
	struct text name;
	const struct document_value *value;
};
bool document_next(const struct document_value *object, struct document_iterator *iterator);

/* Writes the value again, compact; with `sorted` keys equal values give equal bytes. */
int document_write(const struct document_value *value, bool sorted,
		   struct buffer *out) ATTR_MUST_CHECK;

/* ---- an object by a table of its fields ---- */

enum document_type {
	DOCUMENT_TEXT,      /* struct text, without NUL; `limit` bytes at most */
	DOCUMENT_RAW_TEXT,  /* struct text that may hold NUL */
	DOCUMENT_BOOL,      /* bool */
	DOCUMENT_U64,       /* uint64_t, `minimum` to `limit` */
	DOCUMENT_TIME,      /* int64_t, milliseconds since 1970, from RFC 3339 */
	DOCUMENT_TEXT_LIST, /* struct wire_list of struct text, `limit` of them, in the arena */
	DOCUMENT_OBJECT,    /* const struct document_value *, an object */
	DOCUMENT_ANY,       /* const struct document_value * */
};

struct document_field {
	const char *name;
	enum document_type type;
	bool required;
	bool nullable; /* null counts as present and leaves the member zero */
	size_t offset; /* of the member in the struct that is filled */
	uint64_t minimum;
	uint64_t limit;
};

struct document_table {
	const struct document_field *fields;
	size_t n_fields;
};

/* Fills `out`, zeroed by the caller, from an object; `present` gets a bit for each row whose member
 * was there. A member that the table does not name refuses the whole. 0; 1 refused; -ENOMEM. */
int document_bind(const struct document_value *value, struct document_table table,
		  struct arena *arena, void *out, uint64_t *present,
		  struct document_error *error) ATTR_MUST_CHECK;

/* Puts a message of the caller's own checks into `error`; always returns 1. Names from outside go
 * through document_name(). */
int document_refuse(struct document_error *error, const char *format, ...) ATTR_PRINTF(2, 3);

/* A foreign name shortened for a message, never cut inside a character; returns `out`. */
enum { DOCUMENT_NAME_SIZE = 68 };
const char *document_name(char out[DOCUMENT_NAME_SIZE], struct text name);
