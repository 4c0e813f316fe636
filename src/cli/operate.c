#include "operate.h"

#include <stdio.h>
#include <time.h>

enum { POLL_MS = 250 };

static int wait_for_end(struct cli *cli, const char *id, struct document **operation)
{
	char path[128];
	snprintf(path, sizeof(path), "/v1/operations/%s", id);
	for (;;) {
		struct cli_call call = {.method = "GET", .path = text_of(path)};
		document_free(operation);
		int status = cli_request(cli, &call, operation);
		if (status)
			return status;
		struct text state = cli_member(document_root(*operation), "state");
		if (text_equal(state, TEXT("completed")) || text_equal(state, TEXT("failed")))
			return 0;
		nanosleep(&(struct timespec){0, POLL_MS * 1000000L}, NULL);
	}
}

static int say_failure(const struct document_value *operation)
{
	const struct document_value *error = document_member(operation, "error");
	struct text title = cli_member(error, "title"), detail = cli_member(error, "detail"),
		    code = cli_member(error, "code");
	return cli_say(EXIT_FAILED, "%.*s%s%.*s (%.*s)", (int)title.size, title.data,
		       detail.size ? ": " : "", (int)detail.size, detail.data, (int)code.size,
		       code.data);
}

int operate(struct cli *cli, const char *type, struct text input, struct document **operation)
{
	char project[64], path[128], key[40], id[64];
	struct buffer body ATTR_BUFFER = {0};
	int status = cli_project(cli, project);
	if (status)
		return status;
	snprintf(path, sizeof(path), "/v1/projects/%s/operations", project);
	cli_new_key(key);
	buffer_append_format(&body, "{\"type\":\"%s\",\"input\":", type);
	buffer_append_text(&body, input);
	buffer_append_byte(&body, '}');
	struct cli_call call = {.method = "POST",
				.path = text_of(path),
				.has_body = true,
				.body = buffer_text(&body),
				.idempotency_key = key,
				.prefer = "wait=30"};
	status = cli_request(cli, &call, operation);
	if (status)
		return status;
	struct text text = cli_member(document_root(*operation), "id");
	snprintf(id, sizeof(id), "%.*s", (int)text.size, text.data);
	status = wait_for_end(cli, id, operation);
	if (status == 0 &&
	    text_equal(cli_member(document_root(*operation), "state"), TEXT("failed")))
		status = say_failure(document_root(*operation));
	return status;
}
