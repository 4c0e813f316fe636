/* Landlock: what of the file system a role may touch, beyond what its user and root already say. */
#pragma once

#include "base/attributes.h"

#include <stdbool.h>

/* Everything below "/" of a role in its own root; or, with `system_files`, only reading of what
 * name resolution and TLS need, and nothing may be written. Executing is denied in both. -ENOSYS or
 * -EOPNOTSUPP where the kernel has no Landlock. */
int landlock_confine(bool system_files) ATTR_MUST_CHECK;
