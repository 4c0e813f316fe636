#include "command.h"

#include "base/json.h"
#include "failure.h"
#include "file_info.h"
#include "operations.h"
#include "spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum {
	READ_SIZE = EVENT_CHUNK_LIMIT - 4, /* and what was held back of a character */
	PIPE_WIDE = 256 << 10,
	MUCH = 32 << 10, /* at once: a command that prints like this gets a wide pipe */
	QUIET_MS = 100,  /* of pipes that grandchildren keep open, once the command has ended */
	INPUT_LIMIT = 8 << 20, /* that the command has not read yet */
	CARRY_MAX = 3,
};

struct command;

/* A pipe (or a terminal) that the command prints to. */
struct outlet {
	struct source source;
	struct command *command;
	enum event_stream stream;
	uint8_t carry[CARRY_MAX]; /* the beginning of a character whose end has not come */
	size_t n_carry;
	bool is_wide;
};

struct command {
	struct task *task;
	pid_t pid;
	struct outlet outlets[2]; /* a terminal uses the first */
	size_t n_open;
	struct source
	    inlet; /* standard input, -1 when closed; a terminal's is the outlet's descriptor */
	struct buffer input;
	bool input_ends;
	bool has_terminal;
	bool has_ended;
	bool we_killed;
	int status;
};

/* ---- output ---- */

static void close_source(struct agent *agent, struct source *source)
{
	if (source->fd < 0)
		return;
	source_remove(agent, source);
	close(source->fd);
	source->fd = -1;
}

static void close_outlet(struct outlet *outlet)
{
	struct task *task = outlet->command->task;
	if (outlet->source.fd < 0)
		return;
	if (outlet->n_carry)
		task_output(task, outlet->stream, (struct bytes){outlet->carry, outlet->n_carry});
	outlet->n_carry = 0;
	close_source(task->agent, &outlet->source);
	outlet->command->n_open--;
}

static void finish(struct command *command);

static void finish_if_over(struct command *command)
{
	if (command->has_ended && command->n_open == 0)
		finish(command);
}

/* Sends what is whole characters, keeps the rest. */
static void print(struct outlet *outlet, uint8_t *data, size_t size)
{
	size_t tail = text_utf8_tail((struct text){(char *)data, size});
	if (size > tail)
		task_output(outlet->command->task, outlet->stream,
			    (struct bytes){data, size - tail});
	memcpy(outlet->carry, data + size - tail, tail);
	outlet->n_carry = tail;
}

static void quiet(struct task *task)
{
	struct command *command = task->own;
	if (task->credit <= 0) { /* nobody has looked whether more is there */
		task_set_due(task, QUIET_MS, quiet);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(command->outlets); i++)
		close_outlet(&command->outlets[i]);
	finish_if_over(command);
}

/* So that a command that prints much waits less for us. Refused beyond the tenant's share of the
 * kernel's memory: then it stays as it is. */
static void widen(struct outlet *outlet)
{
	outlet->is_wide = true;
	if (!outlet->command->has_terminal)
		fcntl(outlet->source.fd, F_SETPIPE_SZ, PIPE_WIDE);
}

static void outlet_ready(struct source *source, uint32_t events ATTR_UNUSED)
{
	struct outlet *outlet = container_of(source, struct outlet, source);
	struct command *command = outlet->command;
	struct task *task = command->task;
	uint8_t data[CARRY_MAX + READ_SIZE];
	memcpy(data, outlet->carry, outlet->n_carry);
	ssize_t n = read(source->fd, data + outlet->n_carry, READ_SIZE);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* a terminal without processes gives EIO */
		close_outlet(outlet);
		finish_if_over(command);
		return;
	}
	if (n >= MUCH && !outlet->is_wide)
		widen(outlet);
	print(outlet, data, outlet->n_carry + (size_t)n);
	if (command->has_ended)
		task_set_due(task, QUIET_MS, quiet);
	if (task->credit <= 0)
		for (size_t i = 0; i < ARRAY_SIZE(command->outlets); i++)
			source_remove(task->agent, &command->outlets[i].source);
}

static void command_credit(struct task *task)
{
	struct command *command = task->own;
	for (size_t i = 0; i < ARRAY_SIZE(command->outlets); i++) {
		struct source *source = &command->outlets[i].source;
		if (source->fd >= 0 && !source->is_added &&
		    source_add(task->agent, source, EPOLLIN) < 0)
			close_outlet(&command->outlets[i]);
	}
}

