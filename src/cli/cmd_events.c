/* croft events */
#include "base/json.h"
#include "commands.h"
#include "follow.h"

#include <getopt.h>
#include <stdio.h>

static const struct option long_options[] = {
    {"follow", no_argument, NULL, 'f'},
    {"cursor", required_argument, NULL, 'c'},
    {"stream", required_argument, NULL, 's'},
    {0},
};

struct events_options {
	bool follow;
	const char *cursor, *stream, *operation;
};

static int print_event(void *owner, struct text type, const struct document_value *event)
{
	const struct cli *cli = owner;
	struct buffer data ATTR_BUFFER = {0};
	if (cli->json) {
		output_json(event);
	} else {
		struct text time = cli_member(event, "time"),
			    operation = cli_member(event, "operation");
		const struct document_value *value = document_member(event, "data");
		if (value && document_write(value, false, &data) < 0)
			return -1;
		printf("%.*s  %.*s  %-9.*s  %.*s\n", (int)time.size, time.data, (int)operation.size,
		       operation.data, (int)type.size, type.data, (int)data.size,
		       (char *)data.data);
	}
	return fflush(stdout) == 0 ? 0 : -1;
}

static int print_pages(struct cli *cli, const char *path, const char *cursor)
{
	char next[256] = "", url[512];
	snprintf(next, sizeof(next), "%s", cursor ? cursor : "");
	for (;;) {
		struct document *document ATTR_DOCUMENT = NULL;
		snprintf(url, sizeof(url), "%s?limit=500%s%s", path,
			 *next ? "&cursor=" : "&from=start", next);
		struct cli_call call = {.method = "GET", .path = text_of(url)};
		int status = cli_request(cli, &call, &document);
		if (status)
			return status;
		const struct document_value *items =
		    document_member(document_root(document), "items");
		size_t count = items ? document_count(items) : 0;
		for (size_t i = 0; i < count; i++) {
			const struct document_value *event = document_element(items, i);
			if (print_event(cli, cli_member(event, "type"), event) < 0)
				return EXIT_FAILED;
		}
		struct text more = cli_member(document_root(document), "nextCursor");
		if (count == 0 || more.size == 0)
			return EXIT_OK;
		snprintf(next, sizeof(next), "%.*s", (int)more.size, more.data);
	}
}

static int parse_options(struct events_options *options, int argc, char **argv)
{
	int option;
	while ((option = getopt_long(argc, argv, "fc:s:", long_options, NULL)) != -1) {
		if (option == 'f')
			options->follow = true;
		else if (option == 'c')
			options->cursor = optarg;
		else if (option == 's')
			options->stream = optarg;
		else
			return command_usage(&cmd_events);
	}
	if (optind < argc)
		options->operation = argv[optind++];
	return optind < argc ? command_usage(&cmd_events) : 0;
}

static int run_events(struct cli *cli, int argc, char **argv)
{
	char project[64], path[256];
	struct events_options options = {0};
	int status = parse_options(&options, argc, argv);
	if (status)
		return status;
	if (options.operation) {
		snprintf(path, sizeof(path), "/v1/operations/%s/events", options.operation);
	} else {
		status = cli_project(cli, project);
		if (status)
			return status;
		if (options.stream)
			snprintf(path, sizeof(path), "/v1/projects/%s/streams/%s/events", project,
				 options.stream);
		else
			snprintf(path, sizeof(path), "/v1/projects/%s/events", project);
	}
	if (!options.follow)
		return print_pages(cli, path, options.cursor);
	struct follow follow = {.cli = cli,
				.from = options.cursor,
				.on_event = print_event,
				.owner = cli,
				.is_endless = !options.operation};
	return follow_run(&follow, path);
}

const struct command cmd_events = {
    .name = "events",
    .arguments = "[--follow] [--cursor CURSOR] [--stream NAME | OP]",
    .summary = "Print the events of the project, a named stream or an operation",
    .help = "  -f, --follow         go on with what happens, until interrupted or the operation "
	    "has ended\n"
	    "  -c, --cursor CURSOR  begin behind this event\n"
	    "  -s, --stream NAME    only the messages of a named stream\n",
    .run = run_events,
};
