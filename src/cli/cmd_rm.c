/* croft rm */
#include "base/json.h"
#include "commands.h"
#include "operate.h"
#include "transfer.h"

#include <getopt.h>

static const struct option long_options[] = {{"recursive", no_argument, NULL, 'r'}, {0}};

static int remove_one(struct cli *cli, const char *path, bool recursive)
{
	struct buffer input ATTR_BUFFER = {0};
	struct document *operation ATTR_DOCUMENT = NULL;
	struct json json = json_to(&input);
	json_object(&json);
	json_key(&json, "path");
	json_cstring(&json, path);
	json_key(&json, "recursive");
	json_bool(&json, recursive);
	json_object_end(&json);
	return operate(cli, "fs.remove", buffer_text(&input), &operation);
}

static int run_rm(struct cli *cli, int argc, char **argv)
{
	bool recursive = false;
	int option, status = 0;
	while ((option = getopt_long(argc, argv, "r", long_options, NULL)) != -1) {
		if (option != 'r')
			return command_usage(&cmd_rm);
		recursive = true;
	}
	if (optind == argc)
		return command_usage(&cmd_rm);
	for (int i = optind; i < argc && status == 0; i++)
		status = remove_one(cli, argv[i] + transfer_is_remote(argv[i]), recursive);
	return status;
}

const struct command cmd_rm = {
    .name = "rm",
    .arguments = "[-r] PATH...",
    .summary = "Remove files of the project",
    .help = "  -r, --recursive  remove folders, with all in them\n",
    .run = run_rm,
};
