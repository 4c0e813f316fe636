#include "archive.h"

#include <stdarg.h>
#include <stdio.h>

static const struct archive_format formats[] = {
    {"tar", archive_read_support_format_tar, archive_read_support_filter_none,
     archive_write_set_format_pax_restricted, archive_write_add_filter_none},
    {"tar.gz", archive_read_support_format_tar, archive_read_support_filter_gzip,
     archive_write_set_format_pax_restricted, archive_write_add_filter_gzip},
    {"tar.zst", archive_read_support_format_tar, archive_read_support_filter_zstd,
     archive_write_set_format_pax_restricted, archive_write_add_filter_zstd},
    {"zip", archive_read_support_format_zip_seekable, archive_read_support_filter_none,
     archive_write_set_format_zip, archive_write_add_filter_none},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct archive_format *archive_format_find(const char *name)
{
	for (const struct archive_format *format = formats; format->name; format++)
		if (text_equal(text_of(name), text_of(format->name)))
			return format;
	return NULL;
}

int archive_fail(struct archive_report *report, int error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	report->kind = ARCHIVE_FAILED;
	report->error = error;
	vsnprintf(report->message, sizeof(report->message), format, args);
	va_end(args);
	return -1;
}
