/* What the gateway may do (confine/confine.h): talk through the sockets that it was given or has
 * accepted, and nothing else. */
#pragma once

#include "confine/confine.h"

extern const struct confine_powers gateway_powers;
