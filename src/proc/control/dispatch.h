/* The way of a request to its handler (request.h has the picture). */
#pragma once

#include "proc/control/request.h"

void dispatch_begin(struct control_request *request);
