/* Workspaces: a workspace is a tenant. */
#include "base/error.h"
#include "proc/control/answer.h"
#include "proc/control/calls.h"
#include "proc/control/fields.h"
#include "proc/control/identity.h"
#include "proc/control/page.h"
#include "proc/control/replay.h"

#include <errno.h>
#include <stdio.h>

struct workspace_fields {
	struct text name, tier, region;
};

enum { HAS_NAME = 1, HAS_TIER = 2, HAS_REGION = 4 };

#define FIELD(member, limit_, needed)                                                              \
	{                                                                                          \
#member, DOCUMENT_TEXT, .required = needed,                                        \
					.offset = offsetof(struct workspace_fields, member),       \
					.limit = limit_                                            \
	}

static const struct document_field create_fields[] = {
    FIELD(name, NAME_LIMIT, true),
    FIELD(tier, LABEL_LIMIT, false),
    FIELD(region, LABEL_LIMIT, false),
};
static const struct document_field update_fields[] = {
    FIELD(name, NAME_LIMIT, false),
    FIELD(tier, LABEL_LIMIT, false),
    FIELD(region, LABEL_LIMIT, false),
};
#undef FIELD

/* A write under way and what is answered when it is durable. */
struct workspace_change {
	struct store_write write;
	struct control_request *request;
	struct store_workspace row;
};

static void write_workspace(struct json *json, const struct store_workspace *row)
{
	json_object(json);
	field_id(json, "id", ID_WORKSPACE, row->id);
	field_text(json, "name", row->name);
	field_text(json, "tier", row->tier);
	field_text(json, "region", row->region);
	field_time(json, "createdAt", row->created_ms);
	field_time(json, "updatedAt", row->updated_ms);
	json_object_end(json);
}

static void answer_workspace(struct control_request *request, uint16_t status,
			     const struct store_workspace *row)
{
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	write_workspace(&json, row);
	if (status == 201)
		field_location(request, "/v1/workspaces", ID_WORKSPACE, row->id);
	control_answer_json(request, status, &body);
}

static int check_fields(struct control_request *request, const struct workspace_fields *fields,
			uint64_t present)
{
	if ((present & HAS_NAME) && field_check_name(request, "name", fields->name))
		return 1;
	if ((present & HAS_TIER) && field_check_label(request, "tier", fields->tier))
		return 1;
	return present & HAS_REGION ? field_check_label(request, "region", fields->region) : 0;
}

static struct workspace_change *change_new(struct control_request *request,
					   store_on_written *on_written)
{
	struct workspace_change *change = arena_alloc(&request->arena, sizeof(*change));
	if (!change) {
		control_answer_outcome(request, error_origin(-ENOMEM));
		return NULL;
	}
	change->request = request;
	change->write.on_written = on_written;
	return change;
}

/* ---- create ---- */

static void created(struct store_write *write, enum store_outcome outcome)
{
	struct workspace_change *change = container_of(write, struct workspace_change, write);
	if (outcome != STORE_DONE)
		control_answer_outcome(change->request, outcome);
	else
		answer_workspace(change->request, 201, &change->row);
}

static void answer_again(struct control_request *request, struct uuid id)
{
	struct store *store = request->control->store;
	struct store_workspace row;
	int r = store->workspaces->get(store, id, &request->arena, &row);
	if (r != 0) {
		control_answer_outcome(request, r);
		return;
	}
	replay_mark(request);
	answer_workspace(request, 201, &row);
}

void workspace_create(struct control_request *request)
{
	struct store *store = request->control->store;
	struct document_table table = {create_fields, ARRAY_SIZE(create_fields)};
	struct workspace_fields fields = {.tier = TEXT("standard"), .region = TEXT("local")};
	struct replay replay;
	uint64_t present;
	if (control_request_body(request, table, &fields, &present) ||
	    check_fields(request, &fields, present))
		return;
	struct uuid id = uuid_new(request->received_ms);
	enum replay_verdict verdict = replay_check(request, id, &replay);
	if (verdict == REPLAY_ANSWERED)
		return;
	request->workspace_id = verdict == REPLAY_AGAIN ? replay.record.object : id;
	if (verdict == REPLAY_AGAIN) {
		answer_again(request, replay.record.object);
		return;
	}
	struct workspace_change *change = change_new(request, created);
	if (!change)
		return;
	change->row = (struct store_workspace){
	    .id = id,
	    .name = fields.name,
	    .tier = fields.tier,
	    .region = fields.region,
	    .created_ms = request->received_ms,
	    .updated_ms = request->received_ms,
	};
	store->workspaces->insert(store, &change->row, replay_record(&replay), &change->write);
}

/* ---- read ---- */

/* A key sees its own workspace, a person those of which they are a member, the administrator all.
 */
