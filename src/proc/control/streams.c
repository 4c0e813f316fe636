/* Messages of named streams. A message's identity is made of the Idempotency-Key, so that the event
 * log tells a repeated one. */
#include "base/error.h"
#include "crypt/digest.h"
#include "proc/control/answer.h"
#include "proc/control/calls.h"
#include "proc/control/stream_link.h"

#include <errno.h>

struct publication {
	struct stream_append append;
	struct control_request *request;
};

static void on_appended(struct stream_append *append, bool refused)
{
	struct control_request *request = container_of(append, struct publication, append)->request;
	if (refused)
		control_answer_outcome(request, error_origin(-EIO));
	else
		control_answer_empty(request, 204, UINT64_MAX);
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
};

static const struct document_field message_table[] = {
    {"data", DOCUMENT_ANY, true, .offset = offsetof(struct message_fields, data)},
};

void stream_publish(struct control_request *request)
{
	const struct document_table table = {message_table, ARRAY_SIZE(message_table)};
	struct text name = request->in->name;
	struct buffer data ATTR_BUFFER = {0};
	struct message_fields fields = {0};
	uint64_t present;
	if (control_request_body(request, table, &fields, &present))
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
	    .stream_name = name,
	    .data = buffer_bytes(&data),
	};
	if (r == 0 && !stream_link_is_up(request->control->stream)) {
		control_answer_problem(request, PROBLEM_STREAM_UNAVAILABLE, NULL);
		return;
	}
	if (r == 0) {
		publication->request = request;
		publication->append.on_appended = on_appended;
		r = stream_link_append(request->control->stream, &event, &publication->append);
	}
	if (r < 0)
		control_answer_outcome(request, r);
}
