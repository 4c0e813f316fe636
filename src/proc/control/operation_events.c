/* What the two logs are told of an operation, and the store of the event log. */
#include "proc/control/operation_state.h"

#include "base/error.h"
#include "base/log.h"
#include "proc/control/operation_view.h"

#include <errno.h>

enum {
	TELL_BATCH = 256,
	/* That the log has an end is noted of many at once: nobody waits for it, and who is told
	 * twice after a crash is told the same. */
	TELL_DELAY_MS = 100,
};

static void on_told(struct store_write *write, enum store_outcome outcome ATTR_UNUSED)
{
	struct operations *operations = container_of(write, struct operations, told);
	/* Rows that could not be marked are told again at the next start. */
	while (!list_is_empty(&operations->being_told))
		operation_free(list_first(&operations->being_told, struct operation, told_node));
	operations_tell_later(operations);
}

static void on_tell_time(struct loop_timer *timer)
{
	struct operations *operations = container_of(timer, struct operations, tell);
	struct store *store = operations->control->store;
	struct uuid ids[TELL_BATCH];
	size_t count = 0;
	while (count < TELL_BATCH && !list_is_empty(&operations->untold)) {
		struct operation *operation =
		    list_first(&operations->untold, struct operation, told_node);
		ids[count++] = operation->row.id;
		list_remove(&operation->told_node);
		list_append(&operations->being_told, &operation->told_node);
	}
	operations->told.on_written = on_told;
	store->operations->tell(store, ids, count, &operations->told);
}

void operations_tell_later(struct operations *operations)
{
	uint64_t delay = operations->stopping ? 0 : TELL_DELAY_MS;
	if (list_is_empty(&operations->untold) || !list_is_empty(&operations->being_told) ||
	    (loop_timer_is_running(&operations->tell) && !operations->stopping))
		return;
	if (loop_timer_start(&operations->tell, operations->control->loop, delay, 0, on_tell_time) <
	    0)
		log_error("ends of operations wait for the next start: no timer");
}

static void on_terminal(struct stream_append *append, bool refused)
{
	struct operation *operation = container_of(append, struct operation, terminal);
	if (refused)
		log_error("the event log refuses the end of an operation id=%s",
			  id_format(ID_OPERATION, operation->row.id).data);
	list_append(&operation->operations->untold, &operation->told_node);
	operations_tell_later(operation->operations);
}

static void on_queued(struct stream_append *append, bool refused)
{
	struct operation *operation = container_of(append, struct operation, queued);
	if (operation->is_over)
		return;
	if (refused)
		operation_deny(operation);
	else
		operation_open_gate(operation, ORCHESTRATOR_ANNOUNCED);
}

static void append_event(struct operation *operation, enum event_type type, int64_t time_ms,
			 const struct buffer *data, struct stream_append *append)
{
	struct control *control = operation->operations->control;
	const struct store_operation *row = &operation->row;
	struct event_append event = {
	    .type = (uint8_t)type,
	    .time_ms = time_ms,
	    .workspace = row->workspace,
	    .project = row->project,
	    .operation = row->id,
	    .correlation = row->correlation,
	    .data = buffer_bytes(data),
	};
	int r = buffer_check(data);
	if (r == 0)
		r = stream_link_append(control->stream, &event, append);
	if (r < 0)
		log_error("an event waits for the next start: %s", strerror(-r));
}

void operation_append_queued(struct operation *operation)
{
	struct buffer data ATTR_BUFFER = {0};
	operation_write_queued(&operation->row, &data);
	operation->queued.on_appended = on_queued;
	append_event(operation, EVENT_QUEUED, operation->row.created_ms, &data, &operation->queued);
}

void operation_append_terminal(struct operation *operation)
{
	struct buffer data ATTR_BUFFER = {0};
	bool completed = operation->row.outcome == OUTCOME_COMPLETED;
	operation_write_terminal(&operation->row, &data);
	operation->terminal.on_appended = on_terminal;
	append_event(operation, completed ? EVENT_COMPLETED : EVENT_FAILED, operation->row.ended_ms,
		     &data, &operation->terminal);
}

void operation_record(const struct operation *operation, struct text state, struct text code,
		      struct audit_wait *wait)
{
	const struct store_operation *row = &operation->row;
	struct id_text workspace = id_format(ID_WORKSPACE, row->workspace);
	struct id_text project = id_format(ID_PROJECT, row->project);
	struct id_text id = id_format(ID_OPERATION, row->id);
	struct control_audit_append entry = {
	    .actor_type = row->actor_type,
	    .actor_id = row->actor,
	    .action = text_of(operation_types[row->kind].name),
	    .workspace = text_of(workspace.data),
	    .project = text_of(project.data),
	    .operation = text_of(id.data),
	    .allow = true,
	    .rule = TEXT("admitted"),
	    .result_state = state,
	    .result_code = code,
	    .correlation = row->correlation,
	};
	audit_link_append(operation->operations->control->audit, &entry, wait);
}
