#include "id_map.h"

#include "base/descriptor.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int write_map(pid_t pid, const char *name, uint32_t inside, uint32_t outside, uint32_t count)
{
	char path[64], line[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	int size = snprintf(line, sizeof(line), "%u %u %u\n", inside, outside, count);
	int fd ATTR_DESCRIPTOR = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, line, (size_t)size) != size)
		return error_origin(-errno);
	return 0;
}

/* A namespace is made with a process; the descriptor keeps it when the process is gone. */
int id_map_open(uint32_t inside, uint32_t outside, uint32_t count, int *fd)
{
	char path[64];
	struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		for (;;)
			pause();
	if (pid < 0)
		return error_origin(-errno);
	int r = write_map(pid, "uid_map", inside, outside, count);
	if (r == 0)
		r = write_map(pid, "gid_map", inside, outside, count);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	if (r == 0 && (*fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		r = error_origin(-errno);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return r;
}
