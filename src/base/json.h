/* Writes JSON straight into a buffer: no tree, no copies. Commas are placed by the writer; nesting
 * is the caller's to keep right (asserted). Text that is not UTF-8 must not be passed. Reading JSON
 * is done elsewhere, by the library's parser. */
#pragma once

#include "base/buffer.h"

struct json {
	struct buffer *out;
	bool comma; /* a value was written at this level, so the next one needs a comma */
	int depth;
};

static inline struct json json_to(struct buffer *out)
{
	return (struct json){.out = out};
}

void json_object(struct json *json);
void json_object_end(struct json *json);
void json_array(struct json *json);
void json_array_end(struct json *json);
void json_key(struct json *json, const char *key); /* keys are ours: plain ASCII, not escaped */
void json_text(struct json *json, struct text text);
void json_cstring(struct json *json, const char *text); /* NULL writes null */
void json_u64(struct json *json, uint64_t value);
void json_i64(struct json *json, int64_t value);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);
void json_raw(struct json *json, struct text json_value); /* a value that already is JSON */
void json_time(struct json *json, int64_t wall_ms);       /* RFC 3339; 0 writes null */
void json_base64(struct json *json, struct bytes bytes);

/* Appends `text` with JSON's escapes and without the quotes. */
void json_escape(struct buffer *out, struct text text);
