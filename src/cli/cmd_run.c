/* croft run: a command in the project, as if it ran here. */
#include "base/descriptor.h"
#include "base/encode.h"
#include "base/json.h"
#include "commands.h"
#include "follow.h"
#include "terminal.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	INPUT_PIECE = 32 << 10, /* of standard input in one call */
	INTERRUPTS_MAX = 3,     /* in a row, until croft leaves the command alone and ends */
	ENV_MAX = 256,
	FD_SIGNALS = 0, /* indices in follow.fds */
	FD_INPUT = 1,
};

struct run_options {
	const char *cwd, *timeout, *correlation;
	const char *env[ENV_MAX];
	size_t n_env;
	bool tty, interactive, background, shell;
};

struct run {
	struct cli *cli;
	struct run_options options;
	struct follow follow;
	char operation[64];
	int status;
	bool started; /* before it nothing takes input or signals */
	unsigned interrupts;

	/* Input goes up one piece at a time, the next when the last was taken: order is kept and
	 * nothing piles up. */
	struct client_request input_request;
	struct client_answer input_answer;
	struct client_exchange *input_exchange;
	struct buffer input_body;
	char input_path[128];
	bool input_over;
};

static const struct option long_options[] = {
    {"tty", no_argument, NULL, 't'},
    {"interactive", no_argument, NULL, 'i'},
    {"cwd", required_argument, NULL, 'C'},
    {"env", required_argument, NULL, 'e'},
    {"timeout", required_argument, NULL, 'T'},
    {"background", no_argument, NULL, 'b'},
    {"shell", no_argument, NULL, 's'},
    {"correlation", required_argument, NULL, 'c'},
    {0},
};

/* ---- the request ---- */

static int parse_options(struct run_options *options, int argc, char **argv)
{
	int option;
	while ((option = getopt_long(argc, argv, "+tiC:e:T:bsc:", long_options, NULL)) != -1) {
		switch (option) {
		case 't':
			options->tty = true;
			break;
		case 'i':
			options->interactive = true;
			break;
		case 'C':
			options->cwd = optarg;
			break;
		case 'e':
			if (!strchr(optarg, '=') || options->n_env == ENV_MAX)
				return cli_say(EXIT_USAGE, "--env takes NAME=VALUE");
			options->env[options->n_env++] = optarg;
			break;
		case 'T':
			options->timeout = optarg;
			break;
		case 'b':
			options->background = true;
			break;
		case 's':
			options->shell = true;
			break;
		case 'c':
			options->correlation = optarg;
			break;
		default:
			return command_usage(&cmd_run);
		}
	}
	return optind == argc ? command_usage(&cmd_run) : 0;
}

static void write_command(struct json *json, const struct run_options *options, char **argv)
{
	if (options->shell) {
		struct buffer line ATTR_BUFFER = {0};
		for (size_t i = 0; argv[i]; i++)
			buffer_append_format(&line, "%s%s", i ? " " : "", argv[i]);
		json_key(json, "shell");
		json_text(json, buffer_text(&line));
		return;
	}
	json_key(json, "argv");
	json_array(json);
	for (size_t i = 0; argv[i]; i++)
		json_cstring(json, argv[i]);
	json_array_end(json);
}

static void write_env(struct json *json, const struct run_options *options)
{
	char name[1024];
	json_key(json, "env");
	json_object(json);
	for (size_t i = 0; i < options->n_env; i++) {
		const char *equals = strchr(options->env[i], '=');
		snprintf(name, sizeof(name), "%.*s", (int)(equals - options->env[i]),
			 options->env[i]);
		json_key(json, name);
		json_cstring(json, equals + 1);
	}
	json_object_end(json);
}

static void write_pty(struct json *json)
{
	uint16_t cols = 80, rows = 24;
	terminal_size(&cols, &rows);
	json_key(json, "pty");
	json_object(json);
	json_key(json, "cols");
	json_u64(json, cols);
	json_key(json, "rows");
	json_u64(json, rows);
	json_object_end(json);
}

