/* What the control role may do at all. */
#pragma once

#include "confine/confine.h"

extern const struct confine_powers control_powers;