/* ---- input ---- */

static int inlet_fd(const struct command *command)
{
	return command->has_terminal ? command->outlets[0].source.fd : command->inlet.fd;
}

static void write_input(struct command *command)
{
	while (command->input.size > 0 && inlet_fd(command) >= 0) {
		ssize_t n = write(inlet_fd(command), command->input.data, command->input.size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) { /* nobody reads any more */
			buffer_clear(&command->input);
			close_source(command->task->agent, &command->inlet);
			return;
		}
		buffer_drop_front(&command->input, (size_t)n);
	}
	buffer_free(&command->input);
	if (!command->has_terminal && command->input_ends)
		close_source(command->task->agent, &command->inlet);
}

static void inlet_ready(struct source *source, uint32_t events ATTR_UNUSED)
{
	struct command *command = container_of(source, struct command, inlet);
	write_input(command);
	if (command->inlet.fd >= 0 && command->input.size == 0)
		source_remove(command->task->agent, &command->inlet);
}

static void queue_input(struct command *command, struct bytes data, bool ends)
{
	static const uint8_t end_of_file = 4; /* what a terminal takes for the end */
	command->input.limit = INPUT_LIMIT;
	buffer_append(&command->input, data.data, data.size);
	command->input_ends = command->input_ends || ends;
	if (ends && command->has_terminal)
		buffer_append_byte(&command->input, end_of_file);
	write_input(command);
	if (command->inlet.fd >= 0 && command->input.size > 0 && !command->inlet.is_added &&
	    source_add(command->task->agent, &command->inlet, EPOLLOUT) < 0)
		close_source(command->task->agent, &command->inlet);
}

static void command_input(struct task *task, const struct worker_agent_input *input)
{
	struct command *command = task->own;
	queue_input(command, input->data, input->eof);
}

/* ---- signals ---- */

static pid_t session_of(const char *pid)
{
	char path[64], line[512];
	int session = 0;
	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	char *end = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	if (end && sscanf(end + 1, " %*c %*d %*d %d", &session) != 1)
		session = 0;
	fclose(file);
	return session;
}

/* All processes of the command's session: also those that made groups of their own. */
static void signal_session(pid_t session, int number)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	while (processes && (entry = readdir(processes))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 1 && session_of(entry->d_name) == session)
			kill(pid, number);
	}
	if (processes)
		closedir(processes);
	kill(-session, number);
}

static void command_signal(struct task *task, uint8_t number)
{
	struct command *command = task->own;
	pid_t group = command->pid;
	if (command->has_ended || number == 0 || number >= _NSIG)
		return;
	if (command->has_terminal) { /* to whom the terminal's own keys would send it */
		pid_t foreground = tcgetpgrp(command->outlets[0].source.fd);
		group = foreground > 1 ? foreground : group;
	}
	command->we_killed = command->we_killed || number == SIGKILL;
	kill(-group, number);
}

static void kill_now(struct task *task)
{
	struct command *command = task->own;
	command->we_killed = true;
	signal_session(command->pid, SIGKILL);
}

static void command_cancel(struct task *task, const struct worker_agent_cancel *cancel)
{
	struct command *command = task->own;
	task->ending = (enum outcome)cancel->outcome;
	if (command->has_ended) {
		task_set_due(task, 0, quiet);
		return;
	}
	signal_session(command->pid, SIGTERM);
	task_set_due(task, cancel->kill_after_ms, kill_now);
}

static void command_resize(struct task *task, uint16_t cols, uint16_t rows)
{
	struct command *command = task->own;
	struct winsize size = {.ws_col = cols, .ws_row = rows};
	if (command->has_terminal && command->outlets[0].source.fd >= 0)
		ioctl(command->outlets[0].source.fd, TIOCSWINSZ, &size);
}

/* ---- the end ---- */

struct signal_name {
	int number;
	const char *name;
};

