/* croft ops */
#include "commands.h"
#include "resource.h"

#include <stdio.h>

static const struct output_column columns[] = {{"ID", "id"},
					       {"TYPE", "type"},
					       {"STATE", "state"},
					       {"CODE", "error.code"},
					       {"EXIT", "result.exitCode"},
					       {"CREATED", "createdAt"},
					       {"ENDED", "endedAt"}};
static const struct resource operations = {"operation", columns, ARRAY_SIZE(columns)};

static int list(struct cli *cli)
{
	char project[64], path[128];
	int status = cli_project(cli, project);
	if (status)
		return status;
	snprintf(path, sizeof(path), "/v1/projects/%s/operations?limit=100", project);
	return resource_list(cli, &operations, path);
}

static int run_ops(struct cli *cli, int argc, char **argv)
{
	char path[192];
	if (argc == 1 || (argc == 2 && strcmp(argv[1], "ls") == 0))
		return list(cli);
	if (argc != 3)
		return command_usage(&cmd_ops);
	if (strcmp(argv[1], "show") == 0) {
		snprintf(path, sizeof(path), "/v1/operations/%s", argv[2]);
		return resource_show(cli, &operations, path);
	}
	if (strcmp(argv[1], "cancel") != 0)
		return command_usage(&cmd_ops);
	struct document *document ATTR_DOCUMENT = NULL;
	snprintf(path, sizeof(path), "/v1/operations/%s/cancel", argv[2]);
	struct cli_call call = {
	    .method = "POST", .path = text_of(path), .has_body = true, .body = TEXT("{}")};
	int status = cli_request(cli, &call, &document);
	if (status == 0 && document)
		output_object(cli, document, columns, ARRAY_SIZE(columns));
	return status;
}

const struct command cmd_ops = {
    .name = "ops",
    .arguments = "ls | show OP | cancel OP",
    .summary = "List, show and cancel operations of the project",
    .help = "",
    .run = run_ops,
};
