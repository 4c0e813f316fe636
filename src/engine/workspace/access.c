#include "engine/workspace/access.h"

const char *const access_permission_names[ACCESS_PERMISSIONS] = {
    [ACCESS_OPEN] = "open",
    [ACCESS_SIGNED_IN] = "signed_in",
    [ACCESS_INSTALLATION] = "installation",
    [ACCESS_WORKSPACE_READ] = "workspace.read",
    [ACCESS_WORKSPACE_UPDATE] = "workspace.update",
    [ACCESS_WORKSPACE_DELETE] = "workspace.delete",
    [ACCESS_MEMBERS_READ] = "members.read",
    [ACCESS_MEMBERS_CHANGE] = "members.change",
    [ACCESS_KEYS_READ] = "keys.read",
    [ACCESS_KEYS_CHANGE] = "keys.change",
    [ACCESS_USAGE_READ] = "usage.read",
    [ACCESS_PROJECT_LIST] = "project.list",
    [ACCESS_PROJECT_READ] = "project.read",
    [ACCESS_PROJECT_CREATE] = "project.create",
    [ACCESS_PROJECT_UPDATE] = "project.update",
    [ACCESS_PROJECT_DELETE] = "project.delete",
    [ACCESS_CONTENT_READ] = "content.read",
    [ACCESS_CONTENT_CHANGE] = "content.change",
    [ACCESS_AUDIT_READ] = "audit.read",
};

#define ROLE(role) (1u << (role))
enum {
	AUDITOR = ROLE(TENANT_AUDITOR),
	VIEWER = ROLE(TENANT_VIEWER),
	DEVELOPER = ROLE(TENANT_DEVELOPER),
	ADMIN = ROLE(TENANT_ADMIN),
	OWNER = ROLE(TENANT_OWNER),
};

/* How far a key that is restricted to projects has a permission. */
enum access_reach { REACH_NOT_AT_ALL, REACH_ITS_PROJECTS, REACH_FILTERED };

struct access_row {
	unsigned roles;
	enum access_reach restricted;
};

static const struct access_row rows[ACCESS_PERMISSIONS] = {
    [ACCESS_WORKSPACE_READ] = {AUDITOR | VIEWER | DEVELOPER | ADMIN | OWNER},
    [ACCESS_WORKSPACE_UPDATE] = {ADMIN | OWNER},
    [ACCESS_WORKSPACE_DELETE] = {OWNER},
    [ACCESS_MEMBERS_READ] = {AUDITOR | ADMIN | OWNER},
    [ACCESS_MEMBERS_CHANGE] = {ADMIN | OWNER},
    [ACCESS_KEYS_READ] = {AUDITOR | ADMIN | OWNER},
    [ACCESS_KEYS_CHANGE] = {ADMIN | OWNER},
    [ACCESS_USAGE_READ] = {AUDITOR | DEVELOPER | ADMIN | OWNER},
    [ACCESS_PROJECT_LIST] = {AUDITOR | VIEWER | DEVELOPER | ADMIN | OWNER, REACH_FILTERED},
    [ACCESS_PROJECT_READ] = {AUDITOR | VIEWER | DEVELOPER | ADMIN | OWNER, REACH_ITS_PROJECTS},
    [ACCESS_PROJECT_CREATE] = {DEVELOPER | ADMIN | OWNER},
    [ACCESS_PROJECT_UPDATE] = {DEVELOPER | ADMIN | OWNER, REACH_ITS_PROJECTS},
    [ACCESS_PROJECT_DELETE] = {ADMIN | OWNER},
    [ACCESS_CONTENT_READ] = {VIEWER | DEVELOPER | ADMIN | OWNER, REACH_ITS_PROJECTS},
    [ACCESS_CONTENT_CHANGE] = {DEVELOPER | ADMIN | OWNER, REACH_ITS_PROJECTS},
    [ACCESS_AUDIT_READ] = {AUDITOR | ADMIN | OWNER},
};

static const char *const allow_rules[TENANT_ROLES] = {
    [TENANT_AUDITOR] = "role.auditor",     [TENANT_VIEWER] = "role.viewer",
    [TENANT_DEVELOPER] = "role.developer", [TENANT_ADMIN] = "role.admin",
    [TENANT_OWNER] = "role.owner",
};

static const char *const deny_rules[TENANT_ROLES] = {
    [TENANT_AUDITOR] = "deny.role.auditor",     [TENANT_VIEWER] = "deny.role.viewer",
    [TENANT_DEVELOPER] = "deny.role.developer", [TENANT_ADMIN] = "deny.role.admin",
    [TENANT_OWNER] = "deny.role.owner",
};

static struct access_decision decide_member(const struct access_question *question)
{
	const struct access_row *row = &rows[question->permission];
	if (question->role == TENANT_NO_ROLE)
		return (struct access_decision){ACCESS_DENY_HIDDEN, "deny.not_member"};
	if (question->restricted && row->restricted == REACH_ITS_PROJECTS &&
	    !question->project_is_listed)
		return (struct access_decision){ACCESS_DENY_HIDDEN, "deny.key_projects"};
	if (question->restricted && row->restricted == REACH_NOT_AT_ALL)
		return (struct access_decision){ACCESS_DENY_FORBIDDEN, "deny.key_projects"};
	if (!(row->roles & ROLE(question->role)))
		return (struct access_decision){ACCESS_DENY_FORBIDDEN, deny_rules[question->role]};
	return (struct access_decision){ACCESS_ALLOW, allow_rules[question->role]};
}

struct access_decision access_decide(const struct access_question *question)
{
	if (question->permission == ACCESS_OPEN)
		return (struct access_decision){ACCESS_ALLOW, "open"};
	if (question->actor == ACCESS_ANONYMOUS)
		return (struct access_decision){ACCESS_DENY_UNAUTHENTICATED,
						"deny.unauthenticated"};
	if (question->actor == ACCESS_ADMINISTRATOR)
		return (struct access_decision){ACCESS_ALLOW, "administrator"};
	if (question->permission == ACCESS_SIGNED_IN)
		return (struct access_decision){ACCESS_ALLOW, "signed_in"};
	if (question->permission == ACCESS_INSTALLATION)
		return (struct access_decision){ACCESS_DENY_FORBIDDEN, "deny.not_administrator"};
	return decide_member(question);
}
