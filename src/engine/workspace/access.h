/* Who may do what: a pure decision over one table of roles and permissions. Control asks it for
 * every call before the call's handler runs; the answer's rule goes into the audit log. Nothing is
 * allowed that no rule allows.
 *
 * A restricted key (its list of projects) reaches those projects alone and nothing of the workspace
 * around them. */
#pragma once

#include "tenant/role.h"

#include <stdint.h>

enum access_permission {
	ACCESS_OPEN,           /* no credential is needed */
	ACCESS_SIGNED_IN,      /* any valid credential */
	ACCESS_INSTALLATION,   /* the installation's administrator alone */
	ACCESS_WORKSPACE_READ, /* name, tier, region; lists show what may be read */
	ACCESS_WORKSPACE_UPDATE,
	ACCESS_WORKSPACE_DELETE,
	ACCESS_MEMBERS_READ,
	ACCESS_MEMBERS_CHANGE,
	ACCESS_KEYS_READ,
	ACCESS_KEYS_CHANGE,
	ACCESS_USAGE_READ,
	ACCESS_PROJECT_LIST, /* a restricted key sees those of its own */
	ACCESS_PROJECT_READ,
	ACCESS_PROJECT_CREATE,
	ACCESS_PROJECT_UPDATE,
	ACCESS_PROJECT_DELETE,
	ACCESS_CONTENT_READ, /* files, events, inputs and results; operations that change nothing */
	ACCESS_CONTENT_CHANGE, /* files, commands, streams; everything that runs or writes */
	ACCESS_AUDIT_READ,
	ACCESS_PERMISSIONS
};

extern const char *const access_permission_names[ACCESS_PERMISSIONS];

enum access_actor { ACCESS_ANONYMOUS, ACCESS_MEMBER, ACCESS_ADMINISTRATOR };

struct access_question {
	enum access_permission permission;
	enum access_actor actor; /* MEMBER: whoever has a valid credential */
	enum tenant_role role;  /* in the workspace that is asked for; TENANT_NO_ROLE: not a member,
				   or there is no such workspace */
	bool restricted;        /* the key is restricted to projects */
	bool project_is_listed; /* and this call is about one of them */
};

enum access_verdict {
	ACCESS_ALLOW,
	ACCESS_DENY_UNAUTHENTICATED, /* 401 */
	ACCESS_DENY_HIDDEN,          /* 404: it must not even be seen that it exists */
	ACCESS_DENY_FORBIDDEN,       /* 403 */
};

struct access_decision {
	enum access_verdict verdict;
	const char *rule; /* stable, for the audit log: "role.developer", "deny.role.viewer", ... */
};

struct access_decision access_decide(const struct access_question *question);
