/* Messages of named streams. A message's identity is made of the Idempotency-Key, so that the event
 * log tells a repeated one. */
#include "base/encode.h"
#include "base/error.h"
#include "base/json.h"
#include "crypt/digest.h"
#include "proc/control/answer.h"
#include "proc/control/calls.h"
#include "proc/control/replay.h"
#include "proc/control/stream_link.h"

#include <errno.h>

struct publication {
	struct stream_append append;
	struct control_request *request;
	struct uuid message;
};

/* A repeated one is not said to be of now. */
static void answer_published(const struct publication *publication)
{
	struct control_request *request = publication->request;
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	char id[BASE32_SIZE];
	encode_base32(publication->message.b, id);
	json_object(&json);
	json_key(&json, "id");
	json_text(&json, (struct text){id, sizeof(id)});
	if (!publication->append.repeated) {
		json_key(&json, "time");
		json_time(&json, request->received_ms);
	}
	json_object_end(&json);
	if (publication->append.repeated)
		replay_mark(request);
	control_answer_json(request, 201, &body);
}

static void on_appended(struct stream_append *append, bool refused)
{
	struct publication *publication = container_of(append, struct publication, append);
	if (append->no_space)
		control_answer_problem(publication->request, PROBLEM_STORAGE_FULL, NULL);
	else if (refused)
		control_answer_outcome(publication->request, error_origin(-EIO));
	else
		answer_published(publication);
}

static struct uuid identify(const struct control_request *request)
{
	const struct gateway_control_request *in = request->in;
	struct uuid id;
	if (!in->has_idempotency_key)
		return uuid_new(request->received_ms);
	struct bytes parts[] = {
	    text_bytes(request->caller.name), text_bytes(TEXT("\n")), text_bytes(in->id),
	    text_bytes(TEXT("\n")),           text_bytes(in->name),   text_bytes(TEXT("\n")),
	    text_bytes(in->idempotency_key)};
	struct digest_value digest = digest_of_parts(parts, ARRAY_SIZE(parts));
	memcpy(id.b, digest.b, sizeof(id.b));
	return id;
}

struct message_fields {
	const struct document_value *data;
	struct text correlation;
};

static const struct document_field message_table[] = {
    {"data", DOCUMENT_ANY, true, .offset = offsetof(struct message_fields, data)},
    {"correlationId", DOCUMENT_TEXT, .offset = offsetof(struct message_fields, correlation),
     .limit = CORRELATION_LIMIT},
};

void stream_publish(struct control_request *request)
{
	const struct document_table table = {message_table, ARRAY_SIZE(message_table)};
	struct text name = request->in->name;
	struct buffer data ATTR_BUFFER = {0};
	struct message_fields fields = {0};
	uint64_t present;
	if (control_request_body(request, table, &fields, &present) ||
	    replay_check_key(request) != 0)
		return;
	if (name.size == 0 || name.size > STREAM_NAME_LIMIT || !text_is_utf8(name) ||
	    text_has(name, '\0')) {
		control_answer_problem(request, PROBLEM_INVALID_INPUT,
				       "a stream's name is 1 to %d bytes of UTF-8",
				       STREAM_NAME_LIMIT);
		return;
	}
	struct publication *publication = arena_alloc(&request->arena, sizeof(*publication));
	int r = publication ? document_write(fields.data, false, &data) : -ENOMEM;
	struct event_append event = {
	    .type = EVENT_CHUNK,
	    .stream = EVENT_MESSAGE,
	    .time_ms = request->received_ms,
	    .workspace = request->workspace_id,
	    .project = request->project_id,
	    .message = identify(request),
	    .correlation = fields.correlation,
	    .stream_name = name,
	    .data = buffer_bytes(&data),
	};
	if (r == 0 && !stream_link_is_up(request->control->stream)) {
		control_answer_problem(request, PROBLEM_STREAM_UNAVAILABLE, NULL);
		return;
	}
	if (r == 0) {
		publication->request = request;
		publication->message = event.message;
		publication->append.on_appended = on_appended;
		publication->append.is_waited_for = true;
		r = stream_link_append(request->control->stream, &event, &publication->append);
	}
	if (r < 0)
		control_answer_outcome(request, r);
}
