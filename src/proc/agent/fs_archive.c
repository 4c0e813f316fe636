/* fs.import and fs.export: croft-archive does the work in a process of its own (archive/report.h).
 */
#include "archive/report.h"
#include "failure.h"
#include "file_info.h"
#include "operations.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct archiver {
	pid_t pid;
	int reports;
};

static const char *const formats[] = {"tar", "tar.gz", "tar.zst", "zip"};

/* ---- the process ---- */

/* `stream` becomes standard input or output, as `number` says. */
ATTR_NORETURN static void become(int executable, const char *const *argv, int stream, int number,
				 int reports)
{
	static const char *const environment[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int kept = fcntl(reports, F_DUPFD_CLOEXEC, ARCHIVE_REPORT_FD + 1);
	int program = fcntl(executable, F_DUPFD_CLOEXEC, ARCHIVE_REPORT_FD + 1);
	if (kept < 0 || program < 0 || dup2(stream, number) < 0 ||
	    dup2(kept, ARCHIVE_REPORT_FD) < 0)
		_exit(126);
	fexecve(program, (char *const *)argv, (char *const *)environment);
	_exit(127);
}

static int archiver_start(struct archiver *archiver, int executable, const char *const *argv,
			  int stream, int number)
{
	int pair[2];
	if (executable < 0)
		return -ENOSYS;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	archiver->pid = fork();
	if (archiver->pid == 0)
		become(executable, argv, stream, number, pair[1]);
	close(pair[1]);
	archiver->reports = pair[0];
	if (archiver->pid > 0)
		return 0;
	close(pair[0]);
	return -errno;
}

static void archiver_end(struct archiver *archiver)
{
	close(archiver->reports);
	waitpid(archiver->pid, NULL, 0);
}

static bool receive(const struct archiver *archiver, struct archive_report *report)
{
	ssize_t n;
	do
		n = read(archiver->reports, report, sizeof(*report));
	while (n < 0 && errno == EINTR);
	report->message[sizeof(report->message) - 1] = '\0';
	return n == (ssize_t)sizeof(*report);
}

static enum outcome fail(struct task *task, const struct archive_report *report)
{
	enum outcome outcome = OUTCOME_INVALID_INPUT;
	if (report->error == EPIPE)
		return failure_say(task, OUTCOME_CANCELLED, "the client is gone");
	if (report->error != 0)
		outcome = failure_of(task, report->error, "use", task->input.path);
	return failure_say(task, outcome, "%s", report->message);
}

static enum outcome lost(struct task *task)
{
	return failure_say(task, OUTCOME_INTERNAL, "the process that did it died");
}

/* ---- what was asked for ---- */

/* The name for croft-archive; NULL after having said why there is none. "" where it may find out.
 */
static const char *format_of(struct task *task, const char *missing)
{
	if (task->input.format.size == 0)
		return missing;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (text_equal(task->input.format, text_of(formats[i])))
			return formats[i];
	failure_say(task, OUTCOME_INVALID_INPUT, "\"format\" must be tar, tar.gz, tar.zst or zip");
	return NULL;
}

static const char *path_of(struct task *task)
{
	if (task->input.path.size == 0)
		task->input.path = TEXT("/project");
	return file_path(task, task->input.path);
}

static void write_result(struct task *task, const struct archive_report *report)
{
	struct json json = json_to(&task->result);
	json_object(&json);
	json_key(&json, "path");
	json_text(&json, task->input.path);
	json_key(&json, "entries");
	json_u64(&json, report->entries);
	json_key(&json, "contentBytes");
	json_u64(&json, report->content_bytes);
	json_key(&json, "archiveBytes");
	json_u64(&json, report->archive_bytes);
	json_object_end(&json);
}

/* ---- fs.import ---- */

/* The archive as a descriptor: the pipe, or what came with the input. */
static int open_input(struct task *task)
{
	if (task->direction == BODY_IN)
		return fcntl(task->body, F_DUPFD_CLOEXEC, 0);
	int fd = memfd_create("archive", MFD_CLOEXEC);
	struct bytes content = task->input.content;
	if (fd >= 0 && (write(fd, content.data, content.size) != (ssize_t)content.size ||
			lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool is_whole(struct task *task, const struct archive_report *report)
{
	uint64_t sent;
	if (task->direction != BODY_IN)
		return true;
	return task_body_is_whole(task, &sent) && sent == report->archive_bytes;
}

static enum outcome import(struct task *task, const struct archiver *archiver)
{
	struct archive_report report;
	if (!receive(archiver, &report))
		return lost(task);
	if (report.kind == ARCHIVE_UNPACKED && !is_whole(task, &report))
		return failure_say(task, OUTCOME_CANCELLED,
				   "the upload was broken off; nothing was changed");
	if (report.kind == ARCHIVE_UNPACKED &&
	    (write(archiver->reports, "", 1) != 1 || !receive(archiver, &report)))
		return lost(task);
	if (report.kind != ARCHIVE_DONE)
		return fail(task, &report);
	task->written_bytes = report.content_bytes;
	write_result(task, &report);
	return OUTCOME_COMPLETED;
}

static enum outcome run_import(struct task *task)
{
	struct archiver archiver;
	const char *path = path_of(task), *format = format_of(task, "");
	if (!path || !format)
		return OUTCOME_INVALID_INPUT;
	int error = task->input.parents ? fs_make_parents(path) : 0;
	if (error)
		return failure_of(task, error, "make the folder of", task->input.path);
	const char *argv[] = {"croft-archive", "import", path, *format ? format : NULL, NULL};
	int input = open_input(task);
	int r = input < 0
		    ? -errno
		    : archiver_start(&archiver, task->agent->archiver, argv, input, STDIN_FILENO);
	close(input);
	if (task->body >= 0)
		close(task->body); /* only croft-archive reads it: if it dies, the sender shall know
				    */
	task->body = -1;
	if (r < 0)
		return failure_of(task, -r, "unpack into", task->input.path);
	enum outcome outcome = import(task, &archiver);
	archiver_end(&archiver);
	return outcome;
}

/* ---- fs.export ---- */

static enum outcome export(struct task *task, const struct archiver *archiver) {
	struct archive_report report; if (!receive(archiver, &report)) return lost(task);
	if (report.kind != ARCHIVE_DONE) return fail(task, &report);
	write_result(task, &report);
	return OUTCOME_COMPLETED;
}

/* Nothing but bytes can be said once the first have left: what can be found out before is. */
static enum outcome check_source(struct task *task, const char *path)
{
	struct stat status;
	if (stat(path, &status) < 0 || access(path, R_OK) < 0)
		return failure_of(task, errno, "pack", task->input.path);
	if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
		return failure_say(task, OUTCOME_INVALID_INPUT,
				   "only folders and regular files can be packed");
	return OUTCOME_COMPLETED;
}

static enum outcome run_export(struct task *task)
{
	struct archiver archiver;
	struct worker_agent_opened opened = {.operation = task->id};
	const char *path = path_of(task), *format = format_of(task, "tar.gz");
	if (!path || !format)
		return OUTCOME_INVALID_INPUT;
	if (task->direction != BODY_OUT)
		return failure_say(task, OUTCOME_INVALID_INPUT,
				   "an archive is read with GET /v1/projects/{prj}/archive");
	enum outcome outcome = check_source(task, path);
	if (outcome != OUTCOME_COMPLETED)
		return outcome;
	task_opened(task, &opened);
	if (link_flush(task->up) < 0)
		return OUTCOME_INTERNAL;
	const char *argv[] = {"croft-archive", "export", path, format, NULL};
	int r = archiver_start(&archiver, task->agent->archiver, argv, task->body, STDOUT_FILENO);
	close(task->body);
	task->body = -1;
	if (r < 0)
		return failure_of(task, -r, "pack", task->input.path);
	outcome = export(task, &archiver);
	archiver_end(&archiver);
	return outcome;
}

static bool always(struct task *task ATTR_UNUSED)
{
	return true;
}

const struct agent_operation fs_import_operation = {.run = run_import, .is_long = always};
const struct agent_operation fs_export_operation = {.run = run_export, .is_long = always};
