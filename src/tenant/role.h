/* The roles that a person or an API key may hold in a workspace. What each may do is decided in
 * engine/workspace/access.h. */
#pragma once

#include "base/text.h"

enum tenant_role {
	TENANT_NO_ROLE,
	TENANT_AUDITOR,
	TENANT_VIEWER,
	TENANT_DEVELOPER,
	TENANT_ADMIN,
	TENANT_OWNER,
	TENANT_ROLES
};

extern const char *const tenant_role_names[TENANT_ROLES];
int tenant_role_parse(struct text name,
		      enum tenant_role *role); /* 1 if it is none that can be given */

/* True if who holds `holder` may hand out `given`. Roles are a ladder but for the auditor, who
 * stands beside it: only owners and admins, who see the audit log themselves, make auditors. */
bool tenant_role_may_give(enum tenant_role holder, enum tenant_role given);
