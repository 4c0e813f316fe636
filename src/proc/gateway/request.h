/* From the head of an HTTP request to what control is asked (REQUEST of gateway_control.h): route,
 * credential, the header fields that matter, limits. Every byte that comes in is hostile; nothing
 * here does I/O. */
#pragma once

#include "base/arena.h"
#include "proc/gateway/credential.h"
#include "proc/gateway/router.h"
#include "proto/gateway_control.h"
#include "proto/problem.h"

enum {
	REQUEST_QUERY_MAX = 32, /* parameters */
	REQUEST_USER_AGENT_LIMIT = 256,
	REQUEST_ID_SIZE = 65,
};

/* The header fields that mean something here. */
enum request_field {
	HEAD_ACCEPT,
	HEAD_AUTHORIZATION,
	HEAD_CONTENT_TYPE,
	HEAD_IDEMPOTENCY_KEY,
	HEAD_IF_MATCH,
	HEAD_IF_MODIFIED_SINCE,
	HEAD_IF_NONE_MATCH,
	HEAD_IF_RANGE,
	HEAD_LAST_EVENT_ID,
	HEAD_ORIGIN,
	HEAD_PREFER,
	HEAD_PREFLIGHT_METHOD,
	HEAD_RANGE,
	HEAD_TRACEPARENT,
	HEAD_USER_AGENT,
	HEAD_API_KEY,
	HEAD_REQUEST_ID,
	HEAD_FIELDS
};

extern const struct text request_field_names[HEAD_FIELDS];

struct request_field_value {
	struct text value; /* of the first */
	size_t count;
};

/* As the HTTP library gives it. */
struct request_head {
	struct text method;
	struct text path;  /* as it stood, without the query */
	struct text query; /* as it stood */
	struct request_field_value fields[HEAD_FIELDS];
	struct text address;
	bool has_body;
	uint64_t length; /* UINT64_MAX: not told */
};

struct request {
	struct router_match match;
	struct credential credential;
	char id[REQUEST_ID_SIZE];
	bool prefers_wait;
	bool wants_sse;    /* of API_EVENTS */
	size_t page_limit; /* of API_EVENTS */
	uint32_t page_wait_ms;
	struct gateway_control_request message; /* without `request`, `reader` and the body */
};

/* The id of the request, the client's if it is plain, else a new one. Done first: also a refused
 * request has one. */
void request_name(struct request *request, const struct request_head *head, int64_t now_ms);

/* 0; 1 refused, `problem` says why (with ROUTER_NO_METHOD `match.methods` is set); -ENOMEM. The
 * texts of `request` point into `head` and `arena`. `upload_limit` is for raw bodies. */
int request_translate(const struct router *router, const struct request_head *head,
		      uint64_t upload_limit, struct arena *arena, struct request *request,
		      struct problem *problem) ATTR_MUST_CHECK;
