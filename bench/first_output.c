/* first_output COMMAND [ARGUMENT]...: nanoseconds from before the start of a command to the first
 * byte of its output. Small on purpose: a large caller would pay for its own size at each start. */
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv)
{
	int ends[2], status;
	char byte;
	pid_t pid;
	posix_spawn_file_actions_t actions;
	if (argc < 2 || pipe(ends) < 0 || posix_spawn_file_actions_init(&actions) ||
	    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) ||
	    posix_spawn_file_actions_addclose(&actions, ends[0]))
		return 2;
	uint64_t begin = now_ns();
	if (posix_spawnp(&pid, argv[1], &actions, NULL, argv + 1, environ))
		return 2;
	close(ends[1]);
	ssize_t n = read(ends[0], &byte, 1);
	uint64_t end = now_ns();
	while (read(ends[0], &byte, 1) > 0)
		;
	if (n != 1 || waitpid(pid, &status, 0) != pid || status != 0)
		return 1;
	printf("%llu\n", (unsigned long long)(end - begin));
	return 0;
}
