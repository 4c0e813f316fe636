/* Errors as clients see them (RFC 9457, API.md "Errors"): the codes, as one table, and the writing
 * of the document. Gateway and control both answer from it, so that a code means the same whoever
 * noticed; operations that failed carry the codes of outcome.h in the same shape. Codes are stable:
 * clients branch on them. */
#pragma once

#include "base/json.h"
#include "proto/outcome.h"

/* `type` of a document is this and the code. */
#define PROBLEM_TYPE_BASE  "https://croft.dev/problems/"
#define PROBLEM_MEDIA_TYPE "application/problem+json"

enum problem_code {
	/* The request itself */
	PROBLEM_INVALID_REQUEST, /* malformed HTTP, headers that contradict each other */
	PROBLEM_INVALID_JSON,
	PROBLEM_INVALID_INPUT, /* well-formed JSON or parameters that the call does not take */
	PROBLEM_INVALID_CURSOR,
	PROBLEM_IDEMPOTENCY_KEY_REQUIRED,
	PROBLEM_IDEMPOTENCY_KEY_INVALID,
	PROBLEM_IDEMPOTENCY_KEY_REUSED,
	PROBLEM_NOT_FOUND,
	PROBLEM_METHOD_NOT_ALLOWED,
	PROBLEM_NOT_ACCEPTABLE,
	PROBLEM_REQUEST_TIMEOUT,
	PROBLEM_LENGTH_REQUIRED,
	PROBLEM_TOO_LARGE,
	PROBLEM_URI_TOO_LONG,
	PROBLEM_HEADERS_TOO_LARGE,
	PROBLEM_UNSUPPORTED_MEDIA_TYPE,
	PROBLEM_UPGRADE_REQUIRED, /* GET /v1/ws that is no WebSocket handshake */
	PROBLEM_EXPECTATION_FAILED,

	/* Who asks */
	PROBLEM_UNAUTHENTICATED, /* no credential, or one that is unknown, expired, revoked or
				    forged: not told apart */
	PROBLEM_FORBIDDEN, /* only for what the caller may see: everything else is NOT_FOUND */
	PROBLEM_RATE_LIMITED,
	PROBLEM_TOO_MANY_AUTHENTICATION_FAILURES,
	PROBLEM_TOO_MANY_READERS,
	PROBLEM_QUEUE_FULL,
	PROBLEM_QUOTA_EXCEEDED,
	PROBLEM_POLICY_DENIED,

	/* The state of things */
	PROBLEM_ALREADY_EXISTS,
	PROBLEM_CONFLICT, /* not in this state: input for an operation that has ended, the last
			     owner of a workspace */
	PROBLEM_PRECONDITION_FAILED,
	PROBLEM_RANGE_NOT_SATISFIABLE,
	PROBLEM_CURSOR_EXPIRED,
	PROBLEM_INPUT_NOT_TAKEN, /* the operation's type takes no input, signals or size */
	PROBLEM_INPUT_BACKLOG,   /* the command does not read: more input than is kept for it */

	/* Croft */
	PROBLEM_INTERNAL,
	PROBLEM_OVERLOADED,
	PROBLEM_CONTROL_UNAVAILABLE, /* what was sent may or may not have happened */
	PROBLEM_STREAM_UNAVAILABLE,
	PROBLEM_AUDIT_UNAVAILABLE, /* nothing was done: what cannot be recorded does not happen */
	PROBLEM_WORKER_UNAVAILABLE,
	PROBLEM_STORAGE_FULL,
	PROBLEM_STOPPING,
	PROBLEM_NOT_IMPLEMENTED,
	PROBLEM_CODES
};

struct problem_kind {
	const char *code;
	uint16_t status;
	const char *title;
	bool retryable; /* the same request may succeed later, and may be sent again */
};

extern const struct problem_kind problem_kinds[PROBLEM_CODES];

struct problem {
	struct problem_kind kind;
	struct text detail;     /* for people, UTF-8; empty: the title says it all */
	struct text request_id; /* empty inside an operation's `error` */
	struct text operation;  /* its id as text, or empty */
};

static inline struct problem problem_of(enum problem_code code)
{
	return (struct problem){.kind = problem_kinds[code]};
}

struct problem problem_of_outcome(enum outcome outcome);

/* Writes the members and leaves the object open, for a caller that has members to add before
 * json_object_end(). */
void problem_begin(struct json *json, const struct problem *problem);

void problem_write(struct json *json, const struct problem *problem);
