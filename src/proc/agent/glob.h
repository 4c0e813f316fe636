/* Globs over paths: `*` and `?` stay within a name, `**` crosses folders, `[a-z]` and `[!a-z]`,
 * backslash takes the next character as it is. The time is bounded by pattern times path, whatever
 * the pattern. */
#pragma once

#include "base/text.h"

enum { GLOB_LIMIT = 4096 };

bool glob_match(struct text pattern,
		struct text path); /* false for patterns longer than GLOB_LIMIT */
