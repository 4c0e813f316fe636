/* croft ls */
#include "base/json.h"
#include "commands.h"
#include "operate.h"
#include "transfer.h"

#include <getopt.h>
#include <stdio.h>

static const struct option long_options[] = {
    {"long", no_argument, NULL, 'l'}, {"recursive", no_argument, NULL, 'r'}, {0}};

static const struct output_column long_columns[] = {{"MODE", "mode"},
						    {"SIZE", "sizeBytes"},
						    {"MODIFIED", "modifiedAt"},
						    {"TYPE", "type"},
						    {"NAME", "name"}};
static const struct output_column short_columns[] = {{"NAME", "name"}};

static void write_input(struct buffer *input, const char *path, bool recursive, struct text after)
{
	struct json json = json_to(input);
	json_object(&json);
	json_key(&json, "path");
	json_cstring(&json, path);
	json_key(&json, "recursive");
	json_bool(&json, recursive);
	json_key(&json, "limit");
	json_u64(&json, 10000);
	if (after.size) {
		json_key(&json, "after");
		json_text(&json, after);
	}
	json_object_end(&json);
}

static int list(struct cli *cli, const char *path, bool is_long, bool recursive)
{
	struct buffer input ATTR_BUFFER = {0}, result ATTR_BUFFER = {0};
	struct document *operation ATTR_DOCUMENT = NULL, *shown ATTR_DOCUMENT = NULL;
	struct document_error error;
	write_input(&input, path, recursive, (struct text){0});
	int status = operate(cli, "fs.list", buffer_text(&input), &operation);
	if (status)
		return status;
	const struct document_value *value = document_member(document_root(operation), "result");
	const struct document_value *entries = value ? document_member(value, "entries") : NULL;
	if (cli->json || !entries) {
		output_json(value ? value : document_root(operation));
		return 0;
	}
	buffer_append_text(&result, TEXT("{\"items\":"));
	if (document_write(entries, false, &result) < 0)
		return cli_say(EXIT_FAILED, "out of memory");
	buffer_append_byte(&result, '}');
	if (document_parse(buffer_bytes(&result), BUFFER_LIMIT_DEFAULT, &shown, &error))
		return cli_say(EXIT_FAILED, "%s", error.message);
	if (is_long)
		output_list(cli, shown, long_columns, ARRAY_SIZE(long_columns));
	else
		output_list(cli, shown, short_columns, ARRAY_SIZE(short_columns));
	return 0;
}

static int run_ls(struct cli *cli, int argc, char **argv)
{
	bool is_long = false, recursive = false;
	int option;
	while ((option = getopt_long(argc, argv, "lr", long_options, NULL)) != -1) {
		if (option == 'l')
			is_long = true;
		else if (option == 'r')
			recursive = true;
		else
			return command_usage(&cmd_ls);
	}
	if (argc - optind > 1)
		return command_usage(&cmd_ls);
	const char *path = optind < argc ? argv[optind] + transfer_is_remote(argv[optind]) : ".";
	return list(cli, *path ? path : ".", is_long, recursive);
}

const struct command cmd_ls = {
    .name = "ls",
    .arguments = "[-l] [-r] [PATH]",
    .summary = "List a folder of the project",
    .help = "  -l, --long       with mode, size and time\n"
	    "  -r, --recursive  also what lies in folders below\n",
    .run = run_ls,
};
