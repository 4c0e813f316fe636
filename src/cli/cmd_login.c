/* croft login: remembers the server and the key, after having tried them. */
#include "commands.h"
#include "configuration.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

enum { KEY_LIMIT = 8192 };

static const struct option long_options[] = {{"key-file", required_argument, NULL, 'f'}, {0}};

/* From a file, a pipe, or typed without being shown: never from an argument, which everybody on the
 * machine can read. */
static int read_key(const char *path, char key[KEY_LIMIT])
{
	FILE *in = path ? fopen(path, "re") : stdin;
	struct termios before, silent;
	if (!in)
		return cli_say(EXIT_FAILED, "cannot read %s", path);
	bool asks = !path && isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
	if (asks) {
		fputs("API key: ", stderr);
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	bool got = fgets(key, KEY_LIMIT, in) != NULL;
	if (asks) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (path)
		fclose(in);
	key[got ? strcspn(key, "\r\n") : 0] = '\0';
	return *key ? 0 : cli_say(EXIT_USAGE, "no key was given");
}

/* The authority's file by its full path: croft is called from other folders later. */
static int remember(struct cli *cli, const char *key)
{
	char *ca ATTR_CLEANUP(text_free) = cli->ca ? realpath(cli->ca, NULL) : NULL;
	struct configuration configuration = {0};
	int status = configuration_load(&configuration);
	if (status)
		return status;
	configuration_set(&configuration.url, cli->url);
	configuration_set(&configuration.key, key);
	configuration_set(&configuration.ca, ca);
	status = configuration_save(&configuration);
	configuration_free(&configuration);
	return status;
}

static int run_login(struct cli *cli, int argc, char **argv)
{
	char key[KEY_LIMIT];
	const char *path = NULL;
	int option;
	while ((option = getopt_long(argc, argv, "f:", long_options, NULL)) != -1) {
		if (option != 'f')
			return command_usage(&cmd_login);
		path = optarg;
	}
	if (optind < argc)
		cli->url = argv[optind++];
	if (optind < argc)
		return command_usage(&cmd_login);
	int status = read_key(path, key);
	if (status)
		return status;
	cli->key = key;
	struct document *document ATTR_DOCUMENT = NULL;
	struct cli_call call = {.method = "GET", .path = TEXT("/v1/whoami")};
	status = cli_request(cli, &call, &document);
	if (status == 0)
		status = remember(cli, key);
	if (status == 0 && !cli->quiet)
		fprintf(stderr, "Logged in to %s.\n", cli->url);
	if (status == 0 && cli->json)
		output_json(document_root(document));
	explicit_bzero(key, sizeof(key));
	return status;
}

const struct command cmd_login = {
    .name = "login",
    .arguments = "[--key-file FILE] [URL]",
    .summary = "Remember a server and an API key",
    .help = "  -f, --key-file FILE  read the key from FILE; otherwise it is asked for or read from "
	    "standard input\n",
    .run = run_login,
};
