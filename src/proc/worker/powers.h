#pragma once

#include "confine/confine.h"

extern const struct confine_powers worker_powers;
