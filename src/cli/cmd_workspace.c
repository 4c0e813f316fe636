/* croft workspace */
#include "base/json.h"
#include "commands.h"
#include "configuration.h"
#include "resource.h"

#include <stdio.h>

static const struct output_column columns[] = {{"ID", "id"},
					       {"NAME", "name"},
					       {"TIER", "tier"},
					       {"REGION", "region"},
					       {"CREATED", "createdAt"}};
static const struct resource workspaces = {"workspace", columns, ARRAY_SIZE(columns)};

static int create(struct cli *cli, const char *name)
{
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	json_object(&json);
	json_key(&json, "name");
	json_cstring(&json, name);
	json_object_end(&json);
	return resource_create(cli, "/v1/workspaces", buffer_text(&body), NULL);
}

static int use(struct cli *cli, const char *name)
{
	char id[64];
	cli->workspace = name;
	int status = cli_workspace(cli, id);
	return status ? status : configuration_use(id, NULL);
}

static int run_workspace(struct cli *cli, int argc, char **argv)
{
	char path[160], id[64];
	const char *verb = argc > 1 ? argv[1] : "ls";
	if (strcmp(verb, "ls") == 0 && argc <= 2)
		return resource_list(cli, &workspaces, "/v1/workspaces?limit=1000");
	if (strcmp(verb, "create") == 0 && argc == 3)
		return create(cli, argv[2]);
	if (strcmp(verb, "use") == 0 && argc == 3)
		return use(cli, argv[2]);
	if (argc > 3 ||
	    (strcmp(verb, "show") != 0 && strcmp(verb, "rm") != 0 && strcmp(verb, "usage") != 0))
		return command_usage(&cmd_workspace);
	if (argc == 3)
		cli->workspace = argv[2];
	int status = cli_workspace(cli, id);
	if (status)
		return status;
	snprintf(path, sizeof(path), "/v1/workspaces/%s%s", id,
		 strcmp(verb, "usage") == 0 ? "/usage" : "");
	if (strcmp(verb, "rm") == 0)
		return argc == 3 ? resource_delete(cli, &workspaces, path)
				 : command_usage(&cmd_workspace);
	if (strcmp(verb, "usage") == 0)
		cli->json = true;
	return resource_show(cli, &workspaces, path);
}

const struct command cmd_workspace = {
    .name = "workspace",
    .arguments = "ls | create NAME | use WS | show [WS] | usage [WS] | rm WS",
    .summary = "List, make, choose, show and delete workspaces",
    .help = "`use` remembers the workspace for the commands that follow.\n",
    .run = run_workspace,
};
