/* The caller: who it is, a ticket for it, a WebSocket of it. */
#include "base/clock.h"
#include "crypt/secret.h"
#include "proc/control/answer.h"
#include "proc/control/calls.h"
#include "proc/control/fields.h"
#include "proc/control/tickets.h"

static void write_actor(struct json *json, const struct control_caller *caller)
{
	json_key(json, "actor");
	json_object(json);
	json_key(json, "type");
	json_cstring(json, caller->type);
	field_text(json, "id", caller->name);
	json_key(json, "key");
	json_cstring(json, uuid_is_zero(caller->key) ? NULL : id_format(ID_KEY, caller->key).data);
	json_object_end(json);
}

void session_whoami(struct control_request *request)
{
	const struct control_caller *caller = &request->caller;
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	json_object(&json);
	write_actor(&json, caller);
	json_key(&json, "workspace");
	json_cstring(&json, uuid_is_zero(caller->workspace)
				? NULL
				: id_format(ID_WORKSPACE, caller->workspace).data);
	json_key(&json, "role");
	json_cstring(&json,
		     caller->role == TENANT_NO_ROLE ? NULL : tenant_role_names[caller->role]);
	field_text(&json, "subject", caller->subject);
	field_text(&json, "email", caller->email);
	json_object_end(&json);
	control_answer_json(request, 200, &body);
}

/* The gateway opens the socket; what is subscribed to on it is asked for, and decided, one by one.
 */
void session_socket(struct control_request *request)
{
	control_answer_empty(request, 200, UINT64_MAX);
}

/* ---- tickets ---- */

struct ticket_fields {
	struct text path;
};
static const struct document_field ticket_fields[] = {
    {"path", DOCUMENT_TEXT, .required = true, .offset = offsetof(struct ticket_fields, path),
     .minimum = 1, .limit = TICKET_PATH_LIMIT},
};

static void answer_ticket(struct control_request *request, const char *ticket)
{
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	json_object(&json);
	json_key(&json, "ticket");
	json_cstring(&json, ticket);
	field_time(&json, "expiresAt", request->received_ms + TICKET_LIFE_MS);
	json_object_end(&json);
	control_answer_header(request, "cache-control", TEXT("no-store"));
	control_answer_json(request, 201, &body);
	secret_wipe(body.data, body.size);
}

void session_ticket(struct control_request *request)
{
	const struct control_caller *caller = &request->caller;
	struct document_table table = {ticket_fields, ARRAY_SIZE(ticket_fields)};
	struct control *control = request->control;
	struct ticket_fields fields = {0};
	struct ticket_owner owner = {
	    .administrator = caller->kind == CALLER_ADMINISTRATOR,
	    .key = caller->key,
	    .subject = caller->subject,
	    .email = caller->email,
	};
	char ticket[TOKEN_TEXT_SIZE];
	uint64_t present;
	if (control_request_body(request, table, &fields, &present))
		return;
	if (fields.path.data[0] != '/' || text_has(fields.path, '?')) {
		control_answer_problem(
		    request, PROBLEM_INVALID_INPUT,
		    "\"path\" must be the path of the request, without its query");
		return;
	}
	int r = tickets_issue(control->tickets, &owner, fields.path, loop_now_ms(control->loop),
			      ticket);
	if (r < 0) {
		control_answer_outcome(request, r);
		return;
	}
	answer_ticket(request, ticket);
	secret_wipe(ticket, sizeof(ticket));
}
