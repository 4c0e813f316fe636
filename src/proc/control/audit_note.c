/* control_audit(): an entry about a request, from what is known of it. */
#include "crypt/digest.h"
#include "proc/control/request.h"

enum { ACTOR_ID_MAX = 255, ADDRESS_MAX = 64 };

/* The audit channel carries UTF-8 without NUL; what a client sent may be anything. */
static struct text clean(struct control_request *request, struct text foreign, size_t limit)
{
	if (foreign.size > limit)
		foreign.size = limit;
	foreign.size -= text_utf8_tail(foreign);
	struct text copy = arena_text(&request->arena, foreign);
	bool utf8 = copy.data && text_is_utf8(copy);
	for (size_t i = 0; copy.data && i < copy.size; i++) {
		char *c = (char *)(uintptr_t)copy.data + i;
		if ((uint8_t)*c < 0x20 || *c == 0x7f || (!utf8 && (uint8_t)*c > 0x7f))
			*c = '?';
	}
	return copy.data ? copy : (struct text){0};
}

static struct text id_text(struct control_request *request, enum id_kind kind, struct uuid id)
{
	if (uuid_is_zero(id))
		return (struct text){0};
	struct id_text text = id_format(kind, id);
	return clean(request, text_of(text.data), sizeof(text.data));
}

static const char *action_of(const struct control_request *request, const struct audit_note *note)
{
	if (note->action)
		return note->action;
	return request->action ? request->action : request->rule->action;
}

static struct text or_empty(const char *text)
{
	return text ? text_of(text) : (struct text){0};
}

void control_audit(struct control_request *request, const struct audit_note *note,
		   struct audit_wait *wait)
{
	const struct control_caller *caller = &request->caller;
	const struct gateway_control_request *in = request->in;
	struct uuid operation =
	    uuid_is_zero(note->operation) ? request->operation_id : note->operation;
	struct control_audit_append entry = {
	    .actor_type = text_of(caller->type),
	    .actor_id = clean(request, caller->name, ACTOR_ID_MAX),
	    .actor_key = id_text(request, ID_KEY, caller->key),
	    .action = text_of(action_of(request, note)),
	    .workspace = id_text(request, ID_WORKSPACE, request->workspace_id),
	    .project = id_text(request, ID_PROJECT, request->project_id),
	    .operation = id_text(request, ID_OPERATION, operation),
	    .allow = note->allow,
	    .rule = or_empty(note->rule ? note->rule : request->allowed_by),
	    .result_state = or_empty(note->result_state),
	    .result_code = or_empty(note->result_code),
	    .request_id = in->request_id,
	    .ip = clean(request, in->address, ADDRESS_MAX),
	    .user_agent = clean(request, in->user_agent, 512),
	    .correlation = clean(request, note->correlation, 255),
	    .input_digest = note->input_digest,
	};
	audit_link_append(request->control->audit, &entry, wait);
}

struct text control_input_digest(struct control_request *request)
{
	char text[sizeof("sha256:") + DIGEST_HEX_SIZE] = "sha256:";
	if (request->in->body.size == 0)
		return (struct text){0};
	struct digest_value digest = digest_of(request->in->body);
	encode_hex(digest_bytes(&digest), text + strlen(text));
	return clean(request, text_of(text), sizeof(text));
}
