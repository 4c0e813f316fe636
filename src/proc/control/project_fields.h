/* The body of a project's creation and update, checked and made into a row. */
#pragma once

#include "proc/control/request.h"

enum {
	PROJECT_ENV_NAME_LIMIT = 255,
	PROJECT_ENV_BYTES_LIMIT = 256 << 10, /* of the whole environment as JSON */
	PROJECT_POLICY_BYTES_LIMIT = 16 << 10,
};

/* Overwrites the members of `row` that the body names. `creating`: the name is required. 0; 1: the
 * request was answered. */
int project_read_fields(struct control_request *request, bool creating,
			struct store_project *row) ATTR_MUST_CHECK;
