/* The calls about operations. */
#include "base/encode.h"
#include "base/error.h"
#include "engine/policy/policy.h"
#include "proc/control/answer.h"
#include "proc/control/calls.h"
#include "proc/control/fields.h"
#include "proc/control/operation.h"
#include "proc/control/operation_input.h"
#include "proc/control/operation_right.h"
#include "proc/control/operation_view.h"
#include "proc/control/page.h"
#include "proc/control/replay.h"
#include "proto/event.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>

/* Somebody who waits for an operation's admission, or for its end. Lies in the request's arena. */
struct admission {
	struct request_waiter waiter;
	struct operation_watch watch;
	struct control_request *request;
	struct loop_timer patience; /* of Prefer: wait */
	struct uuid id;
	bool accepted, hurries; /* nobody waits for the end */
};

static void answer_operation(struct control_request *request, uint16_t status,
			     struct store_operation *row)
{
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	operations_refresh(request->control->operations, row);
	operation_write(&json, row);
	if (status == 202)
		field_location(request, "/v1/operations", ID_OPERATION, row->id);
	control_answer_json(request, status, &body);
}

static void answer_stored(struct control_request *request, struct uuid id)
{
	struct store *store = request->control->store;
	struct store_operation row;
	int r = store->operations->get(store, id, &request->arena, &row);
	if (r != 0) {
		control_answer_outcome(request, r);
		return;
	}
	bool over = row.state != STORE_OPERATION_OPEN;
	answer_operation(request, over && request->in->wait_ms > 0 ? 200 : 202, &row);
}

static struct control_request *leave(struct admission *admission)
{
	struct control_request *request = admission->request;
	operation_watch_detach(&admission->watch);
	loop_timer_stop(&admission->patience);
	request->waiter = NULL;
	return request;
}

static void answer_now(struct admission *admission)
{
	struct uuid id = admission->id;
	answer_stored(leave(admission), id);
}

static void on_impatient(struct loop_timer *timer)
{
	answer_now(container_of(timer, struct admission, patience));
}

static void on_abandoned(struct request_waiter *waiter)
{
	struct admission *admission = container_of(waiter, struct admission, waiter);
	admission->hurries = true;
	if (admission->accepted)
		answer_now(admission);
}

static void on_accepted(struct operation_watch *watch,
			const struct store_operation *row ATTR_UNUSED)
{
	struct admission *admission = container_of(watch, struct admission, watch);
	struct control_request *request = admission->request;
	admission->accepted = true;
	if (request->in->wait_ms == 0 || admission->hurries ||
	    loop_timer_start(&admission->patience, request->control->loop, request->in->wait_ms, 0,
			     on_impatient) < 0)
		answer_now(admission);
}

static void on_refused(struct operation_watch *watch, int outcome, enum problem_code code)
{
	struct control_request *request = leave(container_of(watch, struct admission, watch));
	if (outcome != 0)
		control_answer_outcome(request, outcome);
	else
		control_answer_problem(request, code, NULL);
}

static void on_ended(struct operation_watch *watch, const struct store_operation *row ATTR_UNUSED)
{
	answer_now(container_of(watch, struct admission, watch));
}

static struct admission *admission_new(struct control_request *request, struct uuid id)
{
	struct admission *admission = arena_alloc(&request->arena, sizeof(*admission));
	if (!admission)
		return NULL;
	*admission = (struct admission){
	    .waiter.on_abandoned = on_abandoned,
	    .watch = {.on_accepted = on_accepted, .on_refused = on_refused, .on_ended = on_ended},
	    .request = request,
	    .id = id,
	};
	request->waiter = &admission->waiter;
	return admission;
}

/* ---- create ---- */

struct creation {
	struct text type, correlation;
	uint64_t timeout_ms;
	const struct document_value *input;
};

#define MEMBER(member) .offset = offsetof(struct creation, member)
static const struct document_field creation_table[] = {
    {"type", DOCUMENT_TEXT, true, MEMBER(type), .limit = 64},
    {"input", DOCUMENT_OBJECT, true, MEMBER(input)},
    {"correlationId", DOCUMENT_TEXT, MEMBER(correlation), .limit = CORRELATION_LIMIT},
    {"timeoutMs", DOCUMENT_U64, MEMBER(timeout_ms), .minimum = 1, .limit = INT64_MAX},
};
#undef MEMBER

static int read_creation(struct control_request *request, struct operation_order *order,
			 struct operation_input *input)
{
	const struct document_table table = {creation_table, ARRAY_SIZE(creation_table)};
	struct buffer json ATTR_BUFFER = {0};
	struct creation creation = {0};
	struct document_error error;
	char name[DOCUMENT_NAME_SIZE];
	uint64_t present;
	if (control_request_body(request, table, &creation, &present))
		return 1;
	if (operation_parse(creation.type, &order->kind)) {
		control_answer_problem(request, PROBLEM_INVALID_INPUT,
				       "\"type\": there is no operation \"%s\"",
				       document_name(name, creation.type));
		return 1;
	}
	int r = operation_input_read(order->kind, creation.input, &request->arena, input, &error);
	if (r == 1) {
		control_answer_problem(request, PROBLEM_INVALID_INPUT, "%s", error.message);
		return 1;
	}
	if (r == 0)
		r = document_write(creation.input, false, &json);
	if (r == 0)
		order->json = arena_text(&request->arena, buffer_text(&json));
	if (!order->json.data) {
		control_answer_outcome(request, r < 0 ? r : error_origin(-ENOMEM));
		return 1;
	}
	order->correlation = creation.correlation;
	order->timeout_ms = creation.timeout_ms;
	return 0;
}

