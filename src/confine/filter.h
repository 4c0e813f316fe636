/* System call filters of the roles: what is not allowed is out. */
#pragma once

#include "base/attributes.h"

/* The set that every role needs and both lists (NULL-terminated; NULL for none). Everything else
 * ends the process, after a line in the log that names it. With `tenants` everything else answers
 * ENOSYS: programs that inherit the filter know nothing of it, and fall back. */
int filter_allow(const char *const *names, const char *const *tenants) ATTR_MUST_CHECK;
