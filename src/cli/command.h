/* The commands of croft. Each file cmd_*.c holds one command, a `const struct command`; commands.c
 * lists them, and from that list come dispatch, help, completion and the check of the manual page.
 */
#pragma once

#include "client.h"

#include <stdbool.h>

enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1, /* the server refused, or the operation failed */
	EXIT_USAGE = 2,
	EXIT_UNREACHABLE = 3,   /* no answer from the server */
	EXIT_RUN_TIMEOUT = 124, /* croft run: the operation ran out of time */
	EXIT_RUN_FAILED = 125,  /* croft run: the command never ended by itself */
};

struct cli {
	struct client *client; /* made by cli_connect() */
	const char *url, *key, *ca, *workspace,
	    *project; /* from options, environment, configuration; may be NULL */
	bool json;
	bool quiet;
};

struct command {
	const char *name;
	const char *arguments; /* for the usage line */
	const char *summary;
	const char *help; /* the options, one a line; also read by completion */
	int (*run)(struct cli *cli, int argc,
		   char **argv); /* argv[0] is the command's name; exit status */
};

extern const struct command *const commands[];
extern const size_t n_commands;

/* Says the command's usage on standard error and returns EXIT_USAGE. */
int command_usage(const struct command *command);

/* 0, or an exit status after having said why. */
int cli_connect(struct cli *cli);

/* One call. 0 and the parsed answer (NULL if it is empty), or an exit status after having said why.
 * A call with an idempotency key is repeated while there is no answer. */
struct cli_call {
	const char *method;
	struct text path;
	bool has_body;
	struct text body;
	const char *idempotency_key;
	const char *prefer;
};
int cli_request(struct cli *cli, const struct cli_call *call, struct document **answer);

/* Says what a problem document says; returns the exit status. */
int cli_say_problem(const struct client_answer *answer);

/* The identifier of the object in a list that has `name` as its identifier, name, e-mail or
 * subject; without a name that of the only one. `what` it is, is for messages. */
int cli_find(struct cli *cli, const char *list_path, const char *name, const char *what,
	     char out[64]);

/* The project in use as an identifier, from an identifier or a name. */
int cli_project(struct cli *cli, char out[64]);
int cli_workspace(struct cli *cli, char out[64]);

/* Random text for Idempotency-Key. */
void cli_new_key(char out[40]);

/* Member of an object as text, "" if it is missing, null or no text. */
struct text cli_member(const struct document_value *object, const char *name);

int cli_say(int status, const char *format, ...) ATTR_PRINTF(2, 3);