static const struct signal_name signal_names[] = {
    {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},
    {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
    {SIGKILL, "SIGKILL"}, {SIGUSR1, "SIGUSR1"}, {SIGSEGV, "SIGSEGV"}, {SIGUSR2, "SIGUSR2"},
    {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"}, {SIGXCPU, "SIGXCPU"},
    {SIGXFSZ, "SIGXFSZ"}, {SIGSYS, "SIGSYS"},
};

static void write_result(struct buffer *out, int status)
{
	struct json json = json_to(out);
	char other[32];
	json_object(&json);
	if (WIFEXITED(status)) {
		json_key(&json, "exitCode");
		json_u64(&json, (uint64_t)WEXITSTATUS(status));
	} else {
		const char *name = other;
		snprintf(other, sizeof(other), "SIG%d", WTERMSIG(status));
		for (size_t i = 0; i < ARRAY_SIZE(signal_names); i++)
			if (signal_names[i].number == WTERMSIG(status))
				name = signal_names[i].name;
		json_key(&json, "signal");
		json_cstring(&json, name);
	}
	json_object_end(&json);
}

static void finish(struct command *command)
{
	struct task *task = command->task;
	write_result(&task->result, command->status);
	task->killed = WIFSIGNALED(command->status) && WTERMSIG(command->status) == SIGKILL &&
		       !command->we_killed;
	task_finish(task, OUTCOME_COMPLETED);
}

static void command_ended(struct command *command, int status, const struct rusage *usage)
{
	struct task *task = command->task;
	command->has_ended = true;
	command->status = status;
	task->cpu_us =
	    (uint64_t)usage->ru_utime.tv_sec * 1000000 + (uint64_t)usage->ru_utime.tv_usec +
	    (uint64_t)usage->ru_stime.tv_sec * 1000000 + (uint64_t)usage->ru_stime.tv_usec;
	task->memory_peak_bytes = (uint64_t)usage->ru_maxrss * 1024;
	task_set_due(task, QUIET_MS, quiet);
	finish_if_over(command);
}

static void command_free(struct task *task)
{
	struct command *command = task->own;
	for (size_t i = 0; i < ARRAY_SIZE(command->outlets); i++)
		close_source(task->agent, &command->outlets[i].source);
	close_source(task->agent, &command->inlet);
	buffer_free(&command->input);
	free(command);
}

void command_reaped(struct agent *agent, pid_t pid, int status, const struct rusage *usage)
{
	map_for_each (node, &agent->tasks) {
		struct task *task = container_of(node, struct task, node);
		struct command *command = task->own;
		if (task->operation == &command_run_operation && command && command->pid == pid) {
			command_ended(command, status, usage);
			return;
		}
	}
	for (size_t i = 0; i < agent->background; i++) {
		if (agent->background_pids[i] == pid) {
			agent->background_pids[i] = agent->background_pids[--agent->background];
			return;
		}
	}
}

/* ---- the start ---- */

static void watch_outlet(struct command *command, size_t index, int fd, enum event_stream stream)
{
	command->outlets[index] = (struct outlet){
	    .source = {.fd = fd, .ready = outlet_ready}, .command = command, .stream = stream};
	command->n_open++;
}

static int open_terminal(struct command *command, struct spawn *spawn, char slave[64])
{
	struct winsize size = {.ws_col = command->task->input.cols ? command->task->input.cols : 80,
			       .ws_row =
				   command->task->input.rows ? command->task->input.rows : 24};
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK), number, unlock = 0;
	if (fd < 0)
		return -errno;
	command->has_terminal = true;
	watch_outlet(command, 0, fd, EVENT_PTY);
	if (ioctl(fd, TIOCSPTLCK, &unlock) < 0 || ioctl(fd, TIOCGPTN, &number) < 0 ||
	    ioctl(fd, TIOCSWINSZ, &size) < 0)
		return -errno;
	snprintf(slave, 64, "/dev/pts/%d", number);
	spawn->terminal = slave;
	return 0;
}

static int open_outlets(struct command *command, struct spawn *spawn)
{
	static const enum event_stream streams[] = {EVENT_STDOUT, EVENT_STDERR};
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		int ends[2];
		if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
			return -errno;
		watch_outlet(command, i, ends[0], streams[i]);
		spawn->streams[i + 1] = ends[1];
	}
	return 0;
}

