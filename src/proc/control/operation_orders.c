/* The orchestrator's orders, carried out. */
#include "proc/control/operation_state.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "port/store/workspaces.h"
#include "proc/control/metrics.h"
#include "proc/control/operation_input.h"
#include "proc/control/projects.h"

#include <errno.h>

enum { STORE_RETRY_MS = 1000 };

static void on_marked(struct store_write *write, enum store_outcome outcome)
{
	struct operation *operation = container_of(write, struct operation, marked);
	if (outcome == STORE_DONE)
		operation_open_gate(operation, ORCHESTRATOR_MARKED);
	else
		operation_deny(operation);
}

static void order_mark(struct operation *operation, const struct orchestrator_order *order)
{
	struct store *store = operation->operations->control->store;
	store_write_detach(&operation->marked);
	operation->row.worker = order->worker;
	operation->marked.on_written = on_marked;
	store->operations->mark(store, operation->row.id, order->worker, &operation->marked);
}

static int reload_input(struct operation *operation)
{
	struct store *store = operation->operations->control->store;
	struct arena arena ATTR_ARENA = {0};
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_error error;
	struct operation_input input;
	struct store_operation row;
	int r = store->operations->get(store, operation->row.id, &arena, &row);
	if (r == 0)
		r = document_parse(text_bytes(row.input), JSON_BODY_LIMIT, &document, &error);
	if (r == 0)
		r = operation_input_read(row.kind, document_root(document), &arena, &input, &error);
	if (r == 0)
		r = wire_encode(&operation_input_struct, &input, &operation->input);
	return r > 0 ? error_origin(-EUCLEAN) : error_trace(r);
}

void operation_send_body_end(struct operation *operation)
{
	if (operation->has_body_end && operation->is_running)
		worker_link_send(operation->operations->control->worker, CONTROL_WORKER_BODY_END,
				 &operation->body_end);
}

static int send_run(struct operation *operation)
{
	struct operations *operations = operation->operations;
	struct control *control = operations->control;
	const struct operation_settings *settings = &operations->settings;
	const struct store_operation *row = &operation->row;
	struct arena arena ATTR_ARENA = {0};
	struct store_project project;
	struct control_worker_run run = {
	    .operation = row->id,
	    .workspace = row->workspace,
	    .project = row->project,
	    .correlation = row->correlation,
	    .kind = (uint8_t)row->kind,
	    .body = (uint8_t)operation->body,
	    .body_size = operation->body_size,
	    .memory_bytes = settings->memory_bytes,
	    .cpu_percent = (uint32_t)settings->cpu_percent,
	    .pids = (uint32_t)settings->pids,
	    .output_bytes = settings->output_bytes,
	    .created_ms = row->created_ms,
	};
	int r = operation->input.size == 0 ? reload_input(operation) : 0;
	if (r == 0)
		r = control->store->projects->get(control->store, row->project, &arena, &project);
	if (r == 0)
		r = project_environment(&project, &arena, &run.environment);
	if (r != 0)
		return r;
	run.input = buffer_bytes(&operation->input);
	stream_link_flush(control->stream); /* `queued` is on its way before anybody can start it */
	worker_link_run(control->worker, &run, descriptor_take(&operation->pipe));
	operation->is_running = true;
	buffer_free(&operation->input);
	operation_send_body_end(operation);
	return 0;
}

/* What cannot be sent has not run: it ends as the worker would have ended it. */
static void order_run(struct operation *operation,
		      const struct orchestrator_order *order ATTR_UNUSED)
{
	int r = send_run(operation);
	if (r == 0)
		return;
	log_error("an operation cannot be sent to the worker: %d", r);
	operation->row.outcome = OUTCOME_INTERNAL;
	operation->has_finished = true;
	operation_step(operation, (struct orchestrator_event){.type = ORCHESTRATOR_FINISHED});
}

static void order_cancel(struct operation *operation, const struct orchestrator_order *order)
{
	struct control_worker_cancel cancel = {order->operation, (uint8_t)order->outcome};
	worker_link_send(operation->operations->control->worker, CONTROL_WORKER_CANCEL, &cancel);
}

static void write_end(struct operation *operation);

static void on_retry(struct loop_timer *timer)
{
	write_end(container_of(timer, struct operation, retry));
}

