#include "proc/control/operation.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "port/store/workspaces.h"
#include "proc/control/metrics.h"
#include "proc/control/operation_input.h"
#include "proc/control/operation_view.h"
#include "proc/control/projects.h"
#include "proc/control/stream_link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
	STORE_RETRY_MS = 1000,
	RESTORE_PAGE = 256,
	TELL_BATCH = 256,
	/* That the log has an end is noted of many at once: nobody waits for it, and who is told
	 * twice after a crash is told the same. */
	TELL_DELAY_MS = 100,
};

struct operation {
	struct map_node node;
	struct operations *operations;
	struct arena arena; /* of the row's texts */
	struct store_operation row;
	struct buffer input; /* encoded; empty: to be read from the store */
	struct buffer result;
	enum body_direction body;
	int pipe;
	uint64_t body_size;
	struct store_write stored, marked, ended;
	struct list told_node; /* of `untold` or `being_told` */
	struct audit_wait recorded;
	struct stream_append queued, terminal;
	struct list watches;
	struct loop_timer retry; /* of a write of the end that the store could not take */
	struct control_worker_body_end body_end;
	bool is_stored, is_recorded, is_running, has_body_end, has_finished, is_over;
};

struct operations {
	struct control *control;
	struct operation_settings settings;
	struct orchestrator *engine;
	struct orchestrator_orders orders;
	struct map live;
	struct loop_timer tick;
	struct list untold; /* the log has their end, the store does not know */
	struct list being_told;
	struct store_write told;
	struct loop_timer tell;
	bool carrying_out, stopping;
};

static struct operation *find(struct operations *operations, struct uuid id)
{
	return map_object(&operations->live, ((struct bytes){id.b, sizeof(id.b)}), struct operation,
			  node);
}

static void operation_free(struct operation *operation)
{
	struct operation_watch *watch;
	list_for_each (watch, &operation->watches, node)
		operation_watch_detach(watch);
	store_write_detach(&operation->stored);
	store_write_detach(&operation->marked);
	store_write_detach(&operation->ended);
	list_remove(&operation->told_node);
	audit_wait_detach(&operation->recorded);
	stream_append_detach(&operation->queued);
	stream_append_detach(&operation->terminal);
	loop_timer_stop(&operation->retry);
	descriptor_close(&operation->pipe);
	map_remove(&operation->operations->live, &operation->node);
	buffer_free(&operation->input);
	buffer_free(&operation->result);
	arena_free(&operation->arena);
	free(operation);
}

static void carry_out(struct operations *operations);

static int step(struct operations *operations, struct orchestrator_event event)
{
	event.now_ms = loop_now_ms(operations->control->loop);
	int verdict = orchestrator_step(operations->engine, &event, &operations->orders);
	if (verdict < 0)
		log_error("the orchestrator has no memory for an event type=%d", event.type);
	carry_out(operations);
	return verdict;
}

static int step_one(struct operation *operation, struct orchestrator_event event)
{
	event.operation = operation->row.id;
	return step(operation->operations, event);
}

static void open_gate(struct operation *operation, unsigned gates)
{
	step_one(operation,
		 (struct orchestrator_event){.type = ORCHESTRATOR_OPEN_GATE, .gates = gates});
}

static void deny(struct operation *operation)
{
	step_one(operation, (struct orchestrator_event){.type = ORCHESTRATOR_DENY});
}

/* ---- watches ---- */

void operation_watch_detach(struct operation_watch *watch)
{
	if (!watch->under_way)
		return;
	watch->under_way = false;
	list_remove(&watch->node);
}

static void watch_begin(struct operation *operation, struct operation_watch *watch)
{
	watch->under_way = true;
	list_append(&operation->watches, &watch->node);
}

int operations_watch(struct operations *operations, struct uuid id, struct operation_watch *watch)
{
	struct operation *operation = find(operations, id);
	if (!operation || operation->is_over)
		return 1;
	watch_begin(operation, watch);
	return 0;
}

