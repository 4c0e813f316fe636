#include "base/encode.h"
#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
	ANSWER_LIMIT = 64 << 20,
	REPEATS_MAX = 8,
	READ_REPEATS_MAX = 3, /* somebody waits for it, and nothing is lost */
	REPEAT_FIRST_MS = 200,
	REPEAT_MAX_MS = 5000,
};

int cli_say(int status, const char *format, ...)
{
	va_list args;
	fputs("croft: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

int cli_connect(struct cli *cli)
{
	if (cli->client)
		return 0;
	if (!cli->key)
		return cli_say(EXIT_USAGE, "no key: set CROFT_API_KEY or run `croft login`");
	if (client_new(&cli->client, cli->url, cli->key, cli->ca) < 0)
		return cli_say(EXIT_FAILED, "out of memory");
	return 0;
}

struct text cli_member(const struct document_value *object, const char *name)
{
	const struct document_value *value = object && document_kind(object) == DOCUMENT_IS_OBJECT
						 ? document_member(object, name)
						 : NULL;
	return value && document_kind(value) == DOCUMENT_IS_TEXT ? document_text(value) : TEXT("");
}

void cli_new_key(char out[40])
{
	uint8_t raw[16];
	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		abort();
	encode_hex((struct bytes){raw, sizeof(raw)}, out);
}

int cli_say_problem(const struct client_answer *answer)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_error error;
	if (document_parse(buffer_bytes(&answer->body), ANSWER_LIMIT, &document, &error))
		return cli_say(EXIT_FAILED, "the server answered %d", answer->status);
	const struct document_value *problem = document_root(document);
	struct text title = cli_member(problem, "title"), detail = cli_member(problem, "detail"),
		    code = cli_member(problem, "code"), request = cli_member(problem, "requestId");
	fprintf(stderr, "croft: %.*s", (int)title.size, title.data);
	if (detail.size)
		fprintf(stderr, ": %.*s", (int)detail.size, detail.data);
	fprintf(stderr, " (%.*s%s%.*s)\n", (int)code.size, code.data,
		request.size ? ", request " : "", (int)request.size, request.data);
	return EXIT_FAILED;
}

static void wait_ms(int ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

/* No answer, or one that says to come again: with an idempotency key, or to a read, repeating is
 * safe. */
static bool is_worth_repeating(const struct cli_call *call, const struct client_answer *answer)
{
	bool safe = call->idempotency_key || strcmp(call->method, "GET") == 0;
	return safe && !answer->hopeless &&
	       (answer->status == 0 || answer->broken || answer->status == 503);
}

static int exchange_once(struct cli *cli, const struct cli_call *call, struct client_answer *answer)
{
	char key[300], prefer[64];
	const char *headers[3];
	size_t count = 0;
	if (call->idempotency_key) {
		snprintf(key, sizeof(key), "Idempotency-Key: %s", call->idempotency_key);
		headers[count++] = key;
	}
	if (call->prefer) {
		snprintf(prefer, sizeof(prefer), "Prefer: %s", call->prefer);
		headers[count++] = prefer;
	}
	headers[count] = NULL;
	struct client_request request = {.method = call->method,
					 .path = call->path,
					 .headers = headers,
					 .has_body = call->has_body,
					 .body = call->body};
	client_answer_free(answer);
	*answer = (struct client_answer){0};
	return client_call(cli->client, &request, answer);
}

static int exchange_repeatedly(struct cli *cli, const struct cli_call *call,
			       struct client_answer *answer)
{
	int delay = REPEAT_FIRST_MS, r = 0;
	int repeats = call->idempotency_key ? REPEATS_MAX : READ_REPEATS_MAX;
	for (int i = 0; i < repeats; i++) {
		r = exchange_once(cli, call, answer);
		if (r < 0 || !is_worth_repeating(call, answer))
			return r;
		if (i == 0 && !cli->quiet)
			cli_say(0, "no answer yet (%s); trying again",
				answer->status ? "the server is not ready" : answer->trouble);
		wait_ms(delay);
		delay = delay * 2 > REPEAT_MAX_MS ? REPEAT_MAX_MS : delay * 2;
	}
	return r;
}

int cli_request(struct cli *cli, const struct cli_call *call, struct document **document)
{
	struct client_answer answer ATTR_ANSWER = {0};
	struct document_error error;
	int status = cli_connect(cli);
	if (status)
		return status;
	if (exchange_repeatedly(cli, call, &answer) < 0)
		return cli_say(EXIT_FAILED, "out of memory");
	if (answer.status == 0 || answer.broken)
		return cli_say(EXIT_UNREACHABLE, "%s: %s", cli->url, answer.trouble);
	if (answer.status < 200 || answer.status > 299)
		return cli_say_problem(&answer);
	*document = NULL;
	if (answer.body.size > 0 &&
	    document_parse(buffer_bytes(&answer.body), ANSWER_LIMIT, document, &error))
		return cli_say(EXIT_FAILED, "the server's answer is not JSON: %s", error.message);
	return 0;
}

/* ---- names to identifiers ---- */

static bool is_called(const struct document_value *item, const char *name)
{
	static const char *const names[] = {"id", "name", "email", "subject"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_equal(cli_member(item, names[i]), text_of(name)))
			return true;
	return false;
}

int cli_find(struct cli *cli, const char *list_path, const char *name, const char *what,
	     char out[64])
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct cli_call call = {.method = "GET", .path = text_of(list_path)};
	int status = cli_request(cli, &call, &document);
	if (status)
		return status;
	const struct document_value *items =
	    document ? document_member(document_root(document), "items") : NULL;
	size_t count =
	    items && document_kind(items) == DOCUMENT_IS_LIST ? document_count(items) : 0;
	if (!name && count == 1) {
		struct text id = cli_member(document_element(items, 0), "id");
		snprintf(out, 64, "%.*s", (int)id.size, id.data);
		return 0;
	}
	if (!name)
		return cli_say(EXIT_USAGE, "which %s? name one with an option, or `croft %s use`",
			       what, what);
	for (size_t i = 0; i < count; i++) {
		const struct document_value *item = document_element(items, i);
		if (!is_called(item, name))
			continue;
		struct text id = cli_member(item, "id");
		snprintf(out, 64, "%.*s", (int)id.size, id.data);
		return 0;
	}
	return cli_say(EXIT_FAILED, "there is no %s \"%s\"", what, name);
}

int cli_workspace(struct cli *cli, char out[64])
{
	if (cli->workspace && strncmp(cli->workspace, "ws_", 3) == 0) {
		snprintf(out, 64, "%s", cli->workspace);
		return 0;
	}
	return cli_find(cli, "/v1/workspaces?limit=1000", cli->workspace, "workspace", out);
}

int cli_project(struct cli *cli, char out[64])
{
	char workspace[64], path[128];
	if (cli->project && strncmp(cli->project, "prj_", 4) == 0) {
		snprintf(out, 64, "%s", cli->project);
		return 0;
	}
	int status = cli_workspace(cli, workspace);
	if (status)
		return status;
	snprintf(path, sizeof(path), "/v1/workspaces/%s/projects?limit=1000", workspace);
	return cli_find(cli, path, cli->project, "project", out);
}