static int write_request(const struct run *run, char **argv, struct buffer *body)
{
	const struct run_options *options = &run->options;
	struct json json = json_to(body);
	json_object(&json);
	json_key(&json, "type");
	json_cstring(&json, "command.run");
	json_key(&json, "input");
	json_object(&json);
	write_command(&json, options, argv);
	if (options->n_env)
		write_env(&json, options);
	if (options->cwd) {
		json_key(&json, "cwd");
		json_cstring(&json, options->cwd);
	}
	if (options->tty)
		write_pty(&json);
	if (options->interactive || options->tty) {
		json_key(&json, "stdinOpen");
		json_bool(&json, true);
	}
	if (options->background) {
		json_key(&json, "background");
		json_bool(&json, true);
	}
	json_object_end(&json);
	if (options->correlation) {
		json_key(&json, "correlationId");
		json_cstring(&json, options->correlation);
	}
	if (options->timeout) {
		json_key(&json, "timeoutMs");
		json_u64(&json, strtoull(options->timeout, NULL, 10) * 1000);
	}
	json_object_end(&json);
	return buffer_check(body);
}

/* ---- signals and input, forwarded ---- */

static int post(struct run *run, const char *what, struct text body)
{
	char path[128];
	struct document *document ATTR_DOCUMENT = NULL;
	snprintf(path, sizeof(path), "/v1/operations/%s/%s", run->operation, what);
	struct cli_call call = {
	    .method = "POST", .path = text_of(path), .has_body = body.size > 0, .body = body};
	return cli_request(run->cli, &call, &document);
}

static const char *signal_name(uint32_t number)
{
	switch (number) {
	case SIGINT:
		return "SIGINT";
	case SIGTERM:
		return "SIGTERM";
	case SIGQUIT:
		return "SIGQUIT";
	default:
		return "SIGHUP";
	}
}

static int forward_signal(struct run *run, uint32_t number)
{
	char body[64];
	uint16_t cols, rows;
	if (number == SIGWINCH) {
		if (!run->options.tty || !terminal_size(&cols, &rows))
			return 0;
		int size = snprintf(body, sizeof(body), "{\"cols\":%u,\"rows\":%u}", cols, rows);
		post(run, "resize", (struct text){body, (size_t)size});
		return 0;
	}
	if (number == SIGINT && ++run->interrupts > INTERRUPTS_MAX) {
		run->status = cli_say(128 + SIGINT, "left alone: `croft ops cancel %s` ends it",
				      run->operation);
		return -1;
	}
	if (!run->started) {
		post(run, "cancel", (struct text){0});
		return 0;
	}
	int size = snprintf(body, sizeof(body), "{\"signal\":\"%s\"}", signal_name(number));
	post(run, "signal", (struct text){body, (size_t)size});
	return 0;
}

