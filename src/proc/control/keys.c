/* API keys: the secret is shown once; a hash is kept; a revocation takes effect at once, also on
 * what is open. */
#include "base/error.h"
#include "crypt/secret.h"
#include "proc/control/answer.h"
#include "proc/control/calls.h"
#include "proc/control/fields.h"
#include "proc/control/identity.h"
#include "proc/control/leases.h"
#include "proc/control/page.h"
#include "proc/control/replay.h"

#include <errno.h>
#include <stdio.h>

struct key_fields {
	struct text name, role;
	struct wire_list projects;
	int64_t expires_ms;
};

enum { HAS_PROJECTS = 4, HAS_EXPIRES = 8 };

static const struct document_field create_fields[] = {
    {"name", DOCUMENT_TEXT, .required = true, .offset = offsetof(struct key_fields, name),
     .limit = NAME_LIMIT},
    {"role", DOCUMENT_TEXT, .required = true, .offset = offsetof(struct key_fields, role),
     .limit = LABEL_LIMIT},
    {"projects", DOCUMENT_TEXT_LIST, .nullable = true,
     .offset = offsetof(struct key_fields, projects), .limit = STORE_KEY_PROJECTS_MAX},
    {"expiresAt", DOCUMENT_TIME, .nullable = true,
     .offset = offsetof(struct key_fields, expires_ms)},
};

struct key_change {
	struct store_write write;
	struct control_request *request;
	struct store_key row;
	char secret[IDENTITY_KEY_TEXT_SIZE];
};

static void write_projects(struct json *json, const struct store_key *row)
{
	json_key(json, "projects");
	if (row->n_projects == 0) {
		json_null(json);
		return;
	}
	json_array(json);
	for (size_t i = 0; i < row->n_projects; i++)
		json_cstring(json, id_format(ID_PROJECT, row->projects[i]).data);
	json_array_end(json);
}

static void write_key(struct json *json, const struct store_key *row, const char *secret)
{
	json_object(json);
	field_id(json, "id", ID_KEY, row->id);
	field_id(json, "workspace", ID_WORKSPACE, row->workspace);
	field_text(json, "name", row->name);
	json_key(json, "role");
	json_cstring(json, tenant_role_names[row->role]);
	write_projects(json, row);
	field_text(json, "createdBy", row->created_by);
	field_time(json, "createdAt", row->created_ms);
	field_time(json, "expiresAt", row->expires_ms);
	field_time(json, "revokedAt", row->revoked_ms);
	if (secret) {
		json_key(json, "secret");
		json_cstring(json, secret);
	}
	json_object_end(json);
}

static void answer_key(struct control_request *request, uint16_t status,
		       const struct store_key *row, const char *secret)
{
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	char path[120];
	write_key(&json, row, secret);
	snprintf(path, sizeof(path), "/v1/workspaces/%s/keys",
		 id_format(ID_WORKSPACE, row->workspace).data);
	if (status == 201)
		field_location(request, path, ID_KEY, row->id);
	if (secret)
		control_answer_header(request, "cache-control", TEXT("no-store"));
	control_answer_json(request, status, &body);
	if (secret)
		secret_wipe(body.data, body.size);
}

static struct key_change *change_new(struct control_request *request, store_on_written *on_written)
{
	struct key_change *change = arena_alloc(&request->arena, sizeof(*change));
	if (!change) {
		control_answer_outcome(request, error_origin(-ENOMEM));
		return NULL;
	}
	change->request = request;
	change->write.on_written = on_written;
	return change;
}

/* ---- create ---- */

static int refuse(struct control_request *request, const char *why)
{
	control_answer_problem(request, PROBLEM_INVALID_INPUT, "%s", why);
	return 1;
}

/* Each must be a project of this workspace that the caller may see. */
static int read_projects(struct control_request *request, const struct wire_list *list,
			 struct store_key *row)
{
	struct store *store = request->control->store;
	const struct text *names = list->items;
	struct uuid *projects = arena_alloc(&request->arena, list->count * sizeof(*projects));
	struct store_project project;
	if (!projects) {
		control_answer_outcome(request, error_origin(-ENOMEM));
		return 1;
	}
	for (size_t i = 0; i < list->count; i++) {
		bool found =
		    id_parse(ID_PROJECT, names[i], &projects[i]) == 0 &&
		    store->projects->get(store, projects[i], &request->arena, &project) == 0;
		if (!found || !uuid_equal(project.workspace, request->workspace_id))
			return refuse(request,
				      "\"projects\" names what is no project of this workspace");
	}
	row->projects = projects;
	row->n_projects = list->count;
	return 0;
}

