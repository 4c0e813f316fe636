/* Where the roles' executables are: below croftd's own folder in a build, in libexec where it is
 * installed. */
#pragma once

#include "proto/roles.h"

#include <stddef.h>

/* The folder, by the place of the running croftd, else the one it was built for. */
int executables_find(char *folder, size_t size) ATTR_MUST_CHECK;
int executables_path(const char *folder, enum role_kind kind, char *path,
		     size_t size) ATTR_MUST_CHECK;