static int check_timeout(struct control_request *request, struct operation_order *order)
{
	const struct operation_settings *settings =
	    operations_settings(request->control->operations);
	bool endless =
	    (operation_types[order->kind].flags & OPERATION_STREAMS) || order->input->background;
	if (settings->timeout_limit_ms > 0 && order->timeout_ms > settings->timeout_limit_ms) {
		control_answer_problem(request, PROBLEM_INVALID_INPUT,
				       "\"timeoutMs\" must be at most %" PRIu64,
				       settings->timeout_limit_ms);
		return 1;
	}
	if (order->timeout_ms == 0 && !endless)
		order->timeout_ms = settings->timeout_ms;
	return 0;
}

/* Beyond the call's own permission: what this type of operation needs. 0; 1: answered. */
int operation_check_right(struct control_request *request, enum operation_kind kind)
{
	struct policy policy = policy_parse(request->project.policy);
	request->action = operation_types[kind].name;
	if (operation_types[kind].flags & OPERATION_WRITES) {
		struct access_decision decision =
		    control_request_decide(request, ACCESS_CONTENT_CHANGE);
		request->allowed_by = decision.rule;
		if (decision.verdict != ACCESS_ALLOW) {
			control_request_deny(request, decision);
			return 1;
		}
	}
	if (policy_allows(&policy, kind))
		return 0;
	struct audit_note note = {
	    .rule = "deny.policy",
	    .result_state = "denied",
	    .result_code = problem_kinds[PROBLEM_POLICY_DENIED].code,
	};
	control_audit(request, &note, NULL);
	control_answer_problem(request, PROBLEM_POLICY_DENIED,
			       "the project's policy does not allow %s",
			       operation_types[kind].name);
	return 1;
}

static void admit(struct control_request *request, struct operation_order *order)
{
	struct id_text id = id_format(ID_OPERATION, order->id);
	if (order->correlation.size == 0)
		order->correlation = text_of(id.data);
	struct admission *admission = admission_new(request, order->id);
	int r =
	    admission ? operations_admit(request, order, &admission->watch) : error_origin(-ENOMEM);
	if (r == 0)
		return;
	request->waiter = NULL;
	if (r == 1)
		control_answer_problem(request, PROBLEM_QUEUE_FULL, NULL);
	else
		control_answer_outcome(request, r);
}

static void answer_again(struct control_request *request, struct uuid id)
{
	struct admission *admission;
	replay_mark(request);
	if (request->in->wait_ms == 0 || !(admission = admission_new(request, id))) {
		answer_stored(request, id);
		return;
	}
	admission->accepted = true;
	if (operations_watch(request->control->operations, id, &admission->watch) != 0 ||
	    loop_timer_start(&admission->patience, request->control->loop, request->in->wait_ms, 0,
			     on_impatient) < 0)
		answer_now(admission);
}

void operation_create(struct control_request *request)
{
	struct operation_order order = {.id = uuid_new(request->received_ms), .pipe = -1};
	struct operation_input input;
	struct replay replay;
	order.input = &input;
	if (!request->in->has_idempotency_key) {
		control_answer_problem(request, PROBLEM_IDEMPOTENCY_KEY_REQUIRED, NULL);
		return;
	}
	if (read_creation(request, &order, &input) || check_timeout(request, &order) ||
	    operation_check_right(request, order.kind))
		return;
	enum replay_verdict verdict = replay_check(request, order.id, &replay);
	order.replay = replay_record(&replay);
	if (verdict == REPLAY_AGAIN)
		answer_again(request, replay.record.object);
	else if (verdict == REPLAY_NEW)
		admit(request, &order);
}

/* ---- read ---- */

int operation_locate(struct control_request *request, struct uuid *project)
{
	struct store *store = request->control->store;
	struct store_operation row;
	if (id_parse(ID_OPERATION, request->in->id, &request->operation_id))
		return STORE_NOT_FOUND;
	int r = store->operations->get(store, request->operation_id, &request->arena, &row);
	if (r == 0)
		*project = row.project;
	return r;
}

void operation_get(struct control_request *request)
{
	struct store *store = request->control->store;
	struct store_operation row;
	int r = store->operations->get(store, request->operation_id, &request->arena, &row);
	if (r != 0)
		control_answer_outcome(request, r);
	else
		answer_operation(request, 200, &row);
}

static int read_page(struct control_request *request, const struct page *page, size_t limit,
		     void **rows, size_t *count)
{
	struct store *store = request->control->store;
	struct store_operation *found = NULL;
	int r = store->operations->list(store, request->project_id, page->after, limit,
					&request->arena, &found, count);
	*rows = found;
	return r;
}

static void write_row(struct json *json, struct control_request *request, void *row)
{
	operations_refresh(request->control->operations, row);
	operation_write(json, row);
}

void operation_list(struct control_request *request)
{
	static const struct page_kind kind = {.list = "operations",
					      PAGE_ROW(struct store_operation, id),
					      .read = read_page,
					      .write = write_row};
	page_answer(request, &kind, request->project_id);
}

/* ---- what is said to one that runs ---- */

void operation_cancel(struct control_request *request)
{
	const struct document_table nothing = {creation_table, 0};
	struct creation creation;
	uint64_t present;
	if (control_request_body(request, nothing, &creation, &present))
		return;
	if (operations_cancel(request->control->operations, request->operation_id))
		operation_get(request); /* it is over: cancelling is idempotent */
	else
		answer_stored(request, request->operation_id);
}
