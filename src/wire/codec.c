#include "wire/codec.h"

#include "base/cursor.h"
#include "base/error.h"

#include <errno.h>

static const struct wire_field text_element_fields[] = {
    {"text", WIRE_BYTES, 0, WIRE_ELEMENT_LIMIT, NULL},
};
const struct wire_struct wire_text_element = {"text", sizeof(struct text), text_element_fields, 1};

static const struct wire_field pair_fields[] = {
    WIRE_FIELD(struct wire_pair, WIRE_BYTES, name, 4096),
    WIRE_FIELD(struct wire_pair, WIRE_BYTES, value, WIRE_ELEMENT_LIMIT),
};
const struct wire_struct wire_pair_element = WIRE_STRUCT(wire_pair, pair_fields);

/* struct text and struct bytes have the same layout, so one code path serves both. */
_Static_assert(sizeof(struct text) == sizeof(struct bytes) &&
		   offsetof(struct text, size) == offsetof(struct bytes, size),
	       "views are interchangeable");

static size_t integer_size(enum wire_type type)
{
	switch (type) {
	case WIRE_U8:
	case WIRE_BOOL:
		return 1;
	case WIRE_U16:
		return 2;
	case WIRE_U32:
		return 4;
	case WIRE_U64:
	case WIRE_I64:
		return 8;
	case WIRE_UUID:
		return sizeof(struct uuid);
	default:
		return 0;
	}
}

static bool view_is_allowed(const struct wire_field *field, struct bytes view)
{
	if (view.size > field->limit)
		return false;
	return field->type != WIRE_TEXT ||
	       (!text_has(bytes_text(view), '\0') && text_is_utf8(bytes_text(view)));
}

static void append_count(struct buffer *out, size_t count)
{
	uint8_t raw[4];
	put_u32(raw, (uint32_t)count);
	buffer_append(out, raw, sizeof(raw));
}

static int encode_fields(const struct wire_struct *type, const uint8_t *message,
			 struct buffer *out);

static int encode_list(const struct wire_field *field, const struct wire_list *list,
		       struct buffer *out)
{
	if (list->count > field->limit)
		return error_origin(-EMSGSIZE);
	append_count(out, list->count);
	const uint8_t *item = list->items;
	for (size_t i = 0; i < list->count; i++, item += field->element->size) {
		int r = encode_fields(field->element, item, out);
		if (r < 0)
			return r;
	}
	return 0;
}

static int encode_view(const struct wire_field *field, struct bytes view, struct buffer *out)
{
	if (!view_is_allowed(field, view))
		return error_origin(-EMSGSIZE);
	append_count(out, view.size);
	buffer_append(out, view.data, view.size);
	return 0;
}

static int encode_fields(const struct wire_struct *type, const uint8_t *message, struct buffer *out)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct wire_field *field = &type->fields[i];
		const uint8_t *member = message + field->offset;
		int r = 0;
		if (field->type == WIRE_LIST)
			r = encode_list(field, (const void *)member, out);
		else if (field->type == WIRE_TEXT || field->type == WIRE_BYTES)
			r = encode_view(field, *(const struct bytes *)(const void *)member, out);
		else
			buffer_append(out, member, integer_size(field->type));
		if (r < 0)
			return r;
	}
	return 0;
}

int wire_encode(const struct wire_struct *type, const void *message, struct buffer *out)
{
	size_t before = out->size;
	int r = encode_fields(type, message, out);
	if (r == 0)
		r = buffer_check(out);
	if (r < 0)
		out->size = before;
	return error_trace(r);
}

struct decoder {
	struct cursor cursor;
	struct arena *arena;
};

static int decode_fields(struct decoder *decoder, const struct wire_struct *type, uint8_t *message);

/* The count is checked against what the frame could hold before memory is asked for: an element has
 * at least one byte. */
static int decode_list(struct decoder *decoder, const struct wire_field *field,
		       struct wire_list *list)
{
	uint32_t count = cursor_u32(&decoder->cursor);
	if (decoder->cursor.failed || count > field->limit || count > cursor_left(&decoder->cursor))
		return -EBADMSG;
	uint8_t *items = arena_alloc(decoder->arena, count * field->element->size);
	if (!items)
		return error_origin(-ENOMEM);
	for (uint32_t i = 0; i < count; i++) {
		int r = decode_fields(decoder, field->element, items + i * field->element->size);
		if (r < 0)
			return r;
	}
	*list = (struct wire_list){items, count};
	return 0;
}

static int decode_view(struct decoder *decoder, const struct wire_field *field, struct bytes *view)
{
	uint32_t size = cursor_u32(&decoder->cursor);
	struct bytes raw = cursor_bytes(&decoder->cursor, size);
	if (decoder->cursor.failed || !view_is_allowed(field, raw))
		return -EBADMSG;
	*view = raw;
	return 0;
}

static int decode_integer(struct decoder *decoder, const struct wire_field *field, uint8_t *member)
{
	size_t size = integer_size(field->type);
	struct bytes raw = cursor_bytes(&decoder->cursor, size);
	if (!raw.data || (field->type == WIRE_BOOL && raw.data[0] > 1))
		return -EBADMSG;
	memcpy(member, raw.data, size);
	return 0;
}

static int decode_fields(struct decoder *decoder, const struct wire_struct *type, uint8_t *message)
{
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct wire_field *field = &type->fields[i];
		uint8_t *member = message + field->offset;
		int r;
		if (field->type == WIRE_LIST)
			r = decode_list(decoder, field, (void *)member);
		else if (field->type == WIRE_TEXT || field->type == WIRE_BYTES)
			r = decode_view(decoder, field, (void *)member);
		else
			r = decode_integer(decoder, field, member);
		if (r < 0)
			return r;
	}
	return 0;
}

int wire_decode(const struct wire_struct *type, struct bytes frame, struct arena *arena,
		void *message)
{
	struct decoder decoder = {cursor_of(frame), arena};
	uint8_t *copy = arena_alloc(arena, type->size);
	if (!copy)
		return error_origin(-ENOMEM);
	int r = decode_fields(&decoder, type, copy);
	if (r == 0 && cursor_left(&decoder.cursor) > 0)
		r = -EBADMSG;
	if (r < 0)
		return r;
	memcpy(message, copy, type->size);
	return 0;
}
