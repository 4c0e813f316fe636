/* The contract (api/openapi.yaml) as JSON, put into the executable when it is built. */
#pragma once

#include "base/text.h"

extern const struct bytes openapi_document;
