/* What an operation needs beyond its call's permission: the right to change, where it changes
 * something, and the project's policy. */
#pragma once

#include "proc/control/request.h"
#include "proto/operation.h"

int operation_check_right(struct control_request *request,
			  enum operation_kind kind) ATTR_MUST_CHECK; /* 0; 1: answered */
