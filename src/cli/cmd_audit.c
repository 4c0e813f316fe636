/* croft audit */
#include "commands.h"
#include "resource.h"

#include <getopt.h>
#include <stdio.h>

#include "audit_verify.h"

static const struct output_column columns[] = {{"SEQ", "seq"},
					       {"TIME", "time"},
					       {"ACTOR", "actor.id"},
					       {"ACTION", "action"},
					       {"ALLOWED", "decision.allow"},
					       {"RULE", "decision.rule"},
					       {"RESULT", "result.state"},
					       {"OPERATION", "scope.operation"}};
static const struct resource entries = {"entry", columns, ARRAY_SIZE(columns)};

static int print_piece(void *owner ATTR_UNUSED, struct bytes piece)
{
	return fwrite(piece.data, 1, piece.size, stdout) == piece.size ? 0 : -1;
}

/* JSON lines with their proofs, streamed as they come. */
static int export(struct cli *cli, const char *path)
{
	static const char *const headers[] = {"Accept: application/jsonl", NULL};
	struct client_answer answer ATTR_ANSWER = {0};
	struct client_request request = {
	    .method = "GET", .path = text_of(path), .headers = headers, .on_data = print_piece};
	int status = cli_connect(cli);
	if (status)
		return status;
	if (client_call(cli->client, &request, &answer) < 0)
		return cli_say(EXIT_FAILED, "out of memory");
	if (answer.status == 0 || answer.broken)
		return cli_say(EXIT_UNREACHABLE, "%s: %s", cli->url, answer.trouble);
	if (answer.status != 200)
		return cli_say_problem(&answer);
	return fflush(stdout) == 0 ? EXIT_OK : cli_say(EXIT_FAILED, "cannot write");
}

static int run_audit(struct cli *cli, int argc, char **argv)
{
	char workspace[64], path[192];
	const char *verb = argc > 1 ? argv[1] : "ls";
	if (strcmp(verb, "verify") == 0)
		return audit_verify_run(cli, argc - 1, argv + 1);
	if (argc > 2 || (strcmp(verb, "ls") != 0 && strcmp(verb, "export") != 0))
		return command_usage(&cmd_audit);
	int status = cli_workspace(cli, workspace);
	if (status)
		return status;
	snprintf(path, sizeof(path), "/v1/workspaces/%s/audit?limit=1000", workspace);
	return strcmp(verb, "ls") == 0 ? resource_list(cli, &entries, path) : export(cli, path);
}

const struct command cmd_audit = {
    .name = "audit",
    .arguments = "ls | export | verify [OPTION]... FILE|FOLDER|URL",
    .summary = "List, export and verify the audit log",
    .help = "  -k, --key FILE    verify: the log's public key (default: key.pub in FOLDER)\n"
	    "  -n, --known FILE  verify: a checkpoint seen earlier, which the log must still hold\n"
	    "\n"
	    "`export` writes the workspace's entries as JSON lines, with the proofs that they are "
	    "in the log.\n"
	    "`verify` needs no server and no trust in one: with the log's public key alone it "
	    "checks that every\n"
	    "entry is in the log, in order, and that the log only ever grew. Exit status 0: all is "
	    "proven.\n",
    .run = run_audit,
};
