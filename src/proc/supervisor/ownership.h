/* Who owns a role's folder. The ids of the roles' users differ between machines, and between a
 * build folder and an installation: a data folder that comes from elsewhere is made over to those
 * here. Lives in the supervisor, before the role is started. */
#pragma once

#include "base/attributes.h"

#include <sys/types.h>

/* Gives `directory` and, unless `uid` is root, all in it to `uid` and `gid`, if the directory is
 * not theirs yet. The directory itself is last: what was interrupted is done again. */
int ownership_take(int directory, uid_t uid, gid_t gid) ATTR_MUST_CHECK;
