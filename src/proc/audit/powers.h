/* What the audit role may do: keep files in its own directory. */
#pragma once

#include "confine/confine.h"

extern const struct confine_powers audit_powers;
