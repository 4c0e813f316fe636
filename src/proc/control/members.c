/* Members: people in a workspace, by OIDC subject or e-mail. */
#include "base/error.h"
#include "proc/control/answer.h"
#include "proc/control/calls.h"
#include "proc/control/fields.h"
#include "proc/control/leases.h"
#include "proc/control/page.h"
#include "proc/control/replay.h"

#include <errno.h>
#include <stdio.h>

enum { SUBJECT_LIMIT = 255, EMAIL_LIMIT = 254 };

struct member_fields {
	struct text subject, email, role;
};

enum { HAS_SUBJECT = 1, HAS_EMAIL = 2, HAS_ROLE = 4 };

static const struct document_field create_fields[] = {
    {"subject", DOCUMENT_TEXT, .offset = offsetof(struct member_fields, subject), .minimum = 1,
     .limit = SUBJECT_LIMIT},
    {"email", DOCUMENT_TEXT, .offset = offsetof(struct member_fields, email), .minimum = 3,
     .limit = EMAIL_LIMIT},
    {"role", DOCUMENT_TEXT, .required = true, .offset = offsetof(struct member_fields, role),
     .limit = LABEL_LIMIT},
};
static const struct document_field update_fields[] = {
    {"role", DOCUMENT_TEXT, .required = true, .offset = offsetof(struct member_fields, role),
     .limit = LABEL_LIMIT},
};

struct member_change {
	struct store_write write;
	struct control_request *request;
	struct store_member row;
};

static void write_member(struct json *json, const struct store_member *row)
{
	json_object(json);
	field_id(json, "id", ID_USER, row->user);
	field_id(json, "workspace", ID_WORKSPACE, row->workspace);
	field_text(json, "subject", row->subject);
	field_text(json, "email", row->email);
	json_key(json, "role");
	json_cstring(json, tenant_role_names[row->role]);
	field_time(json, "createdAt", row->created_ms);
	json_object_end(json);
}

static void answer_member(struct control_request *request, uint16_t status,
			  const struct store_member *row)
{
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	char path[120];
	write_member(&json, row);
	snprintf(path, sizeof(path), "/v1/workspaces/%s/members",
		 id_format(ID_WORKSPACE, row->workspace).data);
	if (status == 201)
		field_location(request, path, ID_USER, row->user);
	control_answer_json(request, status, &body);
}

/* The member as the store has it now. */
static void answer_stored(struct control_request *request, uint16_t status, struct uuid user)
{
	struct store *store = request->control->store;
	struct store_member row;
	int r =
	    store->people->member_get(store, request->workspace_id, user, &request->arena, &row);
	if (r == 0)
		answer_member(request, status, &row);
	else
		control_answer_outcome(request, r);
}

static struct member_change *change_new(struct control_request *request,
					store_on_written *on_written)
{
	struct member_change *change = arena_alloc(&request->arena, sizeof(*change));
	if (!change) {
		control_answer_outcome(request, error_origin(-ENOMEM));
		return NULL;
	}
	change->request = request;
	change->write.on_written = on_written;
	change->row.workspace = request->workspace_id;
	return change;
}

/* Nobody hands out more than they hold: neither by giving a role nor by changing somebody who holds
 * more. */
static int check_role(struct control_request *request, struct text name, enum tenant_role *role)
{
	if (tenant_role_parse(name, role)) {
		control_answer_problem(
		    request, PROBLEM_INVALID_INPUT,
		    "\"role\" must be owner, admin, developer, viewer or auditor");
		return 1;
	}
	if (tenant_role_may_give(request->caller.role, *role))
		return 0;
	control_request_deny(
	    request, (struct access_decision){ACCESS_DENY_FORBIDDEN, "deny.role_above_own"});
	return 1;
}

/* ---- add ---- */

static bool is_email(struct text text)
{
	struct text local;
	text_split(&text, '@', &local);
	bool fine = local.size > 0 && text.size > 0 && !text_has(text, '@');
	for (size_t i = 0; fine && i < local.size; i++)
		fine = (uint8_t)local.data[i] > 0x20 && local.data[i] != 0x7f;
	for (size_t i = 0; fine && i < text.size; i++)
		fine = (uint8_t)text.data[i] > 0x20 && text.data[i] != 0x7f;
	return fine;
}

static int check_person(struct control_request *request, const struct member_fields *fields,
			uint64_t present)
{
	bool subject = present & HAS_SUBJECT, email = present & HAS_EMAIL;
	if (subject == email) {
		control_answer_problem(request, PROBLEM_INVALID_INPUT,
				       "exactly one of \"subject\" and \"email\" is needed");
		return 1;
	}
	if (!email || is_email(fields->email))
		return 0;
	control_answer_problem(request, PROBLEM_INVALID_INPUT,
			       "\"email\" is not an e-mail address");
	return 1;
}

static void added(struct store_write *write, enum store_outcome outcome)
{
	struct member_change *change = container_of(write, struct member_change, write);
	if (outcome != STORE_DONE)
		control_answer_outcome(change->request, outcome);
	else
		answer_stored(change->request, 201, change->row.user);
}

