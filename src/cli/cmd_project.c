/* croft project */
#include "base/json.h"
#include "commands.h"
#include "configuration.h"
#include "resource.h"

#include <stdio.h>

static const struct output_column columns[] = {{"ID", "id"},
					       {"NAME", "name"},
					       {"TEMPLATE", "template"},
					       {"CLASS", "runtimeClass"},
					       {"CREATED", "createdAt"}};
static const struct resource projects = {"project", columns, ARRAY_SIZE(columns)};

static int list_or_create(struct cli *cli, const char *name)
{
	char workspace[64], path[128];
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	int status = cli_workspace(cli, workspace);
	if (status)
		return status;
	snprintf(path, sizeof(path), "/v1/workspaces/%s/projects%s", workspace,
		 name ? "" : "?limit=1000");
	if (!name)
		return resource_list(cli, &projects, path);
	json_object(&json);
	json_key(&json, "name");
	json_cstring(&json, name);
	json_object_end(&json);
	return resource_create(cli, path, buffer_text(&body), NULL);
}

static int use(struct cli *cli, const char *name)
{
	char id[64];
	cli->project = name;
	int status = cli_project(cli, id);
	return status ? status : configuration_use(NULL, id);
}

static int run_project(struct cli *cli, int argc, char **argv)
{
	char id[64], path[128];
	const char *verb = argc > 1 ? argv[1] : "ls";
	if (strcmp(verb, "ls") == 0 && argc <= 2)
		return list_or_create(cli, NULL);
	if (strcmp(verb, "create") == 0 && argc == 3)
		return list_or_create(cli, argv[2]);
	if (strcmp(verb, "use") == 0 && argc == 3)
		return use(cli, argv[2]);
	if (argc > 3 || (strcmp(verb, "show") != 0 && strcmp(verb, "rm") != 0))
		return command_usage(&cmd_project);
	if (argc == 3)
		cli->project = argv[2];
	int status = cli_project(cli, id);
	if (status)
		return status;
	snprintf(path, sizeof(path), "/v1/projects/%s", id);
	if (strcmp(verb, "rm") == 0)
		return argc == 3 ? resource_delete(cli, &projects, path)
				 : command_usage(&cmd_project);
	return resource_show(cli, &projects, path);
}

const struct command cmd_project = {
    .name = "project",
    .arguments = "ls | create NAME | use PRJ | show [PRJ] | rm PRJ",
    .summary = "List, make, choose, show and delete projects",
    .help = "`use` remembers the project for the commands that follow.\n",
    .run = run_project,
};
