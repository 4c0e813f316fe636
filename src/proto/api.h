/* The calls of the HTTP API, as one table: method, path, who answers. The gateway routes by it,
 * control dispatches by it, and the tests hold openapi.yaml against it. */
#pragma once

#include "base/text.h"

#include <stdint.h>

enum api_call {
	API_WORKSPACE_CREATE,
	API_WORKSPACE_LIST,
	API_WORKSPACE_GET,
	API_WORKSPACE_UPDATE,
	API_WORKSPACE_DELETE,
	API_MEMBER_ADD,
	API_MEMBER_LIST,
	API_MEMBER_GET,
	API_MEMBER_UPDATE,
	API_MEMBER_REMOVE,
	API_KEY_CREATE,
	API_KEY_LIST,
	API_KEY_GET,
	API_KEY_REVOKE,
	API_USAGE_GET,
	API_PROJECT_CREATE,
	API_PROJECT_LIST,
	API_PROJECT_GET,
	API_PROJECT_UPDATE,
	API_PROJECT_DELETE,
	API_OPERATION_CREATE,
	API_OPERATION_LIST,
	API_OPERATION_GET,
	API_OPERATION_CANCEL,
	API_OPERATION_INPUT,
	API_OPERATION_SIGNAL,
	API_OPERATION_RESIZE,
	API_FILE_GET, /* HEAD too: `head` in the request */
	API_FILE_PUT,
	API_FILE_DELETE,
	API_ARCHIVE_GET,
	API_ARCHIVE_PUT,
	API_OPERATION_EVENTS,
	API_CORRELATION_EVENTS,
	API_PROJECT_EVENTS,
	API_STREAM_EVENTS,
	API_STREAM_PUBLISH,
	API_SOCKET, /* GET /v1/ws */
	API_TICKET_CREATE,
	API_AUDIT_LIST,
	API_AUDIT_CHECKPOINT,
	API_AUDIT_TILE,
	API_WHOAMI,
	API_HEALTHZ,
	API_READYZ,
	API_METRICS,
	API_VERSION,
	API_OPENAPI,
	API_CALLS
};

enum api_flags {
	API_LOCAL = 1,     /* the gateway answers itself */
	API_BODY_JSON = 2, /* takes a JSON body */
	API_BODY_RAW = 4,  /* takes bytes, streamed */
	API_EVENTS = 8,    /* answers with events, as SSE or JSON */
	API_TICKET = 16,   /* may be called with ?ticket= */
};

struct api_route {
	enum api_call call;
	const char *method;
	const char
	    *path; /* {ws} {prj} {op} {id} {name} stand for one segment, {path...} for the rest */
	unsigned flags;
};

extern const struct api_route api_routes[API_CALLS];
