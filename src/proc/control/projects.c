/* Projects. Deleting one hides it at once and durably; what is left of it is removed behind that,
 * also after a crash. */
#include "proc/control/projects.h"

#include "base/error.h"
#include "base/log.h"
#include "engine/policy/policy.h"
#include "proc/control/answer.h"
#include "proc/control/calls.h"
#include "proc/control/fields.h"
#include "proc/control/page.h"
#include "proc/control/project_fields.h"
#include "proc/control/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct project_change {
	struct store_write write;
	struct control_request *request;
	struct store_project row;
};

static void write_project(struct json *json, const struct store_project *row)
{
	json_object(json);
	field_id(json, "id", ID_PROJECT, row->id);
	field_id(json, "workspace", ID_WORKSPACE, row->workspace);
	field_text(json, "name", row->name);
	field_text(json, "template", row->template);
	field_text(json, "runtimeClass", row->runtime_class);
	field_text(json, "tier", row->tier);
	field_text(json, "region", row->region);
	json_key(json, "env");
	json_raw(json, row->env);
	json_key(json, "policy");
	json_raw(json, row->policy);
	field_time(json, "createdAt", row->created_ms);
	field_time(json, "updatedAt", row->updated_ms);
	json_object_end(json);
}

static void answer_project(struct control_request *request, uint16_t status,
			   const struct store_project *row)
{
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	write_project(&json, row);
	if (status == 201)
		field_location(request, "/v1/projects", ID_PROJECT, row->id);
	control_answer_json(request, status, &body);
}

static struct project_change *change_new(struct control_request *request,
					 store_on_written *on_written)
{
	struct project_change *change = arena_alloc(&request->arena, sizeof(*change));
	if (!change) {
		control_answer_outcome(request, error_origin(-ENOMEM));
		return NULL;
	}
	change->request = request;
	change->write.on_written = on_written;
	return change;
}

static void written(struct store_write *write, enum store_outcome outcome)
{
	struct project_change *change = container_of(write, struct project_change, write);
	uint16_t status = change->request->in->call == API_PROJECT_CREATE ? 201 : 200;
	if (outcome == STORE_DONE)
		answer_project(change->request, status, &change->row);
	else if (outcome == STORE_CONFLICT)
		control_answer_outcome(change->request, STORE_NOT_FOUND); /* it is being deleted */
	else
		control_answer_outcome(change->request, outcome);
}

/* ---- create ---- */

static void answer_again(struct control_request *request, struct uuid id)
{
	struct store *store = request->control->store;
	struct store_project row;
	int r = store->projects->get(store, id, &request->arena, &row);
	if (r != 0 || row.state != STORE_PROJECT_ACTIVE) {
		control_answer_outcome(request, r != 0 ? r : STORE_NOT_FOUND);
		return;
	}
	replay_mark(request);
	answer_project(request, 201, &row);
}

void project_create(struct control_request *request)
{
	struct store *store = request->control->store;
	struct project_change *change = change_new(request, written);
	struct replay replay;
	if (!change)
		return;
	struct store_project *row = &change->row;
	*row = (struct store_project){
	    .id = uuid_new(request->received_ms),
	    .workspace = request->workspace_id,
	    .template = TEXT("default"),
	    .runtime_class = TEXT("standard"),
	    .tier = request->workspace.tier,
	    .region = request->workspace.region,
	    .env = TEXT("{}"),
	    .policy = TEXT("{}"),
	    .created_ms = request->received_ms,
	    .updated_ms = request->received_ms,
	};
	if (project_read_fields(request, true, row))
		return;
	enum replay_verdict verdict = replay_check(request, row->id, &replay);
	if (verdict == REPLAY_ANSWERED)
		return;
	request->project_id = verdict == REPLAY_AGAIN ? replay.record.object : row->id;
	if (verdict == REPLAY_AGAIN)
		answer_again(request, replay.record.object);
	else
		store->projects->insert(store, row, replay_record(&replay), &change->write);
}

/* ---- read, update ---- */

static int read_page(struct control_request *request, const struct page *page, size_t limit,
		     void **rows, size_t *count)
{
	struct store *store = request->control->store;
	struct store_project *found = NULL;
	int r = store->projects->list(store, request->workspace_id, page->after, limit,
				      &request->arena, &found, count);
	*rows = found;
	return r;
}

static void write_row(struct json *json, struct control_request *request, void *row)
{
	struct store_project *project = row;
	if (control_request_reaches(request, project->id))
		write_project(json, project);
}

void project_list(struct control_request *request)
{
	static const struct page_kind kind = {.list = "projects",
					      PAGE_ROW(struct store_project, id),
					      .read = read_page,
					      .write = write_row};
	page_answer(request, &kind, request->workspace_id);
}

void project_get(struct control_request *request)
{
	answer_project(request, 200, &request->project);
}

void project_update(struct control_request *request)
{
	struct store *store = request->control->store;
	struct project_change *change = change_new(request, written);
	if (!change)
		return;
	change->row = request->project;
	change->row.updated_ms = request->received_ms;
	if (project_read_fields(request, false, &change->row) == 0)
		store->projects->update(store, &change->row, &change->write);
}

/* ---- delete ---- */

static void tear_down(struct control *control, struct uuid workspace, struct uuid project)
{
	if (control->stop_readers)
		control->stop_readers(control, (struct uuid){0}, project);
	if (control->tear_down_project)
		control->tear_down_project(control, workspace, project);
}

static void retired(struct store_write *write, enum store_outcome outcome)
{
	struct project_change *change = container_of(write, struct project_change, write);
	struct control_request *request = change->request;
	if (outcome != STORE_DONE) {
		control_answer_outcome(request,
				       outcome == STORE_CONFLICT ? STORE_NOT_FOUND : outcome);
		return;
	}
	tear_down(request->control, request->workspace_id, request->project_id);
	control_answer_empty(request, 204, UINT64_MAX);
}

void project_delete(struct control_request *request)
{
	struct store *store = request->control->store;
	static const char *const known[] = {NULL};
	if (control_request_check_query(request, known))
		return;
	struct project_change *change = change_new(request, retired);
	if (change)
		store->projects->retire(store, request->project_id, request->received_ms,
					&change->write);
}

/* A row that cannot be removed now is met again by projects_resume() at the next start. */
void project_torn_down(struct control *control, struct uuid project)
{
	control->store->projects->remove(control->store, project, NULL);
}

int projects_resume(struct control *control)
{
	struct arena arena ATTR_ARENA = {0};
	struct store *store = control->store;
	struct uuid *ids;
	size_t count;
	int r = store->projects->list_deleting(store, &arena, &ids, &count);
	if (r != 0)
		return error_origin(r < 0 ? r : -EIO);
	for (size_t i = 0; i < count; i++) {
		struct store_project row;
		if (store->projects->get(store, ids[i], &arena, &row) == 0)
			tear_down(control, row.workspace, row.id);
	}
	if (count > 0)
		log_info("going on with the deletion of %zu projects", count);
	return 0;
}
