/* Results that come one by one, as JSON objects, one a line, in chunks of the stream `result`. For
 * operations in a child. */
#pragma once

#include "agent.h"
#include "base/json.h"

struct result_lines {
	struct task *task;
	struct buffer pending;
};

/* Begins an object of a line; the caller writes members and calls result_lines_end(). */
struct json result_lines_begin(struct result_lines *lines);
int result_lines_end(struct result_lines *lines,
		     struct json *json) ATTR_MUST_CHECK; /* 0 or -errno */
int result_lines_flush(struct result_lines *lines)
    ATTR_MUST_CHECK; /* waits until the agent has taken them */

/* A name or a line of the tenant's as JSON: what is not UTF-8 is shown with question marks. */
void result_lines_text(struct json *json, const char *key, struct text text);
