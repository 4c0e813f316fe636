/* HTTP towards a Croft server, over libcurl's multi interface, so that a command can stream events
 * while it forwards input and signals. One client per process; it owns its connections and the
 * credential. */
#pragma once

#include "base/buffer.h"
#include "json/document.h"

#include <poll.h>

struct client;

struct client_request {
	const char *method;
	struct text path;           /* "/v1/…", query included, percent-encoded */
	const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
	bool has_body;
	struct text body; /* JSON; must live until the answer */
	int body_file;    /* with `upload`: streamed from here */
	bool upload;
	int64_t body_file_size; /* -1: not known, sent chunked */
	uint64_t timeout_ms;    /* of silence; 0: none */

	/* Pieces of a successful answer's body go here as they come; without it they gather in the
	 * answer. */
	int (*on_data)(void *owner, struct bytes piece);
	/* Bytes up or down so far and in all (-1: not known). */
	void (*on_progress)(void *owner, int64_t done, int64_t total);
	void *owner;
};

struct client_answer {
	int status;    /* 0: there was no answer; `trouble` says why */
	bool broken;   /* the connection ended before the answer did */
	bool hopeless; /* no answer, and asking again would not change that */
	struct buffer body;
	struct buffer headers; /* as they came */
	char trouble[256];
};

void client_answer_free(struct client_answer *answer);
#define ATTR_ANSWER ATTR_CLEANUP(client_answer_free)

/* `ca`: PEM of the certification authorities to trust, NULL for those of the system. `url`, `key`
 * are copied, `ca` must live as long. */
int client_new(struct client **client, const char *url, const char *key,
	       const char *ca) ATTR_MUST_CHECK;
void client_free(struct client *client);

/* Sends and waits for the whole answer. */
int client_call(struct client *client, const struct client_request *request,
		struct client_answer *answer);

/* The same in steps: begin, then turn until `done`. The request and the answer stay where they are
 * until then. */
struct client_exchange;
int client_begin(struct client *client, const struct client_request *request,
		 struct client_answer *answer, struct client_exchange **exchange) ATTR_MUST_CHECK;
bool client_is_done(const struct client_exchange *exchange);
void client_end(struct client_exchange *exchange); /* breaks it off if it is not done */

/* Waits for the network, for one of `fds` or for the time, and lets all exchanges go on. */
int client_turn(struct client *client, struct pollfd *fds, unsigned count, int timeout_ms);

/* The value of a header of the answer, or an empty text. */
struct text client_header(const struct client_answer *answer, struct text name);

/* Appends `text` percent-encoded for a path segment or a query value; '/' stays if `keep_slash`. */
void client_escape(struct buffer *out, struct text text, bool keep_slash);