static int read_fields(struct control_request *request, struct store_key *row)
{
	struct document_table table = {create_fields, ARRAY_SIZE(create_fields)};
	struct key_fields fields = {0};
	uint64_t present;
	if (control_request_body(request, table, &fields, &present) ||
	    field_check_name(request, "name", fields.name))
		return 1;
	if (tenant_role_parse(fields.role, &row->role))
		return refuse(request,
			      "\"role\" must be owner, admin, developer, viewer or auditor");
	if (!tenant_role_may_give(request->caller.role, row->role)) {
		control_request_deny(request, (struct access_decision){ACCESS_DENY_FORBIDDEN,
								       "deny.role_above_own"});
		return 1;
	}
	if ((present & HAS_PROJECTS) && fields.projects.items && fields.projects.count == 0)
		return refuse(request, "\"projects\" must name a project, or be left out for all");
	if (fields.expires_ms != 0 && fields.expires_ms <= request->received_ms)
		return refuse(request, "\"expiresAt\" lies in the past");
	row->name = fields.name;
	row->expires_ms = fields.expires_ms;
	return read_projects(request, &fields.projects, row);
}

static void created(struct store_write *write, enum store_outcome outcome)
{
	struct key_change *change = container_of(write, struct key_change, write);
	char secret[IDENTITY_KEY_TEXT_SIZE];
	memcpy(secret, change->secret, sizeof(secret));
	secret_wipe(change->secret, sizeof(change->secret));
	if (outcome == STORE_DONE)
		answer_key(change->request, 201, &change->row, secret);
	else
		control_answer_outcome(change->request, outcome);
	secret_wipe(secret, sizeof(secret));
}

/* The object again, without the secret: that was shown once, and nobody has it any more. */
static void answer_again(struct control_request *request, struct uuid id)
{
	struct store *store = request->control->store;
	struct store_key row;
	int r = store->people->key_get(store, id, &request->arena, &row);
	if (r != 0) {
		control_answer_outcome(request, r);
		return;
	}
	replay_mark(request);
	answer_key(request, 201, &row, NULL);
}

void key_create(struct control_request *request)
{
	struct store *store = request->control->store;
	struct key_change *change = change_new(request, created);
	struct replay replay;
	if (!change || read_fields(request, &change->row))
		return;
	struct uuid id = uuid_new(request->received_ms);
	enum replay_verdict verdict = replay_check(request, id, &replay);
	if (verdict == REPLAY_AGAIN)
		answer_again(request, replay.record.object);
	if (verdict != REPLAY_NEW)
		return;
	change->row.id = id;
	change->row.workspace = request->workspace_id;
	change->row.created_by = request->caller.name;
	change->row.created_ms = request->received_ms;
	identity_new_key(id, change->secret, change->row.hash);
	store->people->key_insert(store, &change->row, replay_record(&replay), &change->write);
}

/* ---- read ---- */

static int read_page(struct control_request *request, const struct page *page, size_t limit,
		     void **rows, size_t *count)
{
	struct store *store = request->control->store;
	struct store_key *found = NULL;
	int r = store->people->key_list(store, request->workspace_id, page->after, limit,
					&request->arena, &found, count);
	*rows = found;
	return r;
}

static void write_row(struct json *json, struct control_request *request ATTR_UNUSED, void *row)
{
	write_key(json, row, NULL);
}

void key_list(struct control_request *request)
{
	static const struct page_kind kind = {
	    .list = "keys", PAGE_ROW(struct store_key, id), .read = read_page, .write = write_row};
	page_answer(request, &kind, request->workspace_id);
}

static int named_key(struct control_request *request, struct store_key *row)
{
	struct store *store = request->control->store;
	struct uuid id;
	int r = STORE_NOT_FOUND;
	if (id_parse(ID_KEY, request->in->name, &id) == 0)
		r = store->people->key_get(store, id, &request->arena, row);
	if (r == 0 && !uuid_equal(row->workspace, request->workspace_id))
		r = STORE_NOT_FOUND;
	if (r != 0)
		control_answer_outcome(request, r);
	return r;
}

void key_get(struct control_request *request)
{
	struct store_key row;
	if (named_key(request, &row) == 0)
		answer_key(request, 200, &row, NULL);
}

/* ---- revoke ---- */

static void withdraw(struct control *control, struct uuid key)
{
	identities_forget_key(control->identities, key);
	leases_end(control->leases, key);
}

static void revoked(struct store_write *write, enum store_outcome outcome)
{
	struct key_change *change = container_of(write, struct key_change, write);
	struct control_request *request = change->request;
	identities_forget_key(request->control->identities, change->row.id);
	if (outcome != STORE_DONE) {
		control_answer_outcome(request, outcome);
		return;
	}
	withdraw(request->control, change->row.id);
	control_answer_empty(request, 204, UINT64_MAX);
}

void key_revoke(struct control_request *request)
{
	struct store *store = request->control->store;
	struct store_key row;
	if (named_key(request, &row))
		return;
	if (!tenant_role_may_give(request->caller.role, row.role)) {
		control_request_deny(request, (struct access_decision){ACCESS_DENY_FORBIDDEN,
								       "deny.role_above_own"});
		return;
	}
	struct key_change *change = change_new(request, revoked);
	if (!change)
		return;
	change->row = row;
	store->people->key_revoke(store, request->workspace_id, row.id, request->received_ms,
				  &change->write);
	identities_forget_key(request->control->identities, row.id);
}