static void tell_refused(struct operation *operation, int outcome, enum problem_code code)
{
	while (!list_is_empty(&operation->watches)) {
		struct operation_watch *watch =
		    list_first(&operation->watches, struct operation_watch, node);
		operation_watch_detach(watch);
		if (watch->on_refused)
			watch->on_refused(watch, outcome, code);
	}
}

static void tell_accepted(struct operation *operation)
{
	struct operation_watch *watch;
	if (!operation->is_stored || !operation->is_recorded)
		return;
	list_for_each (watch, &operation->watches, node)
		if (watch->on_accepted)
			watch->on_accepted(watch, &operation->row);
}

static void tell_ended(struct operation *operation)
{
	while (!list_is_empty(&operation->watches)) {
		struct operation_watch *watch =
		    list_first(&operation->watches, struct operation_watch, node);
		operation_watch_detach(watch);
		if (watch->on_ended)
			watch->on_ended(watch, &operation->row);
	}
}

/* ---- events ---- */

static void tell_later(struct operations *operations);

static void on_told(struct store_write *write, enum store_outcome outcome ATTR_UNUSED)
{
	struct operations *operations = container_of(write, struct operations, told);
	/* Rows that could not be marked are told again at the next start. */
	while (!list_is_empty(&operations->being_told))
		operation_free(list_first(&operations->being_told, struct operation, told_node));
	tell_later(operations);
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

static void tell_later(struct operations *operations)
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
	tell_later(operation->operations);
}

static void on_queued(struct stream_append *append, bool refused)
{
	struct operation *operation = container_of(append, struct operation, queued);
	if (operation->is_over)
		return;
	if (refused)
		deny(operation);
	else
		open_gate(operation, ORCHESTRATOR_ANNOUNCED);
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

static void append_queued(struct operation *operation)
{
	struct buffer data ATTR_BUFFER = {0};
	operation_write_queued(&operation->row, &data);
	operation->queued.on_appended = on_queued;
	append_event(operation, EVENT_QUEUED, operation->row.created_ms, &data, &operation->queued);
}

static void append_terminal(struct operation *operation)
{
	struct buffer data ATTR_BUFFER = {0};
	bool completed = operation->row.outcome == OUTCOME_COMPLETED;
	operation_write_terminal(&operation->row, &data);
	operation->terminal.on_appended = on_terminal;
	append_event(operation, completed ? EVENT_COMPLETED : EVENT_FAILED, operation->row.ended_ms,
		     &data, &operation->terminal);
}

/* ---- admission ---- */

static void on_recorded(struct audit_wait *wait, enum audit_outcome outcome)
{
	struct operation *operation = container_of(wait, struct operation, recorded);
	if (outcome == AUDIT_RECORDED) {
		operation->is_recorded = true;
		tell_accepted(operation);
		open_gate(operation, ORCHESTRATOR_RECORDED);
		return;
	}
	tell_refused(operation, 0, PROBLEM_AUDIT_UNAVAILABLE);
	deny(operation);
}

static void withdraw(struct operation *operation, enum store_outcome outcome)
{
	tell_refused(operation, (int)outcome, PROBLEM_INTERNAL);
	step_one(operation, (struct orchestrator_event){.type = ORCHESTRATOR_WITHDRAW});
	operation_free(operation);
}

static void on_stored(struct store_write *write, enum store_outcome outcome)
{
	struct operation *operation = container_of(write, struct operation, stored);
	unsigned gates = ORCHESTRATOR_STORED;
	if (outcome != STORE_DONE) {
		withdraw(operation, outcome);
		return;
	}
	operation->is_stored = true;
	metrics_add(operation->operations->control->metrics, METRIC_OPERATIONS_ADMITTED, 1);
	if (!uuid_is_zero(operation->row.worker))
		gates |= ORCHESTRATOR_MARKED;
	append_queued(operation);
	if (stream_link_is_up(operation->operations->control->stream))
		gates |= ORCHESTRATOR_ANNOUNCED;
	tell_accepted(operation);
	open_gate(operation, gates);
}

static int copy_text(struct arena *arena, struct text *text)
{
	*text = arena_text(arena, *text);
	return text->data ? 0 : error_origin(-ENOMEM);
}

static int copy_row(struct operation *operation, const struct store_operation *row)
{
	struct store_operation copy = *row;
	struct text *texts[] = {&copy.correlation, &copy.actor_type, &copy.actor,
				&copy.input,       &copy.detail,     &copy.result};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int r = copy_text(&operation->arena, texts[i]);
		if (r < 0)
			return r;
	}
	operation->row = copy;
	return 0;
}

