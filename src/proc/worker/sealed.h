/* A copy of an executable in memory that nobody can change any more. */
#pragma once

#include "base/attributes.h"

int sealed_copy(const char *path, const char *name, int *fd) ATTR_MUST_CHECK;
