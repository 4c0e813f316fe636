/* croft keys */
#include "base/json.h"
#include "commands.h"
#include "resource.h"

#include <getopt.h>
#include <stdio.h>

static const struct output_column columns[] = {{"ID", "id"},
					       {"NAME", "name"},
					       {"ROLE", "role"},
					       {"EXPIRES", "expiresAt"},
					       {"CREATED", "createdAt"}};
static const struct resource keys = {"key", columns, ARRAY_SIZE(columns)};

enum { PROJECTS_MAX = 64 };

struct key_options {
	const char *role, *expires;
	const char *projects[PROJECTS_MAX];
	size_t n_projects;
};

static const struct option long_options[] = {
    {"role", required_argument, NULL, 'r'},
    {"expires", required_argument, NULL, 'e'},
    {"only", required_argument, NULL, 'o'},
    {0},
};

static int parse_options(struct key_options *options, int argc, char **argv)
{
	int option;
	while ((option = getopt_long(argc, argv, "r:e:o:", long_options, NULL)) != -1) {
		if (option == 'r')
			options->role = optarg;
		else if (option == 'e')
			options->expires = optarg;
		else if (option == 'o' && options->n_projects < PROJECTS_MAX)
			options->projects[options->n_projects++] = optarg;
		else
			return command_usage(&cmd_keys);
	}
	return 0;
}

static int create(struct cli *cli, const char *path, const char *name,
		  const struct key_options *options)
{
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	json_object(&json);
	json_key(&json, "name");
	json_cstring(&json, name);
	json_key(&json, "role");
	json_cstring(&json, options->role);
	if (options->expires) {
		json_key(&json, "expiresAt");
		json_cstring(&json, options->expires);
	}
	if (options->n_projects) {
		json_key(&json, "projects");
		json_array(&json);
		for (size_t i = 0; i < options->n_projects; i++)
			json_cstring(&json, options->projects[i]);
		json_array_end(&json);
	}
	json_object_end(&json);
	return resource_create(cli, path, buffer_text(&body), "secret");
}

static int run_keys(struct cli *cli, int argc, char **argv)
{
	char workspace[64], path[192];
	struct key_options options = {.role = "developer"};
	int status = parse_options(&options, argc, argv);
	if (status)
		return status;
	argc -= optind;
	argv += optind;
	status = cli_workspace(cli, workspace);
	if (status)
		return status;
	snprintf(path, sizeof(path), "/v1/workspaces/%s/keys", workspace);
	if (argc == 0 || (argc == 1 && strcmp(argv[0], "ls") == 0))
		return resource_list(cli, &keys, path);
	if (argc == 2 && strcmp(argv[0], "create") == 0)
		return create(cli, path, argv[1], &options);
	if (argc == 2 && strcmp(argv[0], "revoke") == 0) {
		snprintf(path, sizeof(path), "/v1/workspaces/%s/keys/%s", workspace, argv[1]);
		return resource_delete(cli, &keys, path);
	}
	return command_usage(&cmd_keys);
}

const struct command cmd_keys = {
    .name = "keys",
    .arguments = "ls | create [OPTION]... NAME | revoke KEY",
    .summary = "List, make and revoke API keys of the workspace",
    .help = "  -r, --role ROLE     owner, admin, developer (default), viewer or auditor\n"
	    "  -e, --expires TIME  when it ends, as 2030-01-31T00:00:00Z\n"
	    "  -o, --only PRJ      only for this project; may be repeated\n"
	    "\n"
	    "`create` prints the key's identifier and, this once, the key itself.\n",
    .run = run_keys,
};
