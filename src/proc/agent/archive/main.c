/* croft-archive: report.h says how the agent uses it. */
#include "archive.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The agent is the only one who listens; without it there is nothing left to do. */
static void report_send(struct archive_report *report, enum archive_report_kind kind)
{
	report->kind = kind;
	if (write(ARCHIVE_REPORT_FD, report, sizeof(*report)) != (ssize_t)sizeof(*report))
		_exit(1);
}

static bool may_commit(void)
{
	char word;
	return read(ARCHIVE_REPORT_FD, &word, 1) == 1;
}

static int import_failed(struct staging *staging, struct archive_report *report)
{
	staging_close(staging);
	report_send(report, ARCHIVE_FAILED);
	return 1;
}

static int run_import(const char *folder, const struct archive_format *format)
{
	static struct archive_report report;
	struct staging staging;
	char blocked[256] = "";
	int r = staging_open(&staging, folder);
	if (r < 0) {
		archive_fail(&report, -r, "cannot unpack into it: %s", strerror(-r));
		report_send(&report, ARCHIVE_FAILED);
		return 1;
	}
	if (archive_unpack(&staging, format, &report) < 0)
		return import_failed(&staging, &report);
	report_send(&report, ARCHIVE_UNPACKED);
	if (!may_commit()) {
		staging_close(&staging);
		return 1;
	}
	r = staging_commit(&staging, blocked, sizeof(blocked));
	if (r < 0) {
		archive_fail(&report, -r, "what is there is in the way of \"%.200s\": %s", blocked,
			     strerror(-r));
		return import_failed(&staging, &report);
	}
	staging_close(&staging);
	report_send(&report, ARCHIVE_DONE);
	return 0;
}

static int run_export(const char *path, const struct archive_format *format)
{
	static struct archive_report report;
	int r = archive_pack(path, format, &report);
	report_send(&report, r < 0 ? ARCHIVE_FAILED : ARCHIVE_DONE);
	return r < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct archive_format *format = argc > 3 ? archive_format_find(argv[3]) : NULL;
	setlocale(LC_ALL, "C.UTF-8"); /* names of entries are UTF-8 */
	signal(SIGPIPE, SIG_IGN);
	if (argc >= 3 && argc <= 4 && strcmp(argv[1], "import") == 0 && (argc == 3 || format))
		return run_import(argv[2], format);
	if (argc == 4 && strcmp(argv[1], "export") == 0 && format)
		return run_export(argv[2], format);
	fputs("croft-archive is started by the agent of an instance\n", stderr);
	return 2;
}
