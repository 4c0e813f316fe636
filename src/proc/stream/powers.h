/* What the stream role may do. */
#pragma once

#include "confine/confine.h"

extern const struct confine_powers stream_powers;
