#include "audit_verify.h"

#include "base/descriptor.h"
#include "commands.h"
#include "engine/ledger/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FILE_LIMIT = 4096, FILE_LIMIT = 64 << 20 };

struct verify_options {
	const char *key, *known, *target;
};

static const struct option long_options[] = {
    {"key", required_argument, NULL, 'k'}, {"known", required_argument, NULL, 'n'}, {0}};

static int parse_options(struct verify_options *options, int argc, char **argv)
{
	int option;
	while ((option = getopt_long(argc, argv, "k:n:", long_options, NULL)) != -1) {
		if (option == 'k')
			options->key = optarg;
		else if (option == 'n')
			options->known = optarg;
		else
			return command_usage(&cmd_audit);
	}
	if (argc - optind != 1)
		return command_usage(&cmd_audit);
	options->target = argv[optind];
	return 0;
}

static int read_key(int directory, const char *name, struct checkpoint_key *key)
{
	struct buffer content ATTR_BUFFER = {.limit = KEY_FILE_LIMIT};
	int r = file_read(directory, name, &content);
	if (r < 0)
		return cli_say(EXIT_FAILED, "%s: %s (the log's public key; see --key)", name,
			       strerror(-r));
	struct text line, rest = buffer_text(&content);
	text_split(&rest, '\n', &line);
	if (checkpoint_key_parse(text_trim(line), key))
		return cli_say(EXIT_FAILED, "%s is not a log's public key", name);
	return 0;
}

static int say_report(const struct cli *cli, const struct verify_report *report)
{
	bool sound = report->outcome == VERIFY_SOUND;
	if (cli->json) {
		printf("{\"sound\":%s,\"outcome\":\"%s\",\"entries\":%llu,\"size\":%llu",
		       sound ? "true" : "false", verify_outcome_names[report->outcome],
		       (unsigned long long)report->entries,
		       (unsigned long long)report->checkpoint.size);
		if (report->has_position)
			printf(",\"position\":%llu", (unsigned long long)report->position);
		puts("}");
	} else if (sound) {
		printf("sound: %llu entries, in a log of %llu that is signed\n",
		       (unsigned long long)report->entries,
		       (unsigned long long)report->checkpoint.size);
	} else {
		printf("NOT SOUND: %s", verify_outcome_names[report->outcome]);
		if (report->has_position)
			printf(" at %llu", (unsigned long long)report->position);
		printf("%s%s\n", *report->detail ? ": " : "", report->detail);
	}
	return sound ? EXIT_OK : EXIT_FAILED;
}

/* ---- a server's published files ---- */

struct url_reader {
	struct verify_reader reader;
	struct cli *cli;
};

static int read_url(const struct verify_reader *reader, const char *name, struct buffer *out)
{
	struct cli *cli = container_of(reader, const struct url_reader, reader)->cli;
	struct buffer path ATTR_BUFFER = {0};
	struct client_answer answer ATTR_ANSWER = {0};
	buffer_append_format(&path, "/v1/audit/%s", name);
	struct client_request request = {.method = "GET", .path = buffer_text(&path)};
	int r = client_call(cli->client, &request, &answer);
	if (r < 0)
		return r;
	if (answer.status == 404)
		return 1;
	if (answer.status != 200 || answer.broken)
		return -EIO;
	buffer_append_text(out, buffer_text(&answer.body));
	return buffer_check(out);
}

/* ---- the three kinds of target ---- */

static int check_log(struct cli *cli, const struct verify_options *options,
		     const struct verify_reader *reader, int folder)
{
	struct checkpoint_key key;
	struct verify_report report;
	struct buffer known ATTR_BUFFER = {.limit = CHECKPOINT_SIZE_LIMIT};
	int status = options->key ? read_key(AT_FDCWD, options->key, &key)
				  : read_key(folder, "key.pub", &key);
	if (status)
		return status;
	int r = options->known ? file_read(AT_FDCWD, options->known, &known) : 0;
	if (r < 0)
		return cli_say(EXIT_FAILED, "%s: %s", options->known, strerror(-r));
	if (verify_log(reader, &key, buffer_text(&known), &report) < 0)
		return cli_say(EXIT_FAILED, "out of memory");
	return say_report(cli, &report);
}

static int check_folder(struct cli *cli, const struct verify_options *options, int directory)
{
	struct verify_folder folder;
	verify_folder_init(&folder, directory);
	return check_log(cli, options, &folder.reader, directory);
}

static int check_url(struct cli *cli, const struct verify_options *options)
{
	struct url_reader reader = {.reader = {read_url}, .cli = cli};
	cli->url = options->target;
	if (!options->key)
		return cli_say(EXIT_USAGE,
			       "a server cannot vouch for itself: name its public key with --key");
	int status = cli_connect(cli);
	return status ? status : check_log(cli, options, &reader.reader, -1);
}

static int check_export(struct cli *cli, const struct verify_options *options, int fd)
{
	struct checkpoint_key key;
	struct verify_report report;
	struct buffer content ATTR_BUFFER = {.limit = VERIFY_EXPORT_LIMIT};
	struct buffer known ATTR_BUFFER = {.limit = CHECKPOINT_SIZE_LIMIT};
	if (!options->key)
		return cli_say(EXIT_USAGE, "name the log's public key with --key");
	int status = read_key(AT_FDCWD, options->key, &key);
	if (status)
		return status;
	int r = descriptor_read_to_end(fd, &content);
	if (r == 0 && options->known)
		r = file_read(AT_FDCWD, options->known, &known);
	if (r == 0)
		r = verify_export(buffer_text(&content), &key, buffer_text(&known), &report);
	return r < 0 ? cli_say(EXIT_FAILED, "%s: %s", options->target, strerror(-r))
		     : say_report(cli, &report);
}

int audit_verify_run(struct cli *cli, int argc, char **argv)
{
	struct verify_options options = {0};
	struct stat target;
	optind = 0;
	int status = parse_options(&options, argc, argv);
	if (status)
		return status;
	if (strncmp(options.target, "http://", 7) == 0 ||
	    strncmp(options.target, "https://", 8) == 0)
		return check_url(cli, &options);
	int fd ATTR_DESCRIPTOR = open(options.target, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &target) < 0)
		return cli_say(EXIT_FAILED, "%s: %s", options.target, strerror(errno));
	return S_ISDIR(target.st_mode) ? check_folder(cli, &options, fd)
				       : check_export(cli, &options, fd);
}