static int operation_new(struct operations *operations, const struct store_operation *row,
			 struct operation **out)
{
	struct operation *operation = calloc(1, sizeof(*operation));
	if (!operation)
		return error_origin(-ENOMEM);
	operation->operations = operations;
	operation->pipe = -1;
	list_init(&operation->watches);
	list_init(&operation->told_node);
	int r = copy_row(operation, row);
	if (r == 0)
		r = map_insert(&operations->live, &operation->node,
			       (struct bytes){operation->row.id.b, sizeof(operation->row.id.b)});
	if (r != 0) {
		arena_free(&operation->arena);
		free(operation);
		return error_origin(r < 0 ? r : -EEXIST);
	}
	*out = operation;
	return 0;
}

static struct store_operation row_of(const struct control_request *request,
				     const struct operation_order *order)
{
	return (struct store_operation){
	    .id = order->id,
	    .workspace = request->workspace_id,
	    .project = request->project_id,
	    .kind = order->kind,
	    .ephemeral = order->ephemeral,
	    .correlation = order->correlation,
	    .actor_type = text_of(request->caller.type),
	    .actor = request->caller.name,
	    .input = order->json,
	    .timeout_ms = order->timeout_ms,
	    .created_ms = request->received_ms,
	};
}

static int engine_admit(struct operation *operation)
{
	struct operations *operations = operation->operations;
	struct store_operation *row = &operation->row;
	int verdict = step_one(operation, (struct orchestrator_event){
					      .type = ORCHESTRATOR_ADMIT,
					      .workspace = row->workspace,
					      .project = row->project,
					      .timeout_ms = row->timeout_ms,
					      .ephemeral = row->ephemeral,
					  });
	if (verdict == ORCHESTRATOR_RESERVED)
		row->worker = orchestrator_worker(operations->engine);
	row->position = orchestrator_position(operations->engine, row->workspace);
	return verdict == ORCHESTRATOR_FULL ? 1 : verdict < 0 ? verdict : 0;
}

static void record_and_store(struct control_request *request, struct operation *operation,
			     const struct store_replay *replay)
{
	struct store *store = request->control->store;
	struct audit_note note = {
	    .action = operation_types[operation->row.kind].name,
	    .allow = true,
	    .result_state = "accepted",
	    .operation = operation->row.id,
	    .correlation = operation->row.correlation,
	    .input_digest = control_input_digest(request),
	};
	operation->recorded.on_recorded = on_recorded;
	operation->stored.on_written = on_stored;
	control_audit(request, &note, &operation->recorded);
	store->operations->insert(store, &operation->row, replay, &operation->stored);
}

int operations_admit(struct control_request *request, const struct operation_order *order,
		     struct operation_watch *watch)
{
	struct operations *operations = request->control->operations;
	int pipe ATTR_DESCRIPTOR = order->pipe;
	struct store_operation row = row_of(request, order);
	struct operation *operation;
	int r = operation_new(operations, &row, &operation);
	if (r < 0)
		return error_trace(r);
	r = wire_encode(&operation_input_struct, order->input, &operation->input);
	if (r == 0)
		r = engine_admit(operation);
	if (r != 0) {
		operation_free(operation);
		return r;
	}
	operation->body = order->body;
	operation->body_size = order->body_size;
	operation->pipe = descriptor_take(&pipe);
	if (uuid_is_zero(operation->row.worker) && !order->ephemeral)
		buffer_free(&operation->input); /* it waits: the store keeps it */
	watch_begin(operation, watch);
	record_and_store(request, operation, order->replay);
	return 0;
}

/* ---- orders ---- */

