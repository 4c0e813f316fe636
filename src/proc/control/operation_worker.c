/* What the worker says of operations. */
#include "proc/control/operation_state.h"

#include "base/error.h"
#include "base/log.h"

#include <errno.h>

void operations_on_worker_up(struct operations *operations)
{
	operations_step(operations, (struct orchestrator_event){.type = ORCHESTRATOR_WORKER_UP});
}

void operations_on_worker_down(struct operations *operations)
{
	operations_step(operations, (struct orchestrator_event){.type = ORCHESTRATOR_WORKER_DOWN});
}

void operations_on_started(struct operations *operations,
			   const struct control_worker_started *started)
{
	struct operation *operation = operations_live(operations, started->operation);
	if (!operation || operation->is_over)
		return;
	operation->row.started_ms = started->time_ms;
	operation->row.runtime = started->runtime;
	operation_step(operation, (struct orchestrator_event){.type = ORCHESTRATOR_STARTED});
}

void operations_on_opened(struct operations *operations, const struct control_worker_opened *opened)
{
	struct operation *operation = operations_live(operations, opened->operation);
	struct operation_watch *watch;
	if (!operation)
		return;
	list_for_each (watch, &operation->watches, node)
		if (watch->on_opened)
			watch->on_opened(watch, opened);
}

/* The agent's result is a tenant's word: what is no JSON object within its limits fails the
 * operation. */
static int read_result(struct operation *operation, const struct control_worker_finished *finished)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_error error;
	if (finished->result.size == 0)
		return 0;
	int r = document_parse(finished->result, OPERATION_RESULT_LIMIT, &document, &error);
	if (r == 0)
		r = document_write(document_root(document), false, &operation->result);
	if (r < 0)
		return error_trace(r);
	if (r == 0) {
		operation->row.result = buffer_text(&operation->result);
		return 0;
	}
	operation->row.outcome = OUTCOME_INTERNAL;
	operation->row.detail = TEXT("the instance answered something that is no result");
	return 0;
}

int operations_on_finished(struct operations *operations,
			   const struct control_worker_finished *finished)
{
	struct operation *operation = operations_live(operations, finished->operation);
	struct orchestrator_event event = {.type = ORCHESTRATOR_FINISHED,
					   .operation = finished->operation};
	if (operation && (operation->has_finished || operation->is_over))
		return 0;
	if (!operation) {
		operations_step(operations, event);
		return 0;
	}
	struct store_operation *row = &operation->row;
	row->outcome =
	    finished->outcome < OUTCOMES ? (enum outcome)finished->outcome : OUTCOME_INTERNAL;
	row->detail = arena_text(&operation->arena, finished->detail);
	row->ended_ms = finished->time_ms;
	row->usage = (struct outcome_usage){finished->cpu_us, finished->memory_peak_bytes,
					    finished->output_bytes, finished->written_bytes};
	int r = read_result(operation, finished);
	if (r < 0)
		return error_trace(r);
	operation->has_finished = true;
	operations_step(operations, event);
	return 0;
}

void operations_on_holding(struct operations *operations,
			   const struct control_worker_holding *holding)
{
	struct operation *operation = operations_live(operations, holding->operation);
	int64_t now = loop_wall_ms(operations->control->loop);
	bool started = holding->started_ms > 0 && holding->started_ms <= now;
	struct orchestrator_event event = {
	    .type = ORCHESTRATOR_HOLDING,
	    .operation = holding->operation,
	    .worker = holding->worker,
	    .running_ms = started ? (uint64_t)(now - holding->started_ms) : 0,
	};
	if (uuid_is_zero(holding->operation))
		event.type = ORCHESTRATOR_INVENTORY_END;
	if (operation && started) {
		operation->is_running = true;
		operation->row.started_ms = holding->started_ms;
		operation->row.runtime = holding->runtime;
	}
	if (!holding->finished) /* of a finished one the end comes again */
		operations_step(operations, event);
	else if (operation)
		operations_step(operations, event);
}
