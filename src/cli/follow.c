#include "follow.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

enum {
	SILENCE_MS = 45000, /* the server says something at least every 15 s */
	TURN_MS = 500,
	BREAKS_MAX = 60,
	BREAK_FIRST_MS = 100,
	BREAK_MAX_MS = 5000,
	EVENT_LIMIT = 16 << 20,
};

static void on_sse_event(void *owner, const struct sse_event *sse)
{
	struct follow *follow = owner;
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_error error;
	if (follow->result || follow->ended)
		return;
	if (document_parse(text_bytes(sse->data), EVENT_LIMIT, &document, &error)) {
		follow->result = cli_say(EXIT_FAILED, "an event is not JSON: %s", error.message);
		return;
	}
	follow->breaks = 0;
	follow->lost = false;
	if (follow->on_event(follow->owner, sse->type, document_root(document)) < 0)
		follow->result = EXIT_FAILED;
	follow->ended = !follow->is_endless && (text_equal(sse->type, TEXT("completed")) ||
						text_equal(sse->type, TEXT("failed")));
}

static int on_data(void *owner, struct bytes piece)
{
	struct follow *follow = owner;
	int r = sse_parser_feed(&follow->parser, piece);
	return follow->result || follow->ended ? -1 : r;
}

/* What waits besides the network also goes on while there is none. */
static int turn(struct follow *follow)
{
	if (follow->before_wait)
		follow->before_wait(follow->owner);
	for (unsigned i = 0; i < follow->n_fds; i++)
		follow->fds[i].revents = 0;
	if (client_turn(follow->cli->client, follow->fds, follow->n_fds, TURN_MS) < 0)
		return cli_say(EXIT_FAILED, "out of memory");
	for (unsigned i = 0; i < follow->n_fds; i++)
		if (follow->fds[i].revents && follow->on_ready(follow->owner, i) < 0)
			return EXIT_FAILED;
	return 0;
}

static int connect_once(struct follow *follow, const char *path)
{
	char last[512];
	const char *headers[] = {"Accept: text/event-stream", NULL, NULL};
	if (follow->parser.id.size > 0) {
		snprintf(last, sizeof(last), "Last-Event-ID: %.*s", (int)follow->parser.id.size,
			 (char *)follow->parser.id.data);
		headers[1] = last;
	}
	follow->request = (struct client_request){.method = "GET",
						  .path = text_of(path),
						  .headers = headers,
						  .timeout_ms = SILENCE_MS,
						  .on_data = on_data,
						  .owner = follow};
	follow->answer = (struct client_answer){0};
	sse_parser_restart(&follow->parser);
	if (client_begin(follow->cli->client, &follow->request, &follow->answer,
			 &follow->exchange) < 0)
		return cli_say(EXIT_FAILED, "out of memory");
	int status = 0;
	while (status == 0 && !client_is_done(follow->exchange) && !follow->result &&
	       !follow->ended)
		status = turn(follow);
	client_end(follow->exchange);
	return status;
}

static int wait_before_retry(struct follow *follow)
{
	uint64_t delay = (uint64_t)BREAK_FIRST_MS << (follow->breaks < 6 ? follow->breaks : 6);
	uint64_t until = clock_monotonic_ms() + (delay > BREAK_MAX_MS ? BREAK_MAX_MS : delay);
	int status = 0;
	if (!follow->lost && !follow->cli->quiet && isatty(STDERR_FILENO))
		cli_say(0, "the connection is lost; the operation goes on; trying again");
	follow->lost = true;
	while (status == 0 && clock_monotonic_ms() < until)
		status = turn(follow);
	return status;
}

/* A refusal that will not change by asking again. */
static bool is_final(const struct client_answer *answer)
{
	return answer->status >= 400 && answer->status != 429 && answer->status != 502 &&
	       answer->status != 503 && answer->status != 504;
}

int follow_run(struct follow *follow, const char *path)
{
	int status = cli_connect(follow->cli);
	follow->parser.on_event = on_sse_event;
	follow->parser.owner = follow;
	if (follow->from)
		buffer_append_text(&follow->parser.id, text_of(follow->from));
	while (status == 0 && !follow->ended && follow->result == 0) {
		status = connect_once(follow, path);
		if (status || follow->ended || follow->result)
			break;
		if (is_final(&follow->answer))
			status = cli_say_problem(&follow->answer);
		else if (++follow->breaks > BREAKS_MAX)
			status = cli_say(EXIT_UNREACHABLE, "%s: %s", follow->cli->url,
					 follow->answer.trouble);
		else
			status = wait_before_retry(follow);
		client_answer_free(&follow->answer);
	}
	client_answer_free(&follow->answer);
	sse_parser_free(&follow->parser);
	return status ? status : follow->result;
}
