#include "proc/control/request.h"

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "crypt/secret.h"
#include "proc/control/answer.h"

#include <errno.h>
#include <stdlib.h>

static int copy_message(const struct gateway_control_request *in, struct control_request *request)
{
	const struct wire_struct *type = gateway_control_protocol.messages[GATEWAY_CONTROL_REQUEST];
	struct gateway_control_request *copy = arena_alloc(&request->arena, sizeof(*copy));
	if (!copy)
		return error_origin(-ENOMEM);
	int r = wire_encode(type, in, &request->frame);
	if (r == 0)
		r = wire_decode(type, buffer_bytes(&request->frame), &request->arena, copy);
	request->in = copy;
	return error_trace(r);
}

int control_request_new(struct control *control, const struct gateway_control_request *in, int pipe,
			struct control_request **out)
{
	struct control_request *request = calloc(1, sizeof(*request));
	if (!request) {
		descriptor_close(&pipe);
		return error_origin(-ENOMEM);
	}
	request->control = control;
	request->pipe = pipe;
	request->received_ms = clock_wall_ms();
	list_init(&request->node);
	int r = copy_message(in, request);
	if (r < 0) {
		control_request_free(request);
		return error_trace(r);
	}
	*out = request;
	return 0;
}

void control_request_forget_credential(struct control_request *request)
{
	struct text credential = request->in->credential;
	secret_wipe((char *)(uintptr_t)credential.data, credential.size);
}

void control_request_free(struct control_request *request)
{
	audit_wait_detach(&request->recorded);
	descriptor_close(&request->pipe);
	document_free(&request->body);
	if (request->in)
		control_request_forget_credential(request);
	buffer_free(&request->frame);
	arena_free(&request->arena);
	free(request);
}

/* ---- what the client sent ---- */

static struct text find_pair(const struct wire_list *list, const char *name)
{
	const struct wire_pair *pairs = list->items;
	for (size_t i = 0; i < list->count; i++)
		if (text_equal(pairs[i].name, text_of(name)))
			return pairs[i].value;
	return (struct text){0};
}

struct text control_request_query(const struct control_request *request, const char *name)
{
	return find_pair(&request->in->query, name);
}

struct text control_request_header(const struct control_request *request, const char *name)
{
	return find_pair(&request->in->headers, name);
}

static bool is_known(struct text name, const char *const *known)
{
	for (; *known; known++)
		if (text_equal(name, text_of(*known)))
			return true;
	return text_equal(name, TEXT("ticket"));
}

static bool is_repeated(const struct wire_pair *pairs, size_t count, struct text name)
{
	size_t found = 0;
	for (size_t i = 0; i < count; i++)
		found += text_equal(pairs[i].name, name);
	return found > 1;
}

int control_request_check_query(struct control_request *request, const char *const *known)
{
	const struct wire_pair *pairs = request->in->query.items;
	size_t count = request->in->query.count;
	char name[DOCUMENT_NAME_SIZE];
	for (size_t i = 0; i < count; i++) {
		if (!text_is_utf8(pairs[i].name) || !text_is_utf8(pairs[i].value)) {
			control_answer_problem(request, PROBLEM_INVALID_INPUT,
					       "the query is not UTF-8");
			return 1;
		}
		if (!is_known(pairs[i].name, known)) {
			control_answer_problem(request, PROBLEM_INVALID_INPUT,
					       "unknown query parameter \"%s\"",
					       document_name(name, pairs[i].name));
			return 1;
		}
		if (is_repeated(pairs, count, pairs[i].name)) {
			control_answer_problem(request, PROBLEM_INVALID_INPUT,
					       "the query parameter \"%s\" is given twice",
					       document_name(name, pairs[i].name));
			return 1;
		}
	}
	return 0;
}

static int read_body(struct control_request *request, struct document_table table, void *out,
		     uint64_t *present, struct document_error *error, enum problem_code *code)
{
	struct bytes body = request->in->body;
	if (body.size == 0)
		body = text_bytes(TEXT("{}"));
	*code = PROBLEM_INVALID_JSON;
	int r = document_parse(body, JSON_BODY_LIMIT, &request->body, error);
	if (r != 0)
		return r;
	*code = PROBLEM_INVALID_INPUT;
	return document_bind(document_root(request->body), table, &request->arena, out, present,
			     error);
}

int control_request_body(struct control_request *request, struct document_table table, void *out,
			 uint64_t *present)
{
	struct document_error error;
	enum problem_code code;
	int r = read_body(request, table, out, present, &error, &code);
	if (r == 0)
		return 0;
	if (r < 0)
		control_answer_outcome(request, r);
	else if (error.position != DOCUMENT_NO_POSITION)
		control_answer_problem(request, code, "%s, at byte %zu", error.message,
				       error.position);
	else
		control_answer_problem(request, code, "%s", error.message);
	return 1;
}

/* ---- decisions ---- */

static bool is_listed(const struct control_caller *caller, struct uuid project)
{
	for (size_t i = 0; i < caller->n_projects; i++)
		if (uuid_equal(caller->projects[i], project))
			return true;
	return false;
}

bool control_request_reaches(const struct control_request *request, struct uuid project)
{
	const struct control_caller *caller = &request->caller;
	return caller->n_projects == 0 || is_listed(caller, project);
}

static enum access_actor actor_of(const struct control_caller *caller)
{
	if (caller->kind == CALLER_NOBODY)
		return ACCESS_ANONYMOUS;
	return caller->kind == CALLER_ADMINISTRATOR ? ACCESS_ADMINISTRATOR : ACCESS_MEMBER;
}

struct access_decision control_request_decide(const struct control_request *request,
					      enum access_permission permission)
{
	const struct control_caller *caller = &request->caller;
	struct access_question question = {
	    .permission = permission,
	    .actor = actor_of(caller),
	    .role = caller->role,
	    .restricted = caller->n_projects > 0,
	    .project_is_listed =
		!uuid_is_zero(request->project.id) && is_listed(caller, request->project.id),
	};
	return access_decide(&question);
}
