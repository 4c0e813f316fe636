/* What a file is, as results and preconditions say it. */
#pragma once

#include "base/json.h"
#include "failure.h"

#include <sys/stat.h>

enum { ETAG_SIZE = 64 };

/* Strong: changes with every change of content that the file system's clock can tell (nanoseconds),
 * size or replacement. In quotes, as HTTP writes it. */
void file_etag(const struct stat *status, char etag[ETAG_SIZE]);

/* "file", "directory", "symlink" or "other" */
const char *file_type(const struct stat *status);

int64_t file_modified_ms(const struct stat *status);

/* The members of an entry, into an open object; `name` may be empty for none. */
void file_describe(struct json *json, struct text name, const struct stat *status);

/* `path` as an argument for system calls: NUL-terminated. NULL after having said why it cannot be
 * one. */
const char *file_path(struct task *task, struct text path);

/* If-Match and If-None-Match against what is there (`status` NULL: nothing). OUTCOME_COMPLETED or
 * OUTCOME_PRECONDITION_FAILED. */
enum outcome file_check_match(struct task *task, const struct stat *status);

/* Opens for reading, never waiting for a fifo; refuses all but regular files. The descriptor, or -1
 * with *outcome set. */
int file_open_regular(struct task *task, const char *path, struct stat *status,
		      enum outcome *outcome);
