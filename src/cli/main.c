/* croft: the command line of Croft. */
#include "base/log.h"
#include "command.h"
#include "configuration.h"

#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const struct option long_options[] = {
    {"url", required_argument, NULL, 'u'},
    {"project", required_argument, NULL, 'p'},
    {"workspace", required_argument, NULL, 'w'},
    {"ca", required_argument, NULL, 'c'},
    {"json", no_argument, NULL, 'j'},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0},
};

static void print_help(FILE *out)
{
	fputs("Usage: croft [OPTION]... COMMAND [ARGUMENT]...\n\n"
	      "Files and commands in an isolated project of a Croft server.\n\nCommands:\n",
	      out);
	for (size_t i = 0; i < n_commands; i++)
		fprintf(out, "  %-12s%s\n", commands[i]->name, commands[i]->summary);
	fputs("\nOptions, before the command:\n"
	      "  -u, --url URL         the server (CROFT_URL; default http://127.0.0.1:7480)\n"
	      "  -w, --workspace WS    the workspace, by identifier or name (CROFT_WORKSPACE)\n"
	      "  -p, --project PRJ     the project, by identifier or name (CROFT_PROJECT)\n"
	      "  -c, --ca FILE         PEM of the authority that signs the server's certificate "
	      "(CROFT_CA)\n"
	      "  -j, --json            print what the server answers, as JSON\n"
	      "  -q, --quiet           no progress\n"
	      "  -V, --version         print the version\n"
	      "  -h, --help            print this; `croft COMMAND --help` for one command\n\n"
	      "The key is taken from CROFT_API_KEY or from `croft login`.\n",
	      out);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < n_commands; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static void print_command_help(const struct command *command)
{
	printf("Usage: croft %s %s\n\n%s.\n%s%s", command->name, command->arguments,
	       command->summary, *command->help ? "\n" : "", command->help);
}

int command_usage(const struct command *command)
{
	fprintf(stderr, "Usage: croft %s %s\nTry `croft %s --help`.\n", command->name,
		command->arguments, command->name);
	return EXIT_USAGE;
}

/* Options before the command; 0, or an exit status + 1 when there is nothing left to do. */
static int take_options(struct cli *cli, int argc, char **argv)
{
	int option;
	while ((option = getopt_long(argc, argv, "+u:p:w:c:jqhV", long_options, NULL)) != -1) {
		switch (option) {
		case 'u':
			cli->url = optarg;
			break;
		case 'p':
			cli->project = optarg;
			break;
		case 'w':
			cli->workspace = optarg;
			break;
		case 'c':
			cli->ca = optarg;
			break;
		case 'j':
			cli->json = true;
			break;
		case 'q':
			cli->quiet = true;
			break;
		case 'h':
			print_help(stdout);
			return EXIT_OK + 1;
		case 'V':
			puts("croft " CROFT_VERSION);
			return EXIT_OK + 1;
		default:
			fputs("Try `croft --help`.\n", stderr);
			return EXIT_USAGE + 1;
		}
	}
	return 0;
}

static int run(struct cli *cli, int argc, char **argv)
{
	if (argc == 0) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	const struct command *command = find(argv[0]);
	if (!command)
		return cli_say(EXIT_USAGE, "there is no command \"%s\"; try `croft --help`",
			       argv[0]);
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		print_command_help(command);
		return EXIT_OK;
	}
	optind = 0; /* getopt starts afresh, and reads the commands' own options */
	return command->run(cli, argc, argv);
}

int main(int argc, char **argv)
{
	struct cli cli = {0};
	setlocale(LC_ALL, "");
	log_open("croft", LOG_ERROR);
	signal(SIGPIPE, SIG_IGN);
	int done = take_options(&cli, argc, argv);
	if (done)
		return done - 1;
	struct configuration configuration = {0};
	int status = configuration_load(&configuration);
	if (status == 0) {
		configuration_apply(&configuration, &cli);
		status = run(&cli, argc - optind, argv + optind);
	}
	client_free(cli.client);
	configuration_free(&configuration);
	return status;
}
