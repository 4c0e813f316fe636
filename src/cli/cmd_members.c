/* croft members */
#include "base/json.h"
#include "commands.h"
#include "resource.h"

#include <stdio.h>

static const struct output_column columns[] = {{"ID", "id"},
					       {"EMAIL", "email"},
					       {"SUBJECT", "subject"},
					       {"ROLE", "role"},
					       {"CREATED", "createdAt"}};
static const struct resource members = {"member", columns, ARRAY_SIZE(columns)};

/* Whoever has an '@' in the name is meant by e-mail. */
static int add(struct cli *cli, const char *path, const char *who, const char *role)
{
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	json_object(&json);
	json_key(&json, strchr(who, '@') ? "email" : "subject");
	json_cstring(&json, who);
	json_key(&json, "role");
	json_cstring(&json, role);
	json_object_end(&json);
	return resource_create(cli, path, buffer_text(&body), NULL);
}

static int remove_member(struct cli *cli, const char *path, const char *who)
{
	char list[256], member[256], id[64];
	snprintf(list, sizeof(list), "%s?limit=1000", path);
	int status = cli_find(cli, list, who, members.singular, id);
	if (status)
		return status;
	snprintf(member, sizeof(member), "%s/%s", path, id);
	return resource_delete(cli, &members, member);
}

static int run_members(struct cli *cli, int argc, char **argv)
{
	char workspace[64], path[192];
	int status = cli_workspace(cli, workspace);
	if (status)
		return status;
	snprintf(path, sizeof(path), "/v1/workspaces/%s/members", workspace);
	if (argc == 1 || (argc == 2 && strcmp(argv[1], "ls") == 0))
		return resource_list(cli, &members, path);
	if (argc == 4 && strcmp(argv[1], "add") == 0)
		return add(cli, path, argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "rm") == 0)
		return remove_member(cli, path, argv[2]);
	return command_usage(&cmd_members);
}

const struct command cmd_members = {
    .name = "members",
    .arguments = "ls | add EMAIL|SUBJECT ROLE | rm EMAIL|SUBJECT|ID",
    .summary = "List, add and remove members of the workspace",
    .help = "ROLE is owner, admin, developer, viewer or auditor.\n",
    .run = run_members,
};
