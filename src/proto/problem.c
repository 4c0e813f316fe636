#include "proto/problem.h"

const struct problem_kind problem_kinds[PROBLEM_CODES] = {
    [PROBLEM_INVALID_REQUEST] = {"invalid_request", 400, "The request is malformed", false},
    [PROBLEM_INVALID_JSON] = {"invalid_json", 400, "The body is not valid JSON", false},
    [PROBLEM_INVALID_INPUT] = {"invalid_input", 400, "The input is not valid", false},
    [PROBLEM_INVALID_CURSOR] = {"invalid_cursor", 400, "The cursor is not valid here", false},
    [PROBLEM_IDEMPOTENCY_KEY_REQUIRED] = {"idempotency_key_required", 400,
					  "This call needs an Idempotency-Key", false},
    [PROBLEM_IDEMPOTENCY_KEY_INVALID] = {"idempotency_key_invalid", 400,
					 "The Idempotency-Key is not valid", false},
    [PROBLEM_IDEMPOTENCY_KEY_REUSED] = {"idempotency_key_reused", 422,
					"The Idempotency-Key was used with another request", false},
    [PROBLEM_NOT_FOUND] = {"not_found", 404, "Not found", false},
    [PROBLEM_METHOD_NOT_ALLOWED] = {"method_not_allowed", 405, "The method is not allowed here",
				    false},
    [PROBLEM_NOT_ACCEPTABLE] = {"not_acceptable", 406,
				"None of the accepted media types can be given", false},
    [PROBLEM_REQUEST_TIMEOUT] = {"request_timeout", 408, "The request took too long to arrive",
				 true},
    [PROBLEM_LENGTH_REQUIRED] = {"length_required", 411, "The length of the body is needed", false},
    [PROBLEM_TOO_LARGE] = {"too_large", 413, "The body is too large", false},
    [PROBLEM_URI_TOO_LONG] = {"uri_too_long", 414, "The request target is too long", false},
    [PROBLEM_HEADERS_TOO_LARGE] = {"headers_too_large", 431, "The head of the request is too large",
				   false},
    [PROBLEM_UNSUPPORTED_MEDIA_TYPE] = {"unsupported_media_type", 415,
					"The body's media type is not taken here", false},
    [PROBLEM_UPGRADE_REQUIRED] = {"upgrade_required", 426,
				  "This address is for WebSocket connections", false},
    [PROBLEM_EXPECTATION_FAILED] = {"expectation_failed", 417, "The expectation cannot be met",
				    false},

    [PROBLEM_UNAUTHENTICATED] = {"unauthenticated", 401, "A valid credential is needed", false},
    [PROBLEM_FORBIDDEN] = {"forbidden", 403, "The role does not allow this", false},
    [PROBLEM_RATE_LIMITED] = {"rate_limited", 429, "Too many requests", true},
    [PROBLEM_TOO_MANY_AUTHENTICATION_FAILURES] =
	{"too_many_authentication_failures", 429,
	 "Too many failed authentications from this address", true},
    [PROBLEM_TOO_MANY_READERS] = {"too_many_readers", 429, "Too many readers of events", true},
    [PROBLEM_QUEUE_FULL] = {"queue_full", 429, "Too many operations are waiting", true},
    [PROBLEM_QUOTA_EXCEEDED] = {"quota_exceeded", 507, "A quota is used up", false},
    [PROBLEM_POLICY_DENIED] = {"policy_denied", 403, "The policy does not allow it", false},

    [PROBLEM_ALREADY_EXISTS] = {"already_exists", 409, "It exists already", false},
    [PROBLEM_CONFLICT] = {"conflict", 409, "The present state does not allow it", false},
    [PROBLEM_PRECONDITION_FAILED] = {"precondition_failed", 412, "It is not the one expected",
				     false},
    [PROBLEM_RANGE_NOT_SATISFIABLE] = {"range_not_satisfiable", 416, "The range lies outside",
				       false},
    [PROBLEM_CURSOR_EXPIRED] = {"cursor_expired", 410,
				"Events behind the cursor are no longer kept", false},
    [PROBLEM_INPUT_NOT_TAKEN] = {"input_not_taken", 409, "The operation does not take this", false},
    [PROBLEM_INPUT_BACKLOG] = {"input_backlog", 429, "The command has not read its earlier input",
			       true},

    [PROBLEM_INTERNAL] = {"internal", 500, "Something failed inside Croft", true},
    [PROBLEM_OVERLOADED] = {"overloaded", 503, "Croft has too much to do", true},
    [PROBLEM_CONTROL_UNAVAILABLE] =
	{"control_unavailable", 503,
	 "The request may or may not have happened: repeat it with the same "
	 "Idempotency-Key",
	 true},
    [PROBLEM_STREAM_UNAVAILABLE] = {"stream_unavailable", 503,
				    "Events cannot be read or written now", true},
    [PROBLEM_AUDIT_UNAVAILABLE] = {"audit_unavailable", 503,
				   "Nothing was done: it could not be recorded", true},
    [PROBLEM_WORKER_UNAVAILABLE] = {"worker_unavailable", 503, "No worker can take it now", true},
    [PROBLEM_STORAGE_FULL] = {"storage_full", 507, "There is no room on the disk", true},
    [PROBLEM_STOPPING] = {"stopping", 503, "Croft is stopping", true},
    [PROBLEM_NOT_IMPLEMENTED] = {"not_implemented", 501, "Croft does not do this", false},
};

struct problem problem_of_outcome(enum outcome outcome)
{
	const struct outcome_kind *kind = &outcome_kinds[outcome];
	return (struct problem){.kind = {kind->code, kind->status, kind->title, kind->retryable}};
}

static void write_type(struct json *json, const char *code)
{
	char type[sizeof(PROBLEM_TYPE_BASE) + 64];
	size_t base = sizeof(PROBLEM_TYPE_BASE) - 1;
	memcpy(type, PROBLEM_TYPE_BASE, base);
	size_t size = strnlen(code, sizeof(type) - base);
	memcpy(type + base, code, size);
	json_key(json, "type");
	json_text(json, (struct text){type, base + size});
}

void problem_begin(struct json *json, const struct problem *problem)
{
	json_object(json);
	write_type(json, problem->kind.code);
	json_key(json, "title");
	json_cstring(json, problem->kind.title);
	json_key(json, "status");
	json_u64(json, problem->kind.status);
	json_key(json, "detail");
	json_text(json, problem->detail.size > 0 ? problem->detail : text_of(problem->kind.title));
	json_key(json, "code");
	json_cstring(json, problem->kind.code);
	json_key(json, "retryable");
	json_bool(json, problem->kind.retryable);
	if (problem->request_id.size > 0) {
		json_key(json, "requestId");
		json_text(json, problem->request_id);
	}
	if (problem->operation.size > 0) {
		json_key(json, "operation");
		json_text(json, problem->operation);
	}
}

void problem_write(struct json *json, const struct problem *problem)
{
	problem_begin(json, problem);
	json_object_end(json);
}
