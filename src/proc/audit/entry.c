#include "proc/audit/entry.h"

#include "base/json.h"

enum kind { KIND_SEQ, KIND_TIME, KIND_TEXT, KIND_BOOL };

struct row {
	struct text before; /* what stands between the last field and this one */
	enum kind kind;
	size_t offset;
};

#define ROW(before, kind, member)                                                                  \
	{                                                                                          \
		TEXT(before), kind, offsetof(struct control_audit_append, member)                  \
	}
static const struct row rows[ENTRY_FIELDS] = {
    [ENTRY_SEQ] = {TEXT("{\"seq\":"), KIND_SEQ, 0},
    [ENTRY_TIME] = ROW(",\"time\":", KIND_TIME, time_ms),
    [ENTRY_ACTOR_TYPE] = ROW(",\"actor\":{\"type\":", KIND_TEXT, actor_type),
    [ENTRY_ACTOR_ID] = ROW(",\"id\":", KIND_TEXT, actor_id),
    [ENTRY_ACTOR_KEY] = ROW(",\"key\":", KIND_TEXT, actor_key),
    [ENTRY_ACTION] = ROW("},\"action\":", KIND_TEXT, action),
    [ENTRY_WORKSPACE] = ROW(",\"scope\":{\"workspace\":", KIND_TEXT, workspace),
    [ENTRY_PROJECT] = ROW(",\"project\":", KIND_TEXT, project),
    [ENTRY_OPERATION] = ROW(",\"operation\":", KIND_TEXT, operation),
    [ENTRY_ALLOW] = ROW("},\"decision\":{\"allow\":", KIND_BOOL, allow),
    [ENTRY_RULE] = ROW(",\"rule\":", KIND_TEXT, rule),
    [ENTRY_RESULT_STATE] = ROW("},\"result\":{\"state\":", KIND_TEXT, result_state),
    [ENTRY_RESULT_CODE] = ROW(",\"code\":", KIND_TEXT, result_code),
    [ENTRY_REQUEST_ID] = ROW("},\"request\":{\"id\":", KIND_TEXT, request_id),
    [ENTRY_IP] = ROW(",\"ip\":", KIND_TEXT, ip),
    [ENTRY_USER_AGENT] = ROW(",\"userAgent\":", KIND_TEXT, user_agent),
    [ENTRY_CORRELATION] = ROW(",\"correlationId\":", KIND_TEXT, correlation),
    [ENTRY_INPUT_DIGEST] = ROW(",\"inputDigest\":", KIND_TEXT, input_digest),
};
static const struct text end = TEXT("}}");

void entry_write_text(struct text text, struct buffer *out)
{
	struct json json = json_to(out);
	if (text.size == 0)
		json_null(&json);
	else
		json_text(&json, text);
}

static void write_field(const struct row *row, const void *member, uint64_t seq, struct buffer *out)
{
	struct json json = json_to(out);
	switch (row->kind) {
	case KIND_SEQ:
		json_u64(&json, seq);
		break;
	case KIND_TIME:
		json_time(&json, *(const int64_t *)member);
		break;
	case KIND_TEXT:
		entry_write_text(*(const struct text *)member, out);
		break;
	case KIND_BOOL:
		json_bool(&json, *(const bool *)member);
		break;
	}
}

void entry_write(const struct control_audit_append *append, uint64_t seq, struct buffer *out)
{
	for (size_t i = 0; i < ENTRY_FIELDS; i++) {
		buffer_append_text(out, rows[i].before);
		write_field(&rows[i], (const char *)append + rows[i].offset, seq, out);
	}
	buffer_append_text(out, end);
}

/* The value at the front: up to the closing quote of a text, else up to what cannot belong to it.
 */
static size_t value_size(struct text text)
{
	size_t i = 0;
	if (text.size > 0 && text.data[0] == '"') {
		for (i = 1; i < text.size && text.data[i] != '"'; i++)
			if (text.data[i] == '\\')
				i++;
		return i < text.size ? i + 1 : 0;
	}
	while (i < text.size && text.data[i] != ',' && text.data[i] != '}')
		i++;
	return i;
}

int entry_read(struct text entry, struct entry_view *view)
{
	struct entry_view read;
	for (size_t i = 0; i < ENTRY_FIELDS; i++) {
		if (!text_starts(entry, rows[i].before))
			return 1;
		entry = text_skip(entry, rows[i].before.size);
		size_t size = value_size(entry);
		if (size == 0)
			return 1;
		read.fields[i] = (struct text){entry.data, size};
		entry = text_skip(entry, size);
	}
	if (!text_equal(entry, end))
		return 1;
	*view = read;
	return 0;
}
