/* gateway <-> control: one request of a client, and its answer. The gateway has parsed HTTP;
 * control authenticates, authorises and acts. The JSON body travels as bytes and is parsed once, by
 * control.
 *
 *   REQUEST  ->  [BODY_END]  ->  [HEAD]  ->  ANSWER
 *
 * Calls with API_EVENTS: control answers only to refuse; when it admits the reader the stream role
 * answers (gateway_stream.h). With a streamed body (files, archives) descriptor [0] of REQUEST is
 * the gateway's pipe: its read end for PUT, its write end for GET. HEAD tells the gateway to begin
 * the answer from that pipe; an ANSWER after HEAD says how it ended.
 *
 * The fast path: an upload whose length is known and at most INLINE_UPLOAD_LIMIT comes whole in
 * `body`, with BODY_NONE, no pipe and no BODY_END. A download that is small comes whole in `body`
 * of an ANSWER without a HEAD before it; the pipe, which the gateway sent with the request because
 * it could not know, is then closed unread. HEAD requests (`head`) come without a pipe: their
 * ANSWER says has_length and length, the body stays empty.
 *
 * API_SOCKET: ANSWER with 200 admits the WebSocket, its body is not sent to anyone; what the client
 * then subscribes to or sends comes as requests of their own (API_…_EVENTS, API_OPERATION_INPUT, …)
 * with the socket's credential and `connected`.
 *
 * ABANDON may cross with the ANSWER; whichever comes late is ignored by number. When the channel
 * dies, control treats all requests of that gateway as abandoned; an operation that was admitted
 * goes on. The gateway sends what had not left again on the new channel and answers 503
 * control_unavailable for what had. */
#pragma once

#include "proto/api.h"
#include "wire/channel.h"

enum gateway_control_type {
	GATEWAY_CONTROL_REQUEST = 1, /* gateway */
	GATEWAY_CONTROL_BODY_END,    /* gateway */
	GATEWAY_CONTROL_ABANDON,  /* gateway: the client is gone; a Prefer: wait is over, an upload
				     broken off */
	GATEWAY_CONTROL_HEAD,     /* control */
	GATEWAY_CONTROL_ANSWER,   /* control */
	GATEWAY_CONTROL_WITHDRAW, /* control: close what was opened with this key */
	GATEWAY_CONTROL_METRICS,  /* control: figures of control and the roles behind it, pushed
				     every few seconds */
	GATEWAY_CONTROL_TYPES
};

enum credential_kind { CREDENTIAL_NONE, CREDENTIAL_API_KEY, CREDENTIAL_JWT, CREDENTIAL_TICKET };

enum { JSON_BODY_LIMIT = 2 << 20, INLINE_UPLOAD_LIMIT = 64 << 10, IDEMPOTENCY_KEY_LIMIT = 255 };

struct gateway_control_request {
	uint64_t request; /* the gateway's number */
	uint16_t call;    /* enum api_call */
	bool head;        /* HEAD of a GET call */
	uint8_t credential_kind;
	struct text credential; /* SECRET: whole key, token or ticket; never logged */
	struct text id;         /* {ws} {prj} {op} of the path, as it stood there: hostile */
	struct text name;       /* {id} or {name}, percent-decoded: hostile */
	struct text path; /* {path...}, percent-decoded: hostile; or the request's whole path for a
			     ticket's binding */
	struct text target;       /* path without the query, as it stood in the request */
	struct wire_list query;   /* of struct wire_pair, percent-decoded */
	struct wire_list headers; /* of struct wire_pair, lower-case names: if-match, if-none-match,
				     range, accept, content-type, last-event-id, prefer,
				     traceparent: those that were sent */
	struct text idempotency_key;
	bool has_idempotency_key;
	uint32_t wait_ms; /* Prefer: wait */
	struct text request_id;
	struct text address; /* of the client */
	struct text user_agent;
	struct bytes body;
	uint8_t
	    body_direction; /* enum body_direction of control_worker.h: what descriptor [0] is */
	uint64_t body_size; /* of an upload; UINT64_MAX if chunked */
	uint64_t reader;    /* of API_EVENTS: the gateway's number for the reader */
	bool again; /* of API_EVENTS: a reader that was open goes on, because a role behind it was
		       replaced: authorised afresh, but neither counted against rate limits nor
		       audited again */
	bool connected; /* comes through a connection that this very credential opened and that
			   still lives (a message on /v1/ws, a reader opened again): a ticket that
			   was used up by opening it still stands for its owner, whatever path it
			   was bound to, as long as the key behind it is good */
};

struct gateway_control_body_end {
	uint64_t request;
	bool whole;
	uint64_t size;
};

struct gateway_control_abandon {
	uint64_t request;
};

struct gateway_control_answer { /* HEAD and ANSWER */
	uint64_t request;
	uint16_t status;
	struct wire_list
	    headers; /* of struct wire_pair, to be sent as they are; content-type among them */
	struct bytes body;
	bool has_length; /* of HEAD: */
	uint64_t length;
	bool broken; /* of ANSWER after HEAD: what came through the pipe is not all; cut the
			connection */
};

struct gateway_control_withdraw {
	struct uuid key;
};

struct gateway_control_metrics {
	struct bytes exposition; /* Prometheus text */
	bool ready;
	struct bytes readiness; /* JSON for /readyz */
};

extern const struct protocol gateway_control_protocol;
