/* Readers of events: control only admits them; the stream role then answers the gateway itself. */
#include "base/error.h"
#include "proc/control/answer.h"
#include "proc/control/calls.h"
#include "proc/control/leases.h"
#include "proc/control/stream_link.h"

struct reading {
	enum api_call call;
	enum reader_scope scope;
	enum reader_start start; /* without a cursor */
};

static const struct reading readings[] = {
    {API_OPERATION_EVENTS, READER_OPERATION, READER_AT_START},
    {API_CORRELATION_EVENTS, READER_CORRELATION, READER_AT_START},
    {API_PROJECT_EVENTS, READER_PROJECT, READER_AT_END},
    {API_STREAM_EVENTS, READER_NAMED_STREAM, READER_AT_END},
};

static const struct reading *reading_of(unsigned call)
{
	const struct reading *reading = readings;
	while (reading->call != (enum api_call)call)
		reading++;
	return reading;
}

/* 0; 1: answered. */
static int read_start(struct control_request *request, struct control_stream_reader_open *open)
{
	struct text cursor = control_request_header(request, "last-event-id");
	struct text from = control_request_query(request, "from");
	if (cursor.size == 0)
		cursor = control_request_query(request, "cursor");
	if (cursor.size > CURSOR_TEXT_LIMIT || !text_is_utf8(cursor) || text_has(cursor, '\0')) {
		control_answer_problem(request, PROBLEM_INVALID_CURSOR, NULL);
		return 1;
	}
	bool at_start = text_equal(from, TEXT("start")), at_end = text_equal(from, TEXT("end"));
	if (from.data && !at_start && !at_end) {
		control_answer_problem(request, PROBLEM_INVALID_INPUT,
				       "\"from\" must be start or end");
		return 1;
	}
	if (cursor.size > 0)
		open->start = READER_AT_CURSOR;
	else if (from.data)
		open->start = at_start ? READER_AT_START : READER_AT_END;
	open->cursor = cursor;
	return 0;
}

/* Whose end ends the stream, too. */
static struct uuid holder_of(const struct control_caller *caller)
{
	return caller->kind == CALLER_USER ? caller->user : caller->key;
}

/* 0; 1: answered. */
static int take_lease(struct control_request *request)
{
	const struct control_caller *caller = &request->caller;
	if (caller->ends_ms == 0 ||
	    leases_take(request->control->leases, holder_of(caller), caller->ends_ms) == 0)
		return 0;
	control_answer_problem(request, PROBLEM_TOO_MANY_READERS, NULL);
	return 1;
}

void events_read(struct control_request *request)
{
	static const char *const known[] = {"cursor", "from", "waitMs", "limit", "workspace", NULL};
	const struct reading *reading = reading_of(request->in->call);
	struct control_stream_reader_open open = {
	    .gateway = request->gateway_index,
	    .reader = request->in->reader,
	    .scope = (uint8_t)reading->scope,
	    .start = (uint8_t)reading->start,
	    .workspace = request->workspace_id,
	    .project = request->project_id,
	    .operation = request->operation_id,
	    .name = request->in->name,
	    .key = holder_of(&request->caller),
	};
	size_t limit =
	    reading->scope == READER_NAMED_STREAM ? STREAM_NAME_LIMIT : CORRELATION_LIMIT;
	if (control_request_check_query(request, known) || read_start(request, &open))
		return;
	if (open.name.size > limit || !text_is_utf8(open.name) || text_has(open.name, '\0')) {
		control_answer_problem(request, PROBLEM_NOT_FOUND, NULL);
		return;
	}
	if (take_lease(request))
		return;
	if (stream_link_open_reader(request->control->stream, &open) < 0)
		control_answer_problem(request, PROBLEM_STREAM_UNAVAILABLE, NULL);
	else
		control_answer_elsewhere(request);
}