static int take_signal(struct run *run)
{
	struct signalfd_siginfo info;
	if (read(run->follow.fds[FD_SIGNALS].fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return forward_signal(run, info.ssi_signo);
}

static int finish_input(struct run *run)
{
	if (!run->input_exchange || !client_is_done(run->input_exchange))
		return 0;
	int status = run->input_answer.status;
	client_end(run->input_exchange);
	client_answer_free(&run->input_answer);
	run->input_exchange = NULL;
	if (status >= 200 && status < 300)
		return 0;
	if (status != 409) /* 409: the command has ended and reads no more */
		cli_say(0, "standard input can no longer be forwarded (%d)", status);
	run->input_over = true;
	return 0;
}

static int send_input(struct run *run, struct bytes data, bool eof)
{
	struct json json = json_to(&run->input_body);
	buffer_clear(&run->input_body);
	json_object(&json);
	json_key(&json, "dataBase64");
	json_base64(&json, data);
	json_key(&json, "eof");
	json_bool(&json, eof);
	json_object_end(&json);
	run->input_request = (struct client_request){.method = "POST",
						     .path = text_of(run->input_path),
						     .has_body = true,
						     .body = buffer_text(&run->input_body)};
	run->input_answer = (struct client_answer){0};
	return client_begin(run->cli->client, &run->input_request, &run->input_answer,
			    &run->input_exchange);
}

/* Standard input is waited for only while no piece of it is on its way. */
static void arm_input(void *owner)
{
	struct run *run = owner;
	finish_input(run);
	bool wanted = run->started && !run->input_over && !run->input_exchange &&
		      run->follow.n_fds > FD_INPUT;
	run->follow.fds[FD_INPUT].fd = wanted ? STDIN_FILENO : run->follow.fds[FD_SIGNALS].fd;
}

static int take_input(struct run *run)
{
	uint8_t piece[INPUT_PIECE];
	ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	run->input_over = n == 0;
	return send_input(run, (struct bytes){piece, (size_t)n}, n == 0);
}

static int on_ready(void *owner, unsigned index)
{
	struct run *run = owner;
	if (index == FD_INPUT && run->follow.fds[FD_INPUT].fd == STDIN_FILENO)
		return take_input(run);
	return take_signal(run);
}

/* ---- events ---- */

static int print_chunk(const struct document_value *data)
{
	struct buffer raw ATTR_BUFFER = {0};
	struct text text = cli_member(data, "text"), stream = cli_member(data, "stream");
	int out = text_equal(stream, TEXT("stderr")) ? STDERR_FILENO : STDOUT_FILENO;
	struct text encoded = cli_member(data, "base64");
	if (encoded.size && decode_base64(&raw, encoded) == 0)
		text = buffer_text(&raw);
	return descriptor_write_all(out, text_bytes(text));
}

static int signal_number(struct text name)
{
	for (int number = 1; number < NSIG; number++) {
		const char *short_name = sigabbrev_np(number);
		if (short_name && text_equal(text_skip(name, 3), text_of(short_name)))
			return number;
	}
	return 0;
}

static void take_result(struct run *run, const struct document_value *data)
{
	const struct document_value *result = document_member(data, "result");
	const struct document_value *code = result && document_kind(result) == DOCUMENT_IS_OBJECT
						? document_member(result, "exitCode")
						: NULL;
	struct text signal = cli_member(result, "signal");
	if (code && document_kind(code) == DOCUMENT_IS_INTEGER)
		run->status = (int)document_integer(code);
	else if (signal.size)
		run->status = 128 + signal_number(signal);
	else
		run->status = EXIT_OK;
	if (run->options.background && !run->cli->quiet)
		fprintf(stderr, "croft: running in the background, started by %s\n",
			run->operation);
}

static void take_failure(struct run *run, const struct document_value *data)
{
	const struct document_value *error = document_member(data, "error");
	struct text code = cli_member(error, "code"), title = cli_member(error, "title"),
		    detail = cli_member(error, "detail");
	run->status = text_equal(code, TEXT("timeout")) ? EXIT_RUN_TIMEOUT : EXIT_RUN_FAILED;
	cli_say(0, "%.*s%s%.*s (%.*s)", (int)title.size, title.data, detail.size ? ": " : "",
		(int)detail.size, detail.data, (int)code.size, code.data);
}

static int on_event(void *owner, struct text type, const struct document_value *event)
{
	struct run *run = owner;
	const struct document_value *data = document_member(event, "data");
	run->started |= text_equal(type, TEXT("started"));
	if (run->cli->json) {
		output_json(event);
		fflush(stdout);
	} else if (data && text_equal(type, TEXT("chunk"))) {
		return print_chunk(data);
	}
	if (data && text_equal(type, TEXT("completed")))
		take_result(run, data);
	else if (data && text_equal(type, TEXT("failed")))
		take_failure(run, data);
	return 0;
}

/* ---- the command ---- */

static int start(struct run *run, char **argv)
{
	char project[64], key[40], path[128];
	struct buffer body ATTR_BUFFER = {0};
	struct document *document ATTR_DOCUMENT = NULL;
	int status = cli_project(run->cli, project);
	if (status)
		return status;
	if (write_request(run, argv, &body) < 0)
		return cli_say(EXIT_USAGE, "the command line is too long");
	snprintf(path, sizeof(path), "/v1/projects/%s/operations", project);
	cli_new_key(key);
	struct cli_call call = {.method = "POST",
				.path = text_of(path),
				.has_body = true,
				.body = buffer_text(&body),
				.idempotency_key = key};
	status = cli_request(run->cli, &call, &document);
	if (status)
		return status;
	struct text id = cli_member(document_root(document), "id");
	snprintf(run->operation, sizeof(run->operation), "%.*s", (int)id.size, id.data);
	snprintf(run->input_path, sizeof(run->input_path), "/v1/operations/%s/input",
		 run->operation);
	return 0;
}

static void watch(struct run *run)
{
	sigset_t forwarded;
	static const int signals[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGWINCH};
	sigemptyset(&forwarded);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&forwarded, signals[i]);
	sigprocmask(SIG_BLOCK, &forwarded, NULL);
	run->follow.fds[FD_SIGNALS].fd = signalfd(-1, &forwarded, SFD_CLOEXEC | SFD_NONBLOCK);
	run->follow.n_fds = run->follow.fds[FD_SIGNALS].fd < 0 ? 0 : 1;
	run->input_over = !(run->options.interactive || run->options.tty);
	if (run->follow.n_fds && !run->input_over)
		run->follow.n_fds = 2;
}

static int run_command(struct cli *cli, int argc, char **argv)
{
	char path[128];
	struct run run = {.cli = cli, .status = EXIT_RUN_FAILED};
	int status = parse_options(&run.options, argc, argv);
	if (status)
		return status;
	run.options.tty = run.options.tty && isatty(STDIN_FILENO);
	status = start(&run, argv + optind);
	if (status)
		return status == EXIT_FAILED ? EXIT_RUN_FAILED : status;
	watch(&run);
	if (run.options.tty)
		terminal_make_raw();
	run.follow.cli = cli;
	run.follow.on_event = on_event;
	run.follow.on_ready = on_ready;
	run.follow.before_wait = arm_input;
	run.follow.owner = &run;
	snprintf(path, sizeof(path), "/v1/operations/%s/events", run.operation);
	status = follow_run(&run.follow, path);
	terminal_restore();
	client_end(run.input_exchange);
	client_answer_free(&run.input_answer);
	buffer_free(&run.input_body);
	return status && run.status == EXIT_RUN_FAILED ? EXIT_RUN_FAILED : run.status;
}

const struct command cmd_run = {
    .name = "run",
    .arguments = "[OPTION]... [--] COMMAND [ARGUMENT]...",
    .summary = "Run a command in the project; the exit status is the command's own",
    .help = "  -t, --tty              with a terminal of this one's size; keys go through\n"
	    "  -i, --interactive      forward standard input\n"
	    "  -s, --shell            COMMAND is text for /bin/sh -c\n"
	    "  -C, --cwd DIR          folder to run in (default /project)\n"
	    "  -e, --env NAME=VALUE   add to the environment; may be repeated\n"
	    "  -T, --timeout SECONDS  end it after this time\n"
	    "  -c, --correlation ID   name that ties several operations together\n"
	    "  -b, --background       return once it runs; it lives on in the instance\n"
	    "\n"
	    "Signals are forwarded. When the connection breaks, the command goes on, and its "
	    "output continues where it\n"
	    "stopped as soon as the server can be reached. Exit status 124: out of time; 125: it "
	    "did not run to its end.\n",
    .run = run_command,
};
