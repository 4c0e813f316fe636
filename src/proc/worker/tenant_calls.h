/* The system calls that are allowed inside instances whatever their arguments are, by name. The
 * instances' filter is made of them (walls.c), and so is the worker's own, which they inherit
 * (powers.c). Families and reasons: docs/seccomp.md. */
#pragma once

#include "base/attributes.h"

#include <stddef.h>

extern const char *const tenant_calls[]; /* NULL-terminated */
extern const size_t n_tenant_calls;
