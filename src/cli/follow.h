/* Follows events, an operation's to its end, whatever happens to the connection: after a break it
 * goes on behind the last event that was seen, so that nothing is missed and nothing is shown
 * twice. */
#pragma once

#include "command.h"
#include "sse_parser.h"

struct follow {
	struct cli *cli;
	const char *from; /* cursor to begin behind; NULL: where the server begins */
	bool is_endless;  /* events of many operations: a terminal one ends nothing */

	/* Each event, as the server's JSON, parsed. Negative breaks off. */
	int (*on_event)(void *owner, struct text type, const struct document_value *event);
	/* Descriptors to wait for besides the network: `before_wait`, which may be NULL, chooses
	 * them, and may end exchanges, which a handler of events must not. */
	struct pollfd fds[4];
	unsigned n_fds;
	void (*before_wait)(void *owner);
	int (*on_ready)(void *owner, unsigned index);
	void *owner;

	/* The state of it. */
	struct sse_parser parser;
	struct client_request request;
	struct client_answer answer;
	struct client_exchange *exchange;
	int result;
	bool ended; /* the terminal event came */
	bool lost;  /* there was a break since the last event: said once */
	unsigned breaks;
};

/* 0 after the terminal event; an exit status otherwise, after having said why. */
int follow_run(struct follow *follow, const char *path);
