#include "proc/control/dispatch.h"

#include "base/clock.h"
#include "proc/control/answer.h"
#include "proc/control/identity.h"
#include "proc/control/metrics.h"

#include <stdio.h>

/* ---- scope: what the path names, as far as it exists ---- */

/* A user's role is of the workspace; a key has its own, in its own workspace alone. */
static int resolve_role(struct control_request *request)
{
	struct control_caller *caller = &request->caller;
	if (caller->kind == CALLER_KEY && !uuid_equal(caller->workspace, request->workspace_id))
		caller->role = TENANT_NO_ROLE;
	if (caller->kind != CALLER_USER || uuid_is_zero(caller->user))
		return 0;
	struct store_member member;
	int r = request->control->store->people->member_get(
	    request->control->store, request->workspace_id, caller->user, &request->arena, &member);
	caller->role = r == 0 ? member.role : TENANT_NO_ROLE;
	return r == STORE_NOT_FOUND ? 0 : r;
}

static int resolve_workspace(struct control_request *request)
{
	struct store *store = request->control->store;
	if (id_parse(ID_WORKSPACE, request->in->id, &request->workspace_id))
		return STORE_NOT_FOUND;
	int r = store->workspaces->get(store, request->workspace_id, &request->arena,
				       &request->workspace);
	return r == 0 ? resolve_role(request) : r;
}

static int load_project(struct control_request *request)
{
	struct store *store = request->control->store;
	int r =
	    store->projects->get(store, request->project_id, &request->arena, &request->project);
	if (r != 0)
		return r;
	request->workspace_id = request->project.workspace;
	if (request->project.state != STORE_PROJECT_ACTIVE)
		return STORE_NOT_FOUND;
	return resolve_role(request);
}

static int resolve_project(struct control_request *request)
{
	if (id_parse(ID_PROJECT, request->in->id, &request->project_id))
		return STORE_NOT_FOUND;
	return load_project(request);
}

static int resolve_operation(struct control_request *request)
{
	int r = request->rule->locate(request, &request->project_id);
	return r == 0 ? load_project(request) : r;
}

/* Where no path names a workspace it is the key's own; others say it. */
static int resolve_caller_workspace(struct control_request *request)
{
	struct store *store = request->control->store;
	struct text named = control_request_query(request, "workspace");
	request->workspace_id = request->caller.workspace;
	if (named.data && id_parse(ID_WORKSPACE, named, &request->workspace_id))
		return STORE_NOT_FOUND;
	if (uuid_is_zero(request->workspace_id))
		return STORE_NOT_FOUND;
	int r = store->workspaces->get(store, request->workspace_id, &request->arena,
				       &request->workspace);
	return r == 0 ? resolve_role(request) : r;
}

static int resolve_nothing(struct control_request *request)
{
	request->workspace_id = request->caller.workspace;
	return 0;
}

static int (*const resolve_functions[])(struct control_request *request) = {
    [SCOPE_INSTALLATION] = resolve_nothing,
    [SCOPE_WORKSPACE] = resolve_workspace,
    [SCOPE_PROJECT] = resolve_project,
    [SCOPE_OPERATION] = resolve_operation,
    [SCOPE_CALLER_WORKSPACE] = resolve_caller_workspace,
};

/* ---- refusals ---- */

static const enum problem_code denial_codes[] = {
    [ACCESS_DENY_UNAUTHENTICATED] = PROBLEM_UNAUTHENTICATED,
    [ACCESS_DENY_HIDDEN] = PROBLEM_NOT_FOUND,
    [ACCESS_DENY_FORBIDDEN] = PROBLEM_FORBIDDEN,
};

/* A denial stands whether it could be recorded or not; the entry only had its chance to come first.
 */
static void denial_recorded(struct audit_wait *wait, enum audit_outcome outcome)
{
	struct control_request *request = container_of(wait, struct control_request, recorded);
	if (outcome != AUDIT_RECORDED)
		metrics_add(request->control->metrics, METRIC_AUDIT_UNAVAILABLE, 1);
	control_answer_problem(request, request->denied_as, NULL);
}

void control_request_deny(struct control_request *request, struct access_decision decision)
{
	request->denied_as = denial_codes[decision.verdict];
	metrics_add(request->control->metrics, METRIC_DENIED, 1);
	bool anonymous = decision.verdict == ACCESS_DENY_UNAUTHENTICATED;
	if (anonymous &&
	    !limiter_admit_denial(request->control->limiter, loop_now_ms(request->control->loop))) {
		control_answer_problem(request, request->denied_as, NULL);
		return;
	}
	struct audit_note note = {
	    .rule = decision.rule,
	    .result_state = "denied",
	    .result_code = problem_kinds[request->denied_as].code,
	};
	request->recorded.on_recorded = denial_recorded;
	control_audit(request, &note, &request->recorded);
}

