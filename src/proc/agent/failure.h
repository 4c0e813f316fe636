/* Why a file operation failed: errno to outcome, and a sentence that names the path. */
#pragma once

#include "agent.h"

/* `what`: "open", "rename" and so on; `path` is the tenant's. */
enum outcome failure_of(struct task *task, int error, const char *what, struct text path);

/* Likewise without an errno. */
enum outcome failure_say(struct task *task, enum outcome outcome, const char *format, ...)
    ATTR_PRINTF(3, 4);

/* A path for a sentence: cut, and what is not printable replaced. */
struct failure_path {
	char data[200];
};
struct failure_path failure_path(struct text path);
