/* Which addresses a key set may be fetched from: https anywhere; http on the loopback alone, where
 * nobody can stand between. */
#pragma once

#include "base/text.h"

/* `url` ends with NUL. */
bool url_is_allowed(const char *url);
