/* One request of a client on its way through control.
 *
 *   received -> authenticated -> scope resolved -> authorised -> [recorded] -> handler -> answered
 *
 * What stands left of the handler is done by dispatch.c from the call's row; a handler therefore
 * finds the caller known, the scope there and visible, and the audit entry durable where its row
 * says AUDIT_BEFORE. It answers exactly once, now or later, with one of the control_answer
 * functions; that ends the request and frees it with its arena. */
#pragma once

#include "base/json.h"
#include "engine/workspace/access.h"
#include "proc/control/audit_link.h"
#include "proc/control/control.h"
#include "proc/control/limiter.h"
#include "proto/gateway_control.h"
#include "proto/problem.h"
#include "json/document.h"

struct gateway_link;
struct call_rule;

enum caller_kind { CALLER_NOBODY, CALLER_ADMINISTRATOR, CALLER_KEY, CALLER_USER };

struct control_caller {
	enum caller_kind kind;
	const char *type; /* as the audit log names it: "anonymous", "admin", "key", "user" */
	struct text name; /* key_…, usr_…, "admin", or an OIDC subject without an account */
	struct uuid user; /* of CALLER_USER; zero: known to the issuer alone */
	struct uuid key;  /* of CALLER_KEY; zero otherwise */
	int64_t ends_ms;  /* of the key or token; 0: it does not */
	struct uuid workspace; /* of CALLER_KEY */
	enum tenant_role
	    role; /* of CALLER_KEY; for a user filled in for the workspace of the request */
	const struct uuid *projects; /* that the key is restricted to */
	size_t n_projects;
	struct text subject, email; /* of CALLER_USER */
};

/* Embedded in the state of a handler that answers later. */
struct request_waiter {
	/* The client is gone, or its time for Prefer: wait is over. The handler still answers;
	 * nobody may read it. */
	void (*on_abandoned)(struct request_waiter *waiter);
	/* A streamed upload has ended; may be NULL. */
	void (*on_body_end)(struct request_waiter *waiter, bool whole, uint64_t size);
};

struct control_request {
	struct list node; /* of its gateway's requests */
	struct control *control;
	struct gateway_link *gateway; /* NULL once that gateway is gone: the answer goes nowhere */
	uint16_t gateway_index;
	/* Views into `frame`; everything in it is hostile. */
	const struct gateway_control_request *in;
	struct buffer frame;
	struct arena arena;
	const struct call_rule *rule;
	int pipe; /* of a streamed body, or -1; closed at the end if it was not taken */
	int64_t received_ms;

	struct control_caller caller;
	struct uuid workspace_id;         /* of every call but those of the installation */
	struct store_workspace workspace; /* where the path names it */
	struct store_project project;     /* of SCOPE_PROJECT and SCOPE_OPERATION */
	struct uuid operation_id;         /* of SCOPE_OPERATION */
	struct uuid project_id;      /* as asked for: for the audit log, also where it was denied */
	const char *allowed_by;      /* rule, for the audit log */
	const char *action;          /* for the audit log, where the body says it; else NULL */
	enum problem_code denied_as; /* while the entry of a denial is on its way */

	struct limiter_state rate;
	struct wire_pair answer_headers[16];
	size_t n_answer_headers;
	struct document *body;         /* once read; freed at the end */
	struct request_waiter *waiter; /* NULL while nobody waits */
	struct audit_wait recorded;    /* the entry of this request, under way */
	bool was_recorded;             /* AUDIT_BEFORE: the end is recorded too */
	bool head_sent;
};

typedef void control_handler(struct control_request *request);

enum call_scope {
	SCOPE_INSTALLATION,
	SCOPE_WORKSPACE,        /* {ws} */
	SCOPE_PROJECT,          /* {prj} */
	SCOPE_OPERATION,        /* {op}, and through it its project */
	SCOPE_CALLER_WORKSPACE, /* the key's own, or ?workspace= */
};

enum call_audit {
	AUDIT_DENIED_ONLY, /* reads of metadata */
	AUDIT_BEFORE, /* the entry is durable before the handler runs, and the end leaves another */
	AUDIT_BY_HANDLER, /* the handler records, so that it can store meanwhile */
};

struct call_rule {
	control_handler *handler;
	enum access_permission permission;
	enum call_scope scope;
	enum call_audit audit;
	const char *action; /* in the audit log: "workspace.create" */
	/* Of SCOPE_OPERATION: fills request->operation_id and tells its project. 0, STORE_NOT_FOUND
	 * or another outcome. */
	int (*locate)(struct control_request *request, struct uuid *project);
};

extern const struct call_rule call_rules[API_CALLS]; /* calls.c */

/* Copies the message; takes the pipe, also on failure. -ENOMEM. */
int control_request_new(struct control *control, const struct gateway_control_request *in, int pipe,
			struct control_request **request) ATTR_MUST_CHECK;
void control_request_free(struct control_request *request);
/* Overwrites the credential as soon as it is not needed any more. */
void control_request_forget_credential(struct control_request *request);

/* Whether the caller may also do this, in the scope of the request: for calls whose body decides
 * what is asked. */
struct access_decision control_request_decide(const struct control_request *request,
					      enum access_permission permission);
/* Whether the caller's key may touch this project of its workspace. */
bool control_request_reaches(const struct control_request *request, struct uuid project);
/* Answers as a denied call, with its audit entry: for a decision that was not ACCESS_ALLOW. */
void control_request_deny(struct control_request *request, struct access_decision decision);

/* The value of a query parameter or (lower-case) header; data NULL if it was not sent. */
struct text control_request_query(const struct control_request *request, const char *name);
struct text control_request_header(const struct control_request *request, const char *name);

/* The JSON body bound by a table (json/document.h); an absent body counts as {}. 0; 1: the request
 * was answered with the problem. */
int control_request_body(struct control_request *request, struct document_table table, void *out,
			 uint64_t *present) ATTR_MUST_CHECK;
/* Refuses query parameters that are not in the NULL-terminated list. 0; 1: answered. */
int control_request_check_query(struct control_request *request,
				const char *const *known) ATTR_MUST_CHECK;