static void on_marked(struct store_write *write, enum store_outcome outcome)
{
	struct operation *operation = container_of(write, struct operation, marked);
	if (outcome == STORE_DONE)
		open_gate(operation, ORCHESTRATOR_MARKED);
	else
		deny(operation);
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

static void send_body_end(struct operation *operation)
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
	send_body_end(operation);
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
	step_one(operation, (struct orchestrator_event){.type = ORCHESTRATOR_FINISHED});
}

static void order_cancel(struct operation *operation, const struct orchestrator_order *order)
{
	struct control_worker_cancel cancel = {order->operation, (uint8_t)order->outcome};
	worker_link_send(operation->operations->control->worker, CONTROL_WORKER_CANCEL, &cancel);
}

static void record_end(const struct operation *operation)
{
	const struct store_operation *row = &operation->row;
	bool completed = row->outcome == OUTCOME_COMPLETED;
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
	    .result_state = completed ? TEXT("completed") : TEXT("failed"),
	    .result_code = completed ? (struct text){0} : text_of(outcome_kinds[row->outcome].code),
	    .correlation = row->correlation,
	};
	audit_link_append(operation->operations->control->audit, &entry, NULL);
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
	record_end(operation);
	append_terminal(operation);
	tell_ended(operation);
	step_one(operation, (struct orchestrator_event){.type = ORCHESTRATOR_ENDED});
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
	struct operation *operation = find(operations, order->operation);
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
	step(container_of(timer, struct operations, tick),
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
static void carry_out(struct operations *operations)
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

/* ---- the worker's word ---- */

void operations_on_worker_up(struct operations *operations)
{
	step(operations, (struct orchestrator_event){.type = ORCHESTRATOR_WORKER_UP});
}

void operations_on_worker_down(struct operations *operations)
{
	step(operations, (struct orchestrator_event){.type = ORCHESTRATOR_WORKER_DOWN});
}

void operations_on_started(struct operations *operations,
			   const struct control_worker_started *started)
{
	struct operation *operation = find(operations, started->operation);
	if (!operation || operation->is_over)
		return;
	operation->row.started_ms = started->time_ms;
	operation->row.runtime = started->runtime;
	step_one(operation, (struct orchestrator_event){.type = ORCHESTRATOR_STARTED});
}

void operations_on_opened(struct operations *operations, const struct control_worker_opened *opened)
{
	struct operation *operation = find(operations, opened->operation);
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
	struct operation *operation = find(operations, finished->operation);
	struct orchestrator_event event = {.type = ORCHESTRATOR_FINISHED,
					   .operation = finished->operation};
	if (operation && (operation->has_finished || operation->is_over))
		return 0;
	if (!operation) {
		step(operations, event);
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
	step(operations, event);
	return 0;
}

void operations_on_holding(struct operations *operations,
			   const struct control_worker_holding *holding)
{
	struct operation *operation = find(operations, holding->operation);
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
		step(operations, event);
	else if (operation)
		step(operations, event);
}

/* ---- what clients ask of one that is under way ---- */

int operations_cancel(struct operations *operations, struct uuid id)
{
	struct orchestrator_event event = {
	    .type = ORCHESTRATOR_CANCEL, .operation = id, .outcome = OUTCOME_CANCELLED};
	return step(operations, event) == ORCHESTRATOR_UNKNOWN_OPERATION;
}

void operations_cancel_project(struct operations *operations, struct uuid project)
{
	step(operations,
	     (struct orchestrator_event){.type = ORCHESTRATOR_CANCEL_PROJECT, .project = project});
}

void operations_body_end(struct operations *operations, struct uuid id, bool whole, uint64_t size)
{
	struct operation *operation = find(operations, id);
	if (!operation)
		return;
	operation->body_end = (struct control_worker_body_end){id, whole, size};
	operation->has_body_end = true;
	send_body_end(operation);
}

void operations_refresh(struct operations *operations, struct store_operation *row)
{
	const struct operation *operation = find(operations, row->id);
	if (!operation || row->state != STORE_OPERATION_OPEN)
		return;
	row->started_ms = operation->row.started_ms;
	row->runtime = operation->row.runtime;
}

/* ---- life ---- */

static int restore_ended(struct operation *operation)
{
	struct store *store = operation->operations->control->store;
	int r =
	    store->operations->get(store, operation->row.id, &operation->arena, &operation->row);
	if (r != 0)
		return error_origin(r < 0 ? r : -EIO);
	operation->is_over = true;
	append_terminal(operation);
	return 0;
}

/* Its audit entry was durable when it was accepted, or the client was never told of it; whether it
 * was, cannot be told here, so it is recorded again before it runs. */
static int restore_open(struct operation *operation)
{
	struct store_operation *row = &operation->row;
	struct orchestrator_event event = {
	    .type = ORCHESTRATOR_RESTORE,
	    .workspace = row->workspace,
	    .project = row->project,
	    .worker = row->worker,
	    .timeout_ms = row->timeout_ms,
	    .ephemeral = row->ephemeral,
	};
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
	    .result_state = TEXT("accepted"),
	    .correlation = row->correlation,
	};
	operation->is_stored = true;
	if (step_one(operation, event) < 0)
		return error_origin(-ENOMEM);
	operation->recorded.on_recorded = on_recorded;
	audit_link_append(operation->operations->control->audit, &entry, &operation->recorded);
	append_queued(operation);
	return 0;
}

static int restore_page(struct operations *operations, struct uuid *after, size_t *count)
{
	struct store *store = operations->control->store;
	struct arena arena ATTR_ARENA = {0};
	struct store_operation *rows;
	int r = store->operations->list_untold(store, *after, RESTORE_PAGE, &arena, &rows, count);
	for (size_t i = 0; r == 0 && i < *count; i++) {
		struct operation *operation;
		*after = rows[i].id;
		r = operation_new(operations, &rows[i], &operation);
		if (r == 0)
			r = rows[i].state == STORE_OPERATION_OPEN ? restore_open(operation)
								  : restore_ended(operation);
	}
	return r > 0 ? error_origin(-EIO) : error_trace(r);
}

int operations_restore(struct operations *operations)
{
	struct uuid after = {0};
	size_t count = RESTORE_PAGE;
	int r = 0;
	while (r == 0 && count == RESTORE_PAGE)
		r = restore_page(operations, &after, &count);
	return error_trace(r);
}

int operations_new(struct control *control, const struct operation_settings *settings,
		   struct operations **out)
{
	struct operations *operations = calloc(1, sizeof(*operations));
	if (!operations)
		return error_origin(-ENOMEM);
	operations->control = control;
	operations->settings = *settings;
	list_init(&operations->untold);
	list_init(&operations->being_told);
	int r = orchestrator_new(&settings->limits, &operations->engine);
	if (r < 0) {
		free(operations);
		return error_trace(r);
	}
	*out = operations;
	return 0;
}

void operations_free(struct operations *operations)
{
	if (!operations)
		return;
	map_for_each (node, &operations->live)
		operation_free(container_of(node, struct operation, node));
	loop_timer_stop(&operations->tick);
	loop_timer_stop(&operations->tell);
	store_write_detach(&operations->told);
	orchestrator_orders_free(&operations->orders);
	orchestrator_free(operations->engine);
	map_free(&operations->live);
	free(operations);
}

const struct operation_settings *operations_settings(const struct operations *operations)
{
	return &operations->settings;
}

struct orchestrator_counts operations_count(const struct operations *operations)
{
	return orchestrator_count(operations->engine);
}

void operations_stop(struct operations *operations)
{
	operations->stopping = true;
	step(operations, (struct orchestrator_event){.type = ORCHESTRATOR_STOP});
	tell_later(operations);
}

bool operations_are_quiet(const struct operations *operations)
{
	struct orchestrator_counts counts = operations_count(operations);
	if (counts.running > 0 || counts.ending > 0)
		return false;
	map_for_each (node, &operations->live)
		if (container_of(node, struct operation, node)->is_over)
			return false;
	return true;
}
