/* Messages between processes: a C struct, described by a table of its fields, to bytes and back.
 * The tables are the only description of a message; encoder, decoder, limits, tests and fuzz
 * targets all read them.
 *
 * On the wire the fields stand in the table's order: integers little-endian, a uuid as 16 bytes,
 * text, bytes and lists with a u32 count in front. Decoded views point into the frame; decoded
 * lists lie in the arena. Whoever decodes treats the frame as hostile: a length past its limit or
 * past the frame, or bytes left over, refuse the whole message. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/id.h"

enum wire_type {
	WIRE_U8,
	WIRE_U16,
	WIRE_U32,
	WIRE_U64,
	WIRE_I64,
	WIRE_BOOL,  /* one byte, 0 or 1; the member is a bool */
	WIRE_UUID,  /* the member is a struct uuid */
	WIRE_TEXT,  /* struct text: UTF-8 without NUL */
	WIRE_BYTES, /* struct bytes, or a struct text for text that may hold anything (see
		       WIRE_RAW_TEXT) */
	WIRE_LIST,  /* struct wire_list of `element`s */
};

struct wire_list {
	void *items;
	size_t count;
};

struct wire_struct;

struct wire_field {
	const char *name;
	enum wire_type type;
	size_t offset;
	size_t limit; /* bytes of a text or bytes, elements of a list */
	const struct wire_struct *element;
};

struct wire_struct {
	const char *name;
	size_t size; /* of the C struct */
	const struct wire_field *fields;
	size_t n_fields;
};

#define WIRE_FIELD(type_, kind, member, limit_)                                                    \
	{                                                                                          \
#member, kind, offsetof(type_, member), limit_, NULL                               \
	}
#define WIRE_FIELD_LIST(type_, member, limit_, element_)                                           \
	{                                                                                          \
#member, WIRE_LIST, offsetof(type_, member), limit_, element_                      \
	}
#define WIRE_STRUCT(type_, fields_)                                                                \
	{                                                                                          \
#type_, sizeof(struct type_), fields_, ARRAY_SIZE(fields_)                         \
	}

/* A list element for lists of texts: the element struct is a struct text itself. */
extern const struct wire_struct wire_text_element; /* each at most WIRE_ELEMENT_LIMIT bytes */

struct wire_pair {
	struct text name;
	struct text value;
};
extern const struct wire_struct wire_pair_element;

enum { WIRE_ELEMENT_LIMIT = 128 << 10 };

/* -EMSGSIZE if a field is past its limit or the buffer full: nothing was appended then. */
int wire_encode(const struct wire_struct *type, const void *message,
		struct buffer *out) ATTR_MUST_CHECK;

/* 0; -EBADMSG if it is malformed; -ENOMEM past the arena's limit. `message` is written only on
 * success. */
int wire_decode(const struct wire_struct *type, struct bytes frame, struct arena *arena,
		void *message) ATTR_MUST_CHECK;
