/* croft cp */
#include "base/descriptor.h"
#include "commands.h"
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct option long_options[] = {{"recursive", no_argument, NULL, 'r'}, {0}};

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static int upload(struct cli *cli, const char *local, const char *remote, bool recursive)
{
	char target[PATH_MAX];
	struct stat file;
	if (stat(local, &file) < 0)
		return cli_say(EXIT_FAILED, "%s: %s", local, strerror(errno));
	if (S_ISDIR(file.st_mode)) {
		if (!recursive)
			return cli_say(EXIT_USAGE, "%s is a folder: cp -r copies it", local);
		return transfer_upload_folder(cli, local, remote, NULL);
	}
	bool into_folder = *remote == '\0' || remote[strlen(remote) - 1] == '/';
	snprintf(target, sizeof(target), "%s%s", remote, into_folder ? last_part(local) : "");
	return transfer_upload(cli, local, target, NULL);
}

/* The file appears under its name when all of it has come. */
static int download_file(struct cli *cli, const char *remote, const char *local)
{
	char target[PATH_MAX], part[PATH_MAX + 8];
	struct stat file;
	bool into_folder = stat(local, &file) == 0 && S_ISDIR(file.st_mode);
	snprintf(target, sizeof(target), "%s%s%s", local, into_folder ? "/" : "",
		 into_folder ? last_part(remote) : "");
	snprintf(part, sizeof(part), "%s.part", target);
	int fd ATTR_DESCRIPTOR = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return cli_say(EXIT_FAILED, "%s: %s", part, strerror(errno));
	int status = transfer_download(cli, remote, fd, target, NULL);
	if (status == 0 && rename(part, target) < 0)
		status = cli_say(EXIT_FAILED, "%s: %s", target, strerror(errno));
	if (status)
		unlink(part);
	return status;
}

static int run_cp(struct cli *cli, int argc, char **argv)
{
	bool recursive = false;
	int option, status = 0;
	while ((option = getopt_long(argc, argv, "r", long_options, NULL)) != -1) {
		if (option != 'r')
			return command_usage(&cmd_cp);
		recursive = true;
	}
	if (argc - optind < 2)
		return command_usage(&cmd_cp);
	const char *target = argv[argc - 1];
	bool up = transfer_is_remote(target);
	for (int i = optind; i < argc - 1 && status == 0; i++) {
		if (transfer_is_remote(argv[i]) == up)
			return cli_say(
			    EXIT_USAGE,
			    "one side is here and the other, written :PATH, in the project");
		if (up)
			status = upload(cli, argv[i], target + 1, recursive);
		else if (recursive)
			status = transfer_download_folder(cli, argv[i] + 1, target);
		else
			status = download_file(cli, argv[i] + 1, target);
	}
	return status;
}

const struct command cmd_cp = {
    .name = "cp",
    .arguments = "[-r] SOURCE... TARGET",
    .summary = "Copy files to and from the project",
    .help = "  -r, --recursive  copy folders: what is in SOURCE goes into TARGET\n"
	    "\n"
	    "A name that begins with ':' is in the project: `croft cp notes.txt :docs/`, `croft cp "
	    ":out.log .`\n",
    .run = run_cp,
};
