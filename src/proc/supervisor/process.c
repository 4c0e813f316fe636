#include "process.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "executables.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHILD_CHANNEL = 3, CHILD_LOCK = 4, CHILD_SPARE = 100 };

static int on_message(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct process *process = owner;
	const struct supervisor_role_ready *said = body;
	char detail[256];
	log_text(detail, sizeof(detail), said->detail);
	if (type == SUPERVISOR_ROLE_STATUS) {
		log_info("%s %u: %s", role_names[process->kind], process->index, detail);
	} else if (type == SUPERVISOR_ROLE_READY) {
		process->is_ready = true;
		process->events->on_ready(process->owner, process, said->detail);
	} else {
		return error_origin(-EPROTO);
	}
	return 0;
}

/* The end of the process itself is told by SIGCHLD; a live process without a channel is of no use.
 */
static void on_closed(void *owner, struct channel *channel ATTR_UNUSED, int why ATTR_UNUSED)
{
	struct process *process = owner;
	if (process->pid > 0 && !process->was_told_to_stop)
		kill(process->pid, SIGKILL);
}

static const struct channel_events channel_events = {on_message, on_closed, NULL};

/* Between fork and exec. The child keeps standard error, its channel and the folder's lock; all
 * else is close-on-exec. */
ATTR_NORETURN static void become(const char *path, const char *name, int channel, int lock,
				 pid_t parent)
{
	setpgid(0, 0); /* a terminal's Ctrl-C is for the supervisor, which stops them in order */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int kept_channel = fcntl(channel, F_DUPFD_CLOEXEC, CHILD_SPARE);
	int kept_lock = fcntl(lock, F_DUPFD_CLOEXEC, CHILD_SPARE);
	if (getppid() != parent || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(kept_channel, CHILD_CHANNEL) < 0 ||
	    dup2(kept_lock, CHILD_LOCK) < 0)
		_exit(126);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	char *const argv[] = {(char *)name, NULL};
	char *const envp[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LANG=C.UTF-8",
			      NULL};
	execve(path, argv, envp);
	_exit(127);
}

static int spawn(struct process *process, const struct process_context *context)
{
	char path[PATH_MAX], name[64];
	int pair[2];
	int r = executables_path(context->executables, process->kind, path, sizeof(path));
	if (r < 0)
		return error_trace(r);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_origin(-errno);
	snprintf(name, sizeof(name), "croft-%s", role_names[process->kind]);
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		become(path, name, pair[1], context->data->lock, parent);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return error_origin(-errno);
	}
	process->pid = pid;
	return error_trace(channel_new(&process->channel, process->loop, pair[0],
				       &supervisor_role_protocol, &channel_events, process));
}

static int send_setup(struct process *process, const struct process_context *context)
{
	struct data_user user = context->data->users[process->kind];
	uint64_t level = options_number(context->options, "log.level");
	struct supervisor_role_setup setup = {user.uid, user.gid, process->index, (uint8_t)level};
	int root = fcntl(context->data->role_directories[process->kind], F_DUPFD_CLOEXEC, 0);
	if (root < 0)
		return error_origin(-errno);
	return channel_send_descriptors(process->channel, SUPERVISOR_ROLE_SETUP, &setup, &root, 1);
}

static int send_settings(struct process *process, const struct process_context *context)
{
	for (size_t i = 0; i < n_settings; i++) {
		if (!(settings[i].roles & ROLE_BIT(process->kind)))
			continue;
		struct supervisor_role_setting setting = {
		    text_of(settings[i].name), options_value(context->options, settings[i].name)};
		if (strcmp(settings[i].name, "admin.key_hash") == 0)
			setting.value = text_of(context->data->admin_key_hash);
		int r = channel_send(process->channel, SUPERVISOR_ROLE_SETTING, &setting);
		if (r < 0)
			return error_trace(r);
	}
	return 0;
}

static int send_listener(struct process *process, const struct process_context *context)
{
	bool tls = options_value(context->options, "tls.certificate").size > 0;
	struct supervisor_role_listener listener = {context->address, tls};
	if (process->kind != ROLE_GATEWAY)
		return 0;
	int fd = fcntl(context->listener, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return error_origin(-errno);
	return channel_send_descriptors(process->channel, SUPERVISOR_ROLE_LISTENER, &listener, &fd,
					1);
}

int process_start(struct process *process, const struct process_context *context)
{
	process->is_ready = false;
	process->was_told_to_stop = false;
	process->started_ms = loop_now_ms(process->loop);
	struct supervisor_role_start start = {++process->generation};
	int r = spawn(process, context);
	if (r == 0)
		r = send_setup(process, context);
	if (r == 0)
		r = send_settings(process, context);
	if (r == 0)
		r = send_listener(process, context);
	if (r == 0)
		r = channel_send(process->channel, SUPERVISOR_ROLE_START, &start);
	return error_trace(r);
}

void process_introduce(struct process *process, enum role_kind peer, uint16_t index, int fd)
{
	struct supervisor_role_peer message = {(uint8_t)peer, index};
	channel_send_descriptors(process->channel, SUPERVISOR_ROLE_PEER, &message, &fd, 1);
}

void process_stop(struct process *process, uint32_t grace_ms)
{
	struct supervisor_role_stop stop = {grace_ms};
	if (process->pid <= 0 || process->was_told_to_stop)
		return;
	process->was_told_to_stop = true;
	if (channel_send(process->channel, SUPERVISOR_ROLE_STOP, &stop) < 0)
		process_kill(process);
}

void process_kill(struct process *process)
{
	if (process->pid > 0)
		kill(process->pid, SIGKILL);
}

void process_ended(struct process *process, int status)
{
	process->pid = 0;
	process->is_ready = false;
	channel_free(process->channel);
	process->channel = NULL;
	process->events->on_ended(process->owner, process, status);
}
