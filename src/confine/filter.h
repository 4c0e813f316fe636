/* System call filters of the roles. A call that is not allowed ends the process, after a line in
 * the log that names it. */
#pragma once

#include "base/attributes.h"

/* The set that every role needs and `names` (NULL-terminated; NULL for none); everything else is
 * out. */
int filter_allow(const char *const *names) ATTR_MUST_CHECK;

/* For the worker, whose filter its instances inherit beneath their own: only what touches the host
 * as a whole is out. */
int filter_deny_host(void) ATTR_MUST_CHECK;
