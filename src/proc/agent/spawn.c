#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

static const struct wire_pair base_environment[] = {
    {TEXT("PATH"), TEXT("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")},
    {TEXT("HOME"), TEXT("/home/user")},
    {TEXT("USER"), TEXT("user")},
    {TEXT("LOGNAME"), TEXT("user")},
    {TEXT("SHELL"), TEXT("/bin/sh")},
    {TEXT("LANG"), TEXT("C.UTF-8")},
    {TEXT("CROFT"), TEXT("1")},
};

const char *const *spawn_argv(struct task *task)
{
	const struct text *texts = task->input.argv.items;
	size_t count = task->input.argv.count;
	const char **argv = arena_alloc(&task->arena, (count + 1) * sizeof(*argv));
	for (size_t i = 0; argv && i < count; i++) {
		argv[i] = arena_text(&task->arena, texts[i]).data;
		if (!argv[i])
			return NULL;
	}
	return argv;
}

struct environment {
	struct arena *arena;
	char **entries;
	size_t count;
	bool failed;
};

/* A later value takes the place of an earlier one. */
static void set(struct environment *environment, const struct wire_pair *pair)
{
	size_t size = pair->name.size + 1 + pair->value.size;
	char *entry = arena_alloc(environment->arena, size + 1);
	if (!entry) {
		environment->failed = true;
		return;
	}
	memcpy(entry, pair->name.data, pair->name.size);
	entry[pair->name.size] = '=';
	if (pair->value.size)
		memcpy(entry + pair->name.size + 1, pair->value.data, pair->value.size);
	for (size_t i = 0; i < environment->count; i++) {
		if (strncmp(environment->entries[i], entry, pair->name.size + 1) == 0) {
			environment->entries[i] = entry;
			return;
		}
	}
	environment->entries[environment->count++] = entry;
}

static void set_all(struct environment *environment, const struct wire_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		set(environment, &pairs[i]);
}

char **spawn_environment(struct task *task)
{
	static const struct wire_pair terminal = {TEXT("TERM"), TEXT("xterm-256color")};
	size_t most =
	    ARRAY_SIZE(base_environment) + 1 + task->environment.count + task->input.env.count;
	struct environment environment = {
	    &task->arena, arena_alloc(&task->arena, (most + 1) * sizeof(char *)), 0, false};
	if (!environment.entries)
		return NULL;
	set_all(&environment, base_environment, ARRAY_SIZE(base_environment));
	if (task->input.pty)
		set(&environment, &terminal);
	set_all(&environment, task->environment.items, task->environment.count);
	set_all(&environment, task->input.env.items, task->input.env.count);
	return environment.failed ? NULL : environment.entries;
}

static const char *path_of(char *const *environment)
{
	for (; *environment; environment++)
		if (strncmp(*environment, "PATH=", 5) == 0)
			return *environment + 5;
	return "";
}

/* The program's path, by PATH if its name has no slash. 0, or the errno that execve(2) would have.
 */
static int look_up(const char *name, char *const *environment, char out[PATH_MAX])
{
	struct text rest = text_of(path_of(environment)), folder;
	int error = ENOENT;
	if (strchr(name, '/')) {
		snprintf(out, PATH_MAX, "%s", name);
		return 0;
	}
	while (rest.size > 0) {
		text_split(&rest, ':', &folder);
		int size = snprintf(out, PATH_MAX, "%.*s/%s", (int)folder.size, folder.data, name);
		if (folder.size == 0 || size >= PATH_MAX)
			continue;
		if (access(out, X_OK) == 0)
			return 0;
		if (errno == EACCES && access(out, F_OK) == 0)
			error = EACCES;
	}
	return error;
}

/* Between vfork and execve: memory is shared with the agent, which waits. */
static int become(const struct spawn *spawn, const char *program)
{
	sigset_t none;
	int slave = -1;
	if (setsid() < 0 || chdir(spawn->folder) < 0)
		return errno;
	if (spawn->terminal) {
		slave = open(spawn->terminal, O_RDWR | O_CLOEXEC);
		if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
			return errno;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(slave >= 0 ? slave : spawn->streams[i], i) < 0)
			return errno;
	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL); /* the only one that the agent ignores */
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(program, (char *const *)(uintptr_t)spawn->argv, spawn->environment);
	return errno;
}

pid_t spawn_start(const struct spawn *spawn)
{
	char program[PATH_MAX];
	volatile int error = look_up(spawn->argv[0], spawn->environment, program);
	if (error)
		return -error;
	pid_t pid = vfork();
	if (pid == 0) {
		error = become(spawn, program);
		_exit(127);
	}
	if (pid < 0)
		return -errno;
	return error ? -error : pid;
}
