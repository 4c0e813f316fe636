/* croft cat */
#include "commands.h"
#include "transfer.h"

#include <unistd.h>

static int run_cat(struct cli *cli, int argc, char **argv)
{
	int status = 0;
	if (argc < 2)
		return command_usage(&cmd_cat);
	cli->quiet = true; /* a bar among the content helps nobody */
	for (int i = 1; i < argc && status == 0; i++)
		status = transfer_download(cli, argv[i] + transfer_is_remote(argv[i]),
					   STDOUT_FILENO, argv[i], NULL);
	return status;
}

const struct command cmd_cat = {
    .name = "cat",
    .arguments = "PATH...",
    .summary = "Print files of the project",
    .help = "",
    .run = run_cat,
};
