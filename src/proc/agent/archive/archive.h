/* The two jobs of croft-archive. Each fills the report and returns 0, or -1 with the report's error
 * and message set. */
#pragma once

#include "base/text.h"
#include "report.h"
#include "staging.h"

#include <archive.h>

/* One name of the API's `format`: which container and which compression. */
struct archive_format {
	const char *name;
	int (*read_container)(struct archive *);
	int (*read_compression)(struct archive *);
	int (*write_container)(struct archive *);
	int (*write_compression)(struct archive *);
};

/* NULL: there is no such format. */
const struct archive_format *archive_format_find(const char *name);

/* `format` NULL: found out. Reads standard input to its end. */
int archive_unpack(struct staging *staging, const struct archive_format *format,
		   struct archive_report *report);

/* A folder's content, or the one file, to standard output. */
int archive_pack(const char *path, const struct archive_format *format,
		 struct archive_report *report);

/* -1, for the caller to return. `error` 0: the archive is to blame. */
int archive_fail(struct archive_report *report, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
