/* Where the roles' executables are: beside croftd in a build folder, or in the installed libexec
 * folder. */
#pragma once

#include "proto/roles.h"

#include <stddef.h>

/* The folder, by the place of the running croftd; both layouts are tried. */
int executables_find(char *folder, size_t size) ATTR_MUST_CHECK;
int executables_path(const char *folder, enum role_kind kind, char *path,
		     size_t size) ATTR_MUST_CHECK;