/* The id of a person who is known from another workspace, else a new one. */
static int id_of_person(struct control_request *request, const struct member_fields *fields,
			struct uuid *id)
{
	struct store *store = request->control->store;
	int r;
	if (fields->subject.size > 0)
		r = store->people->user_by_subject(store, fields->subject, id);
	else
		r = store->people->user_by_email(store, fields->email, id);
	if (r != STORE_NOT_FOUND)
		return r;
	*id = uuid_new(request->received_ms);
	return 0;
}

void member_add(struct control_request *request)
{
	struct store *store = request->control->store;
	struct document_table table = {create_fields, ARRAY_SIZE(create_fields)};
	struct member_fields fields = {0};
	struct replay replay;
	enum tenant_role role;
	uint64_t present;
	if (control_request_body(request, table, &fields, &present) ||
	    check_person(request, &fields, present) || check_role(request, fields.role, &role))
		return;
	struct uuid id;
	fields.email = field_email(&request->arena, fields.email);
	if (!fields.email.data) {
		control_answer_outcome(request, error_origin(-ENOMEM));
		return;
	}
	int r = id_of_person(request, &fields, &id);
	if (r != 0) {
		control_answer_outcome(request, r);
		return;
	}
	enum replay_verdict verdict = replay_check(request, id, &replay);
	if (verdict == REPLAY_ANSWERED)
		return;
	if (verdict == REPLAY_AGAIN) {
		replay_mark(request);
		answer_stored(request, 201, replay.record.object);
		return;
	}
	struct member_change *change = change_new(request, added);
	if (!change)
		return;
	change->row.user = id;
	change->row.subject = fields.subject;
	change->row.email = fields.email;
	change->row.role = role;
	change->row.created_ms = request->received_ms;
	store->people->member_insert(store, &change->row, replay_record(&replay), &change->write);
}

/* ---- read ---- */

static int read_page(struct control_request *request, const struct page *page, size_t limit,
		     void **rows, size_t *count)
{
	struct store *store = request->control->store;
	struct store_member *found = NULL;
	int r = store->people->member_list(store, request->workspace_id, page->after, limit,
					   &request->arena, &found, count);
	*rows = found;
	return r;
}

static void write_row(struct json *json, struct control_request *request ATTR_UNUSED, void *row)
{
	write_member(json, row);
}

void member_list(struct control_request *request)
{
	static const struct page_kind kind = {.list = "members",
					      PAGE_ROW(struct store_member, user),
					      .read = read_page,
					      .write = write_row};
	page_answer(request, &kind, request->workspace_id);
}

/* The member that the path names; answers not_found otherwise. */
static int named_member(struct control_request *request, struct store_member *row)
{
	struct store *store = request->control->store;
	struct uuid user;
	int r = STORE_NOT_FOUND;
	if (id_parse(ID_USER, request->in->name, &user) == 0)
		r = store->people->member_get(store, request->workspace_id, user, &request->arena,
					      row);
	if (r != 0)
		control_answer_outcome(request, r);
	return r;
}

void member_get(struct control_request *request)
{
	struct store_member row;
	if (named_member(request, &row) == 0)
		answer_member(request, 200, &row);
}

/* ---- update, remove ---- */

static void answer_refused(struct control_request *request, enum store_outcome outcome)
{
	if (outcome == STORE_CONFLICT)
		control_answer_problem(request, PROBLEM_CONFLICT,
				       "the last owner of a workspace stays its owner");
	else
		control_answer_outcome(request, outcome);
}

static void updated(struct store_write *write, enum store_outcome outcome)
{
	struct member_change *change = container_of(write, struct member_change, write);
	if (outcome == STORE_DONE)
		answer_member(change->request, 200, &change->row);
	else
		answer_refused(change->request, outcome);
}

static int check_holder(struct control_request *request, const struct store_member *row)
{
	if (tenant_role_may_give(request->caller.role, row->role))
		return 0;
	control_request_deny(
	    request, (struct access_decision){ACCESS_DENY_FORBIDDEN, "deny.role_above_own"});
	return 1;
}

void member_update(struct control_request *request)
{
	struct store *store = request->control->store;
	struct document_table table = {update_fields, ARRAY_SIZE(update_fields)};
	struct member_fields fields = {0};
	struct store_member row;
	enum tenant_role role;
	uint64_t present;
	if (control_request_body(request, table, &fields, &present) ||
	    check_role(request, fields.role, &role) || named_member(request, &row) ||
	    check_holder(request, &row))
		return;
	struct member_change *change = change_new(request, updated);
	if (!change)
		return;
	change->row = row;
	change->row.role = role;
	store->people->member_update(store, request->workspace_id, row.user, role, &change->write);
}

static void removed(struct store_write *write, enum store_outcome outcome)
{
	struct member_change *change = container_of(write, struct member_change, write);
	if (outcome != STORE_DONE) {
		answer_refused(change->request, outcome);
		return;
	}
	leases_end(change->request->control->leases, change->row.user);
	control_answer_empty(change->request, 204, UINT64_MAX);
}

void member_remove(struct control_request *request)
{
	struct store *store = request->control->store;
	struct store_member row;
	if (named_member(request, &row) || check_holder(request, &row))
		return;
	struct member_change *change = change_new(request, removed);
	if (!change)
		return;
	change->row = row;
	store->people->member_remove(store, request->workspace_id, row.user, &change->write);
}
