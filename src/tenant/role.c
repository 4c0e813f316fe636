#include "tenant/role.h"

const char *const tenant_role_names[TENANT_ROLES] = {
    [TENANT_NO_ROLE] = "none",        [TENANT_AUDITOR] = "auditor", [TENANT_VIEWER] = "viewer",
    [TENANT_DEVELOPER] = "developer", [TENANT_ADMIN] = "admin",     [TENANT_OWNER] = "owner",
};

int tenant_role_parse(struct text name, enum tenant_role *role)
{
	for (int i = TENANT_NO_ROLE + 1; i < TENANT_ROLES; i++) {
		if (text_equal(name, text_of(tenant_role_names[i]))) {
			*role = (enum tenant_role)i;
			return 0;
		}
	}
	return 1;
}

bool tenant_role_may_give(enum tenant_role holder, enum tenant_role given)
{
	return holder >= TENANT_ADMIN && given != TENANT_NO_ROLE && given <= holder;
}