static int open_inlet(struct command *command, struct spawn *spawn)
{
	const struct operation_input *input = &command->task->input;
	int ends[2];
	if (!input->stdin_open && input->stdin_data.size == 0) {
		spawn->streams[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return spawn->streams[0] < 0 ? -errno : 0;
	}
	if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	command->inlet = (struct source){.fd = ends[1], .ready = inlet_ready};
	spawn->streams[0] = ends[0];
	return 0;
}

/* Nothing may be printed after an operation's end, so what lives on prints to a file. */
static int open_log(struct command *command, struct spawn *spawn, char path[96])
{
	char id[2 * sizeof(struct uuid) + 1];
	encode_hex((struct bytes){command->task->id.b, sizeof(struct uuid)}, id);
	snprintf(path, 96, "/tmp/background-%s.log", id);
	spawn->streams[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	spawn->streams[1] =
	    open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (spawn->streams[0] < 0 || spawn->streams[1] < 0)
		return -errno;
	spawn->streams[2] = fcntl(spawn->streams[1], F_DUPFD_CLOEXEC, 0);
	return spawn->streams[2] < 0 ? -errno : 0;
}

static void close_streams(struct spawn *spawn)
{
	for (size_t i = 0; i < ARRAY_SIZE(spawn->streams); i++)
		if (spawn->streams[i] >= 0)
			close(spawn->streams[i]);
}

static enum outcome say_why(struct task *task, int error)
{
	struct failure_path program = failure_path(*(const struct text *)task->input.argv.items);
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return failure_say(task, OUTCOME_NOT_FOUND,
				   "cannot run %s: no such program or folder", program.data);
	case EACCES:
	case EPERM:
	case ENOEXEC:
		return failure_say(task, OUTCOME_PERMISSION_DENIED, "cannot run %s: %s",
				   program.data, strerror(error));
	case E2BIG:
		return failure_say(task, OUTCOME_INVALID_INPUT,
				   "the arguments and the environment are too long");
	default:
		return failure_say(task, OUTCOME_QUOTA_EXCEEDED, "cannot run %s: %s", program.data,
				   strerror(error));
	}
}

static void leave_in_background(struct command *command, const char *log)
{
	struct task *task = command->task;
	struct agent *agent = task->agent;
	struct json json = json_to(&task->result);
	if (agent->background < AGENT_BACKGROUND_MAX)
		agent->background_pids[agent->background++] = command->pid;
	json_object(&json);
	json_key(&json, "pid");
	json_i64(&json, command->pid);
	json_key(&json, "log");
	json_cstring(&json, log);
	json_object_end(&json);
	task_finish(task, OUTCOME_COMPLETED);
}

static int open_streams(struct command *command, struct spawn *spawn, char slave[64], char log[96])
{
	if (command->task->input.background)
		return open_log(command, spawn, log);
	if (command->task->input.pty)
		return open_terminal(command, spawn, slave);
	int r = open_outlets(command, spawn);
	return r < 0 ? r : open_inlet(command, spawn);
}

static int launch(struct command *command, char log[96])
{
	struct task *task = command->task;
	char slave[64];
	const char *folder = file_path(task, task->input.cwd);
	struct spawn spawn = {.argv = spawn_argv(task),
			      .environment = spawn_environment(task),
			      .folder = folder,
			      .streams = {-1, -1, -1}};
	if (!folder || !spawn.argv || !spawn.environment)
		return -ENOMEM;
	int r = open_streams(command, &spawn, slave, log);
	if (r == 0)
		r = spawn_start(&spawn);
	close_streams(&spawn);
	return r;
}

static void command_start(struct task *task)
{
	char log[96];
	struct command *command = calloc(1, sizeof(*command));
	if (!command || task->input.argv.count == 0) {
		free(command);
		task_finish(task, failure_say(task, OUTCOME_INVALID_INPUT, "there is no command"));
		return;
	}
	task->own = command;
	command->task = task;
	command->inlet.fd = command->outlets[0].source.fd = command->outlets[1].source.fd = -1;
	int r = launch(command, log);
	if (r < 0) {
		task_finish(task, say_why(task, -r));
		return;
	}
	command->pid = r;
	if (task->input.background) {
		leave_in_background(command, log);
		return;
	}
	command_credit(task); /* begins to watch the outlets */
	queue_input(command, task->input.stdin_data, !task->input.stdin_open && !task->input.pty);
}

const struct agent_operation command_run_operation = {
    .start = command_start,
    .cancel = command_cancel,
    .input = command_input,
    .signal = command_signal,
    .resize = command_resize,
    .credit = command_credit,
    .free = command_free,
};
