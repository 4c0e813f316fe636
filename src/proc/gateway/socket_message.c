#include "proc/gateway/socket_message.h"

#include "base/json.h"
#include "proto/operation.h"

#define TEXT_FIELD(name, member, required, limit)                                                  \
	{                                                                                          \
		name, DOCUMENT_TEXT, required, false, offsetof(struct socket_message, member), 0,  \
		    limit                                                                          \
	}
#define TYPE_FIELD                TEXT_FIELD("type", type_name, true, 16)
#define ID_FIELD(required)        TEXT_FIELD("id", id, required, SOCKET_ID_LIMIT)
#define OPERATION_FIELD(required) TEXT_FIELD("operation", operation, required, ID_TEXT_SIZE)
#define SIZE_FIELD(name, member)                                                                   \
	{                                                                                          \
		name, DOCUMENT_U64, true, false, offsetof(struct socket_message, member), 1,       \
		    UINT16_MAX                                                                     \
	}

static const struct document_field subscribe_fields[] = {
    TYPE_FIELD,
    ID_FIELD(true),
    OPERATION_FIELD(false),
    TEXT_FIELD("correlation", correlation, false, CORRELATION_LIMIT),
    TEXT_FIELD("project", project, false, ID_TEXT_SIZE),
    TEXT_FIELD("stream", stream, false, STREAM_NAME_LIMIT),
    TEXT_FIELD("cursor", cursor, false, 4 * CURSOR_TEXT_LIMIT),
    TEXT_FIELD("from", from, false, 16),
};
static const struct document_field unsubscribe_fields[] = {TYPE_FIELD, ID_FIELD(true)};
static const struct document_field input_fields[] = {
    TYPE_FIELD,
    ID_FIELD(false),
    OPERATION_FIELD(true),
    {"data", DOCUMENT_RAW_TEXT, false, false, offsetof(struct socket_message, data), 0,
     SOCKET_MESSAGE_LIMIT},
    TEXT_FIELD("dataBase64", data_base64, false, SOCKET_MESSAGE_LIMIT),
    {"eof", DOCUMENT_BOOL, false, false, offsetof(struct socket_message, eof), 0, 0},
};
static const struct document_field signal_fields[] = {
    TYPE_FIELD,
    ID_FIELD(false),
    OPERATION_FIELD(true),
    TEXT_FIELD("signal", signal, true, 16),
};
static const struct document_field resize_fields[] = {
    TYPE_FIELD,
    ID_FIELD(false),
    OPERATION_FIELD(true),
    SIZE_FIELD("cols", cols),
    SIZE_FIELD("rows", rows),
};
static const struct document_field ping_fields[] = {TYPE_FIELD, ID_FIELD(false)};

struct message_kind {
	const char *name;
	struct document_table table;
};

#define KIND(name, fields)                                                                         \
	{                                                                                          \
		name,                                                                              \
		{                                                                                  \
			fields, ARRAY_SIZE(fields)                                                 \
		}                                                                                  \
	}
static const struct message_kind message_kinds[SOCKET_MESSAGE_TYPES] = {
    [SOCKET_SUBSCRIBE] = KIND("subscribe", subscribe_fields),
    [SOCKET_UNSUBSCRIBE] = KIND("unsubscribe", unsubscribe_fields),
    [SOCKET_INPUT] = KIND("input", input_fields),
    [SOCKET_SIGNAL] = KIND("signal", signal_fields),
    [SOCKET_RESIZE] = KIND("resize", resize_fields),
    [SOCKET_PING] = KIND("ping", ping_fields),
};

static struct text member_text(const struct document_value *object, const char *name, size_t limit)
{
	const struct document_value *value = document_member(object, name);
	if (!value || document_kind(value) != DOCUMENT_IS_TEXT)
		return (struct text){0};
	struct text text = document_text(value);
	return text.size > 0 && text.size <= limit ? text : (struct text){0};
}

/* The type decides by which table the rest is read, and a refusal must name the message that it
 * answers. */
static int find_kind(const struct document_value *root, struct socket_message *message,
		     struct document_error *error)
{
	if (document_kind(root) != DOCUMENT_IS_OBJECT) {
		document_refuse(error, "a message is a JSON object");
		return SOCKET_MESSAGE_BROKEN;
	}
	struct text type = member_text(root, "type", 16);
	for (int i = 0; i < SOCKET_MESSAGE_TYPES; i++) {
		if (!text_equal(type, text_of(message_kinds[i].name)))
			continue;
		message->type = (enum socket_message_type)i;
		message->id = member_text(root, "id", SOCKET_ID_LIMIT);
		return 0;
	}
	document_refuse(error,
			"`type` is none of subscribe, unsubscribe, input, signal, resize, ping");
	return SOCKET_MESSAGE_BROKEN;
}

static int check_subscription(const struct socket_message *message, struct document_error *error)
{
	int scopes =
	    !!message->operation.data + !!message->correlation.data + !!message->project.data;
	if (scopes != 1 || (message->stream.data && !message->project.data))
		return document_refuse(
		    error, "a subscription names an operation, a correlation, a project, or a "
			   "project and a stream");
	if (message->from.data && !text_equal(message->from, TEXT("start")) &&
	    !text_equal(message->from, TEXT("end")))
		return document_refuse(error, "`from` is start or end");
	return 0;
}

int socket_message_parse(struct bytes json, struct arena *arena, struct document **document,
			 struct socket_message *message, struct document_error *error)
{
	*message = (struct socket_message){0};
	int r = document_parse(json, SOCKET_MESSAGE_LIMIT, document, error);
	if (r != 0)
		return r < 0 ? r : SOCKET_MESSAGE_BROKEN;
	const struct document_value *root = document_root(*document);
	r = find_kind(root, message, error);
	if (r != 0)
		return r;
	uint64_t present;
	r = document_bind(root, message_kinds[message->type].table, arena, message, &present,
			  error);
	if (r == 0 && message->type <= SOCKET_UNSUBSCRIBE && message->id.size == 0)
		r = document_refuse(error, "`id` is empty");
	if (r == 0 && message->type == SOCKET_SUBSCRIBE)
		r = check_subscription(message, error);
	return r > 0 ? SOCKET_MESSAGE_REFUSED : r;
}

static void write_input(struct json *json, const struct socket_message *message)
{
	if (message->data.data) {
		json_key(json, "data");
		json_text(json, message->data);
	}
	if (message->data_base64.data) {
		json_key(json, "dataBase64");
		json_text(json, message->data_base64);
	}
	if (message->eof) {
		json_key(json, "eof");
		json_bool(json, true);
	}
}

void socket_message_body(const struct socket_message *message, struct buffer *out)
{
	struct json json = json_to(out);
	json_object(&json);
	if (message->type == SOCKET_INPUT)
		write_input(&json, message);
	if (message->type == SOCKET_SIGNAL) {
		json_key(&json, "signal");
		json_text(&json, message->signal);
	}
	if (message->type == SOCKET_RESIZE) {
		json_key(&json, "cols");
		json_u64(&json, message->cols);
		json_key(&json, "rows");
		json_u64(&json, message->rows);
	}
	json_object_end(&json);
}
