/* croft edit: a file of the project in the local editor; saved only if nobody else changed it
 * meanwhile. */
#include "base/descriptor.h"
#include "commands.h"
#include "transfer.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *editor(void)
{
	static const char *const variables[] = {"VISUAL", "EDITOR"};
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);
		if (value && *value)
			return value;
	}
	return "vi";
}

/* The variable may hold arguments, so a shell splits it; the file's name stays one word. */
static int run_editor(char *path)
{
	char line[PATH_MAX];
	int status;
	snprintf(line, sizeof(line), "%s \"$1\"", editor());
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", line, "croft-edit", path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return cli_say(EXIT_FAILED, "%s: %s", editor(), strerror(errno));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0
		   ? 0
		   : cli_say(EXIT_FAILED, "%s failed; nothing was changed", editor());
}

static int edit(struct cli *cli, const char *remote, char *local)
{
	struct stat before, after;
	struct buffer etag ATTR_BUFFER = {0};
	int fd ATTR_DESCRIPTOR = mkstemps(local, 0);
	if (fd < 0)
		return cli_say(EXIT_FAILED, "%s: %s", local, strerror(errno));
	int status = transfer_download(cli, remote, fd, remote, &etag);
	buffer_append_byte(&etag, '\0');
	descriptor_close(&fd);
	if (status || stat(local, &before) < 0)
		return status ? status : EXIT_FAILED;
	status = run_editor(local);
	if (status || stat(local, &after) < 0)
		return status ? status : EXIT_FAILED;
	if (before.st_size == after.st_size && before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
	    before.st_mtim.tv_nsec == after.st_mtim.tv_nsec)
		return cli_say(EXIT_OK, "not changed");
	return transfer_upload(cli, local, remote, etag.size > 1 ? (char *)etag.data : NULL);
}

static int run_edit(struct cli *cli, int argc, char **argv)
{
	char local[PATH_MAX];
	const char *folder = getenv("TMPDIR");
	if (argc != 2)
		return command_usage(&cmd_edit);
	snprintf(local, sizeof(local), "%s/croft-XXXXXX", folder && *folder ? folder : "/tmp");
	int status = edit(cli, argv[1] + transfer_is_remote(argv[1]), local);
	if (status == EXIT_OK)
		unlink(local);
	else if (access(local, F_OK) == 0)
		cli_say(0, "your text is kept in %s", local);
	return status;
}

const struct command cmd_edit = {
    .name = "edit",
    .arguments = "PATH",
    .summary = "Edit a file of the project in your editor (VISUAL, EDITOR)",
    .help = "The file is saved only if nobody changed it in the meantime.\n",
    .run = run_edit,
};
