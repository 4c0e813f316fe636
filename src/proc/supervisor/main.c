/* croftd: owns the listening socket, the data folder and the powers; starts one process per role
 * and restarts what dies. It parses its own command line and configuration, and nothing that a
 * client or a tenant wrote. */
#include "base/log.h"
#include "executables.h"
#include "listener.h"
#include "notify.h"
#include "supervisor.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct program {
	struct options options;
	struct data data;
	struct process_context context;
	struct loop *loop;
	struct supervisor *supervisor;
	struct loop_signal child, terminate, interrupt;
	struct loop_timer watchdog;
	char executables[PATH_MAX];
	char address[320];
	int status;
};

static void announce(void *owner)
{
	struct program *program = owner;
	bool tls = options_value(&program->options, "tls.certificate").size > 0;
	printf("croft: ready on %s://%s\n", tls ? "https" : "http", program->address);
	fflush(stdout);
	notify_systemd("READY=1");
}

static void finish(void *owner, int status)
{
	struct program *program = owner;
	program->status = status;
	loop_stop(program->loop);
}

static const struct supervisor_events supervisor_events = {announce, finish};

static void child_ended(struct loop_signal *signal, int number ATTR_UNUSED)
{
	supervisor_reap(container_of(signal, struct program, child)->supervisor);
}

static void stop(struct program *program)
{
	log_info("stopping");
	notify_systemd("STOPPING=1");
	supervisor_stop(program->supervisor);
}

static void terminated(struct loop_signal *signal, int number ATTR_UNUSED)
{
	stop(container_of(signal, struct program, terminate));
}

static void interrupted(struct loop_signal *signal, int number ATTR_UNUSED)
{
	stop(container_of(signal, struct program, interrupt));
}

static int watch_signals(struct program *program)
{
	int r = loop_signal_start(&program->child, program->loop, SIGCHLD, child_ended);
	if (r == 0)
		r = loop_signal_start(&program->terminate, program->loop, SIGTERM, terminated);
	if (r == 0)
		r = loop_signal_start(&program->interrupt, program->loop, SIGINT, interrupted);
	return r;
}

/* As many connections as the host allows; and nothing started from here can gain privileges by
 * executing a file. */
static void prepare_process(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	umask(022);
}

static void tell_watchdog(struct loop_timer *timer ATTR_UNUSED)
{
	notify_systemd("WATCHDOG=1");
}

static int start_watchdog(struct program *program)
{
	uint64_t interval = notify_watchdog_ms();
	if (interval == 0)
		return 0;
	return loop_timer_start(&program->watchdog, program->loop, interval, interval,
				tell_watchdog);
}

/* What the caller has left open by accident would end up in every role. */
static void close_inherited(int listener)
{
	unsigned first = STDERR_FILENO + 1;
	if (listener >= 0) {
		if (close_range(first, (unsigned)listener - 1, 0) < 0)
			log_warning("cannot close inherited descriptors: %s", strerror(errno));
		first = (unsigned)listener + 1;
	}
	if (close_range(first, UINT_MAX, 0) < 0)
		log_warning("cannot close inherited descriptors: %s", strerror(errno));
}

static int open_listener(struct program *program)
{
	char *shown = program->address;
	size_t size = sizeof(program->address);
	if (program->context.listener >= 0)
		return listener_show(program->context.listener, shown, size);
	program->context.listener =
	    listener_open(options_value(&program->options, "listen"), shown, size);
	return program->context.listener < 0 ? program->context.listener : 0;
}

static int set_up(struct program *program)
{
	if (geteuid() != 0) {
		fputs("croftd: needs root: it makes isolated instances and runs each role as a "
		      "user of its own\n",
		      stderr);
		return -1;
	}
	if (executables_find(program->executables, sizeof(program->executables)) < 0) {
		fputs("croftd: cannot find the roles' programs beside croftd or in " CROFT_LIBEXEC
		      "\n",
		      stderr);
		return -1;
	}
	if (data_open(&program->data, program->options.data) < 0 || open_listener(program) < 0)
		return -1;
	program->context.options = &program->options;
	program->context.data = &program->data;
	program->context.executables = program->executables;
	program->context.address = text_of(program->address);
	if (loop_new(&program->loop) < 0 || watch_signals(program) < 0 ||
	    start_watchdog(program) < 0)
		return -1;
	return supervisor_new(&program->supervisor, program->loop, &program->context,
			      &supervisor_events, program);
}

static int serve(struct program *program)
{
	log_open("croftd", (enum log_level)options_number(&program->options, "log.level"));
	prepare_process();
	if (set_up(program) < 0)
		return 1;
	if (supervisor_start(program->supervisor) < 0)
		supervisor_stop(program->supervisor);
	loop_run(program->loop);
	supervisor_free(program->supervisor);
	loop_free(program->loop);
	return program->status;
}

int main(int argc, char **argv)
{
	struct program program = {.status = 1};
	program.context.listener = notify_listener();
	close_inherited(program.context.listener);
	log_open("croftd", LOG_INFO);
	int status = options_read(&program.options, argc, argv);
	if (status == OPTIONS_RUN)
		status = serve(&program);
	else if (status == OPTIONS_DONE)
		status = 0;
	options_free(&program.options);
	return status;
}
