/* The audit log as its readers see it: a workspace's own entries, and for the administrator the
 * signed tree as it is published. */
#include "base/clock.h"
#include "base/cursor.h"
#include "base/error.h"
#include "proc/control/answer.h"
#include "proc/control/calls.h"
#include "proc/control/page.h"

#include <errno.h>
#include <stdio.h>

struct audit_reading {
	struct audit_read read;
	struct control_request *request;
	struct page page;
	bool lines;
};

static struct audit_reading *reading_new(struct control_request *request)
{
	struct audit_reading *reading = arena_alloc(&request->arena, sizeof(*reading));
	if (!reading) {
		control_answer_outcome(request, error_origin(-ENOMEM));
		return NULL;
	}
	reading->request = request;
	return reading;
}

/* ---- entries ---- */

/* A position in the log travels inside the same opaque cursors as those of other lists. */
static struct uuid position_of(uint64_t sequence)
{
	struct uuid position = {0};
	put_u64(position.b, sequence);
	return position;
}

static uint64_t sequence_of(struct uuid position)
{
	struct cursor cursor = cursor_of((struct bytes){position.b, sizeof(position.b)});
	return cursor_u64(&cursor);
}

static void answer_lines(struct audit_reading *reading, const struct control_audit_page *page)
{
	struct control_request *request = reading->request;
	char cursor[PAGE_CURSOR_SIZE];
	if (page->next != 0) {
		page_cursor_write(request->control->cursors, reading->page.list,
				  reading->page.scope, position_of(page->next), cursor);
		control_answer_header(request, "croft-next-cursor", text_of(cursor));
	}
	control_answer_bytes(request, 200, "application/x-ndjson", page->entries);
}

static void answer_items(struct audit_reading *reading, const struct control_audit_page *page)
{
	struct control_request *request = reading->request;
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	struct text rest = bytes_text(page->entries), line;
	page_begin(&json);
	while (rest.size > 0) {
		text_split(&rest, '\n', &line);
		if (line.size > 0)
			json_raw(&json, line);
	}
	page_end(&json, request, &reading->page, position_of(page->next), page->next != 0);
	control_answer_json(request, 200, &body);
}

static void page_came(struct audit_read *read, const struct control_audit_page *page)
{
	struct audit_reading *reading = container_of(read, struct audit_reading, read);
	if (!page)
		control_answer_problem(reading->request, PROBLEM_AUDIT_UNAVAILABLE,
				       "the audit log cannot be read now");
	else if (reading->lines)
		answer_lines(reading, page);
	else
		answer_items(reading, page);
}

static int read_time(struct control_request *request, const char *name, int64_t *wall_ms)
{
	struct text text = control_request_query(request, name);
	if (!text.data || clock_parse(text.data, text.size, wall_ms) == 0)
		return 0;
	control_answer_problem(request, PROBLEM_INVALID_INPUT,
			       "\"%s\" must be a time as in RFC 3339", name);
	return 1;
}

enum { FILTER_LIMIT = 64, ACTOR_FILTER_LIMIT = 255 };

static int read_filter(struct control_request *request, const char *name, size_t limit,
		       struct text *filter)
{
	struct text text = control_request_query(request, name);
	if (text.size > limit || text_has(text, '\0')) {
		control_answer_problem(request, PROBLEM_INVALID_INPUT, "\"%s\" is too long", name);
		return 1;
	}
	*filter = text;
	return 0;
}

static int read_filters(struct control_request *request, struct control_audit_query *query)
{
	if (read_time(request, "since", &query->since_ms) ||
	    read_time(request, "until", &query->until_ms) ||
	    read_filter(request, "actor", ACTOR_FILTER_LIMIT, &query->actor) ||
	    read_filter(request, "action", FILTER_LIMIT, &query->action) ||
	    read_filter(request, "project", FILTER_LIMIT, &query->project) ||
	    read_filter(request, "operation", FILTER_LIMIT, &query->operation) ||
	    read_filter(request, "decision", FILTER_LIMIT, &query->decision))
		return 1;
	bool any = query->decision.size == 0;
	if (any || text_equal(query->decision, TEXT("allow")) ||
	    text_equal(query->decision, TEXT("deny")))
		return 0;
	control_answer_problem(request, PROBLEM_INVALID_INPUT,
			       "\"decision\" must be allow or deny");
	return 1;
}

static bool wants_lines(const struct control_request *request)
{
	struct text accept = control_request_header(request, "accept");
	return text_starts(accept, TEXT("application/x-ndjson")) ||
	       text_starts(accept, TEXT("application/jsonl"));
}

void audit_list(struct control_request *request)
{
	static const char *const known[] = {"since",   "until",     "actor",    "action",
					    "project", "operation", "decision", NULL};
	struct control_audit_query query = {0};
	struct audit_reading *reading = reading_new(request);
	if (!reading || page_read(request, "audit", request->workspace_id, known, &reading->page) ||
	    read_filters(request, &query))
		return;
	struct id_text workspace = id_format(ID_WORKSPACE, request->workspace_id);
	query.workspace = text_of(workspace.data);
	query.after = sequence_of(reading->page.after);
	query.limit = (uint32_t)reading->page.limit;
	reading->lines = wants_lines(request);
	query.with_proof = reading->lines;
	reading->read.on_page = page_came;
	audit_link_query(request->control->audit, &query, &reading->read);
}

/* ---- the published log ---- */

static void answer_content(struct audit_read *read, const struct control_audit_content *content,
			   const char *media_type)
{
	struct audit_reading *reading = container_of(read, struct audit_reading, read);
	if (!content)
		control_answer_problem(reading->request, PROBLEM_AUDIT_UNAVAILABLE,
				       "the audit log cannot be read now");
	else if (content->status != 0)
		control_answer_problem(reading->request, PROBLEM_NOT_FOUND, NULL);
	else
		control_answer_bytes(reading->request, 200, media_type, content->content);
}

static void checkpoint_came(struct audit_read *read, const struct control_audit_content *content)
{
	answer_content(read, content, "text/plain; charset=utf-8");
}

static void tile_came(struct audit_read *read, const struct control_audit_content *content)
{
	answer_content(read, content, "application/octet-stream");
}

void audit_checkpoint(struct control_request *request)
{
	struct audit_reading *reading = reading_new(request);
	if (!reading)
		return;
	reading->read.on_content = checkpoint_came;
	audit_link_read(request->control->audit, TEXT("checkpoint"), &reading->read);
}

/* Digits, slashes, and what the names of tiles are made of: the audit role sees nothing else. */
static bool is_tile_name(struct text path)
{
	bool fine = path.size > 0 && path.size <= 128 && path.data[0] != '/';
	for (size_t i = 0; fine && i < path.size; i++) {
		char c = path.data[i];
		fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '/' ||
		       (c == '.' && i > 0 && path.data[i - 1] != '.');
	}
	return fine;
}

void audit_tile(struct control_request *request)
{
	char name[160];
	struct text path = request->in->path;
	if (!is_tile_name(path)) {
		control_answer_problem(request, PROBLEM_NOT_FOUND, NULL);
		return;
	}
	struct audit_reading *reading = reading_new(request);
	if (!reading)
		return;
	snprintf(name, sizeof(name), "tile/%.*s", (int)path.size, path.data);
	reading->read.on_content = tile_came;
	audit_link_read(request->control->audit, text_of(name), &reading->read);
}
