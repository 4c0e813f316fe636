/* What the issuer role may do: look a name up, connect outwards, and read the system's resolver and
 * certificate files. */
#pragma once

#include "confine/confine.h"

extern const struct confine_powers issuer_powers;