/* ---- the way ---- */

static void entry_recorded(struct audit_wait *wait, enum audit_outcome outcome)
{
	struct control_request *request = container_of(wait, struct control_request, recorded);
	if (outcome != AUDIT_RECORDED) {
		metrics_add(request->control->metrics, METRIC_AUDIT_UNAVAILABLE, 1);
		control_answer_problem(request, PROBLEM_AUDIT_UNAVAILABLE, NULL);
		return;
	}
	request->was_recorded = true;
	request->rule->handler(request);
}

static void go_on_allowed(struct control_request *request)
{
	if (request->rule->audit != AUDIT_BEFORE) {
		request->rule->handler(request);
		return;
	}
	struct audit_note note = {
	    .allow = true,
	    .result_state = "accepted",
	    .input_digest = control_input_digest(request),
	};
	request->recorded.on_recorded = entry_recorded;
	control_audit(request, &note, &request->recorded);
}

static bool admit_by_rate(struct control_request *request)
{
	struct control *control = request->control;
	const struct control_caller *caller = &request->caller;
	struct uuid subject = uuid_is_zero(caller->key) ? caller->user : caller->key;
	if (request->in->again || caller->kind == CALLER_NOBODY ||
	    caller->kind == CALLER_ADMINISTRATOR)
		return true;
	struct uuid workspace =
	    caller->role == TENANT_NO_ROLE ? (struct uuid){0} : request->workspace_id;
	return limiter_admit(control->limiter, subject, workspace, loop_now_ms(control->loop),
			     &request->rate);
}

static void refuse_by_rate(struct control_request *request)
{
	char seconds[24];
	snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)request->rate.retry_s);
	control_answer_header(request, "retry-after", text_of(seconds));
	metrics_add(request->control->metrics, METRIC_RATE_LIMITED, 1);
	control_answer_problem(request, PROBLEM_RATE_LIMITED,
			       "more than %llu requests per minute of this %s",
			       (unsigned long long)request->rate.quota, request->rate.policy);
}

/* What does not exist is denied as what may not be seen, so that the two look alike. */
static void authorise(struct control_request *request, int resolved)
{
	if (resolved == STORE_NOT_FOUND && request->caller.kind == CALLER_ADMINISTRATOR) {
		control_answer_problem(request, PROBLEM_NOT_FOUND, NULL);
		return;
	}
	if (resolved == STORE_NOT_FOUND)
		request->caller.role = TENANT_NO_ROLE;
	struct access_decision decision =
	    control_request_decide(request, request->rule->permission);
	request->allowed_by = decision.rule;
	if (decision.verdict == ACCESS_ALLOW)
		go_on_allowed(request);
	else
		control_request_deny(request, decision);
}

static void refuse_credential(struct control_request *request, const char *why)
{
	request->caller = (struct control_caller){.kind = CALLER_NOBODY, .type = "anonymous"};
	control_request_deny(request, (struct access_decision){ACCESS_DENY_UNAUTHENTICATED, why});
}

static void go_on_identified(struct control_request *request)
{
	int resolved = resolve_functions[request->rule->scope](request);
	if (resolved != 0 && resolved != STORE_NOT_FOUND) {
		control_answer_outcome(request, resolved);
		return;
	}
	if (!admit_by_rate(request))
		refuse_by_rate(request);
	else
		authorise(request, resolved);
}

void dispatch_begin(struct control_request *request)
{
	const char *why;
	unsigned call = request->in->call;
	metrics_add(request->control->metrics, METRIC_REQUESTS, 1);
	request->caller = (struct control_caller){.kind = CALLER_NOBODY, .type = "anonymous"};
	if (call >= API_CALLS || !call_rules[call].handler) {
		control_answer_problem(request, PROBLEM_NOT_IMPLEMENTED, NULL);
		return;
	}
	request->rule = &call_rules[call];
	if (request->control->stopping) {
		control_answer_problem(request, PROBLEM_STOPPING, NULL);
		return;
	}
	int r = identity_of(request->control->identities, request, &why);
	control_request_forget_credential(request);
	if (r == 0)
		go_on_identified(request);
	else if (r == IDENTITY_REFUSED)
		refuse_credential(request, why);
	else
		control_answer_outcome(request, r);
}