static void on_end_stored(struct store_write *write, enum store_outcome outcome)
{
	struct operation *operation = container_of(write, struct operation, ended);
	if (outcome != STORE_DONE && outcome != STORE_CONFLICT) {
		if (loop_timer_start(&operation->retry, operation->operations->control->loop,
				     STORE_RETRY_MS, 0, on_retry) < 0)
			log_error("the end of an operation waits for the next start");
		return;
	}
	operation->is_over = true;
	operation->row.state = STORE_OPERATION_ENDED;
	metrics_add(operation->operations->control->metrics,
		    operation->row.outcome == OUTCOME_COMPLETED ? METRIC_OPERATIONS_COMPLETED
								: METRIC_OPERATIONS_FAILED,
		    1);
	bool completed = operation->row.outcome == OUTCOME_COMPLETED;
	struct text code =
	    completed ? TEXT("") : text_of(outcome_kinds[operation->row.outcome].code);
	operation_record(operation, completed ? TEXT("completed") : TEXT("failed"), code, NULL);
	operation_append_terminal(operation);
	operation_tell_ended(operation);
	operation_step(operation, (struct orchestrator_event){.type = ORCHESTRATOR_ENDED});
}

static void write_end(struct operation *operation)
{
	struct store *store = operation->operations->control->store;
	const struct store_operation *row = &operation->row;
	uint64_t ran_ms = row->started_ms > 0 ? (uint64_t)(row->ended_ms - row->started_ms) : 0;
	struct store_usage used = {
	    .operations = 1,
	    .cpu_us = row->usage.cpu_us,
	    .memory_byte_seconds = row->usage.memory_peak_bytes * ran_ms / 1000,
	    .stored_bytes = row->usage.written_bytes,
	    .sent_bytes = row->usage.output_bytes,
	};
	operation->ended.on_written = on_end_stored;
	store->operations->end(store, row, &used, &operation->ended);
}

static void order_end(struct operation *operation, const struct orchestrator_order *order)
{
	if (!operation->has_finished)
		operation->row.outcome = order->outcome;
	if (operation->row.ended_ms == 0)
		operation->row.ended_ms = loop_wall_ms(operation->operations->control->loop);
	if (operation->row.started_ms > operation->row.ended_ms)
		operation->row.ended_ms = operation->row.started_ms;
	descriptor_close(&operation->pipe);
	write_end(operation);
}

typedef void order_function(struct operation *operation, const struct orchestrator_order *order);

static order_function *const order_functions[] = {
    [ORCHESTRATOR_ORDER_MARK] = order_mark,
    [ORCHESTRATOR_ORDER_RUN] = order_run,
    [ORCHESTRATOR_ORDER_CANCEL] = order_cancel,
    [ORCHESTRATOR_ORDER_END] = order_end,
};

static void carry_out_one(struct operations *operations, const struct orchestrator_order *order)
{
	struct operation *operation = operations_live(operations, order->operation);
	struct control_worker_operation forget = {order->operation};
	struct control_worker_cancel cancel = {order->operation, OUTCOME_CANCELLED};
	struct worker_link *worker = operations->control->worker;
	if (order->type == ORCHESTRATOR_ORDER_FORGET)
		worker_link_send(worker, CONTROL_WORKER_FORGET, &forget);
	else if (operation)
		order_functions[order->type](operation, order);
	else if (order->type == ORCHESTRATOR_ORDER_CANCEL)
		worker_link_send(worker, CONTROL_WORKER_CANCEL, &cancel);
}

static void on_tick(struct loop_timer *timer)
{
	operations_step(container_of(timer, struct operations, tick),
			(struct orchestrator_event){.type = ORCHESTRATOR_TICK});
}

static void set_tick(struct operations *operations)
{
	uint64_t now = loop_now_ms(operations->control->loop);
	uint64_t next = orchestrator_next_tick(operations->engine);
	if (next == UINT64_MAX)
		loop_timer_stop(&operations->tick);
	else if (loop_timer_start(&operations->tick, operations->control->loop,
				  next > now ? next - now : 0, 0, on_tick) < 0)
		log_error("operations run without their timeouts: no timer");
}

/* Orders lead to further steps, whose orders come behind them. */
void operations_carry_out(struct operations *operations)
{
	if (operations->carrying_out)
		return;
	operations->carrying_out = true;
	for (size_t i = 0; i < operations->orders.count; i++) {
		struct orchestrator_order order = operations->orders.items[i];
		carry_out_one(operations, &order);
	}
	operations->orders.count = 0;
	operations->carrying_out = false;
	set_tick(operations);
}