static int read_page(struct control_request *request, const struct page *page, size_t limit,
		     void **rows, size_t *count)
{
	const struct control_caller *caller = &request->caller;
	struct store *store = request->control->store;
	struct store_workspace *found = NULL;
	int r;
	if (caller->kind == CALLER_USER && uuid_is_zero(caller->user))
		return 0;
	if (caller->kind != CALLER_KEY) {
		r = store->workspaces->list(store, caller->user, page->after, limit,
					    &request->arena, &found, count);
		*rows = found;
		return r;
	}
	*rows = found = arena_alloc(&request->arena, sizeof(*found));
	if (!found)
		return error_origin(-ENOMEM);
	r = store->workspaces->get(store, caller->workspace, &request->arena, found);
	*count = r == 0 && memcmp(page->after.b, caller->workspace.b, sizeof(page->after.b)) < 0;
	return r == STORE_NOT_FOUND ? 0 : r;
}

static void write_row(struct json *json, struct control_request *request ATTR_UNUSED, void *row)
{
	write_workspace(json, row);
}

void workspace_list(struct control_request *request)
{
	static const struct page_kind kind = {.list = "workspaces",
					      PAGE_ROW(struct store_workspace, id),
					      .read = read_page,
					      .write = write_row};
	const struct control_caller *caller = &request->caller;
	page_answer(request, &kind, uuid_is_zero(caller->key) ? caller->user : caller->key);
}

void workspace_get(struct control_request *request)
{
	answer_workspace(request, 200, &request->workspace);
}

/* ---- update, delete ---- */

static void updated(struct store_write *write, enum store_outcome outcome)
{
	struct workspace_change *change = container_of(write, struct workspace_change, write);
	if (outcome != STORE_DONE)
		control_answer_outcome(change->request, outcome);
	else
		answer_workspace(change->request, 200, &change->row);
}

void workspace_update(struct control_request *request)
{
	struct store *store = request->control->store;
	struct document_table table = {update_fields, ARRAY_SIZE(update_fields)};
	struct workspace_fields fields = {
	    .name = request->workspace.name,
	    .tier = request->workspace.tier,
	    .region = request->workspace.region,
	};
	uint64_t present;
	if (control_request_body(request, table, &fields, &present) ||
	    check_fields(request, &fields, present))
		return;
	struct workspace_change *change = change_new(request, updated);
	if (!change)
		return;
	change->row = request->workspace;
	change->row.name = fields.name;
	change->row.tier = fields.tier;
	change->row.region = fields.region;
	change->row.updated_ms = request->received_ms;
	store->workspaces->update(store, &change->row, &change->write);
}

static void deleted(struct store_write *write, enum store_outcome outcome)
{
	struct workspace_change *change = container_of(write, struct workspace_change, write);
	if (outcome == STORE_DONE)
		control_answer_empty(change->request, 204, UINT64_MAX);
	else if (outcome == STORE_CONFLICT)
		control_answer_problem(change->request, PROBLEM_CONFLICT,
				       "the workspace still has projects: delete them first");
	else
		control_answer_outcome(change->request, outcome);
}

void workspace_delete(struct control_request *request)
{
	struct store *store = request->control->store;
	static const char *const known[] = {NULL};
	if (control_request_check_query(request, known))
		return;
	struct workspace_change *change = change_new(request, deleted);
	if (!change)
		return;
	store->workspaces->remove(store, request->workspace_id, &change->write);
	identities_forget_all(request->control->identities); /* its keys went with it */
}

/* ---- usage ---- */

static void json_thousandths(struct json *json, const char *key, uint64_t thousandths)
{
	char text[32];
	int size =
	    snprintf(text, sizeof(text), "%llu.%03llu", (unsigned long long)(thousandths / 1000),
		     (unsigned long long)(thousandths % 1000));
	json_key(json, key);
	json_raw(json, (struct text){text, (size_t)size});
}

void workspace_usage(struct control_request *request)
{
	struct store *store = request->control->store;
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	struct store_usage usage;
	int r = store->workspaces->usage(store, request->workspace_id, &usage);
	if (r != 0) {
		control_answer_outcome(request, r);
		return;
	}
	json_object(&json);
	field_id(&json, "workspace", ID_WORKSPACE, request->workspace_id);
	json_key(&json, "operations");
	json_u64(&json, usage.operations);
	json_thousandths(&json, "cpuSeconds", usage.cpu_us / 1000);
	json_thousandths(&json, "memorySeconds", usage.memory_byte_seconds / ((1 << 30) / 1000));
	json_key(&json, "bytesStored");
	json_u64(&json, usage.stored_bytes);
	json_key(&json, "bytesSent");
	json_u64(&json, usage.sent_bytes);
	json_object_end(&json);
	control_answer_json(request, 200, &body);
}
