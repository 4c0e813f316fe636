/* One request of a client and its answer, from the head of the one to the end of the other. The
 * exchange decides which way it goes and owns everything that way needs; closing it, because it is
 * done or because the client is gone, lets all of it go: control is told, pipes are closed, readers
 * end.
 *
 *   head -> refused here | local | call (body, upload, download) | events (stream or page) | socket
 */
#pragma once

#include "proc/gateway/gateway.h"
#include "proc/gateway/request.h"
#include "proc/gateway/transfer.h"

struct http_exchange;
struct exchange;

/* What a way does with the things that happen to its exchange; entries may be NULL. Anything that
 * is said to the client may end the exchange: `own` is NULL then, and the way's state is gone. The
 * exchange itself stays: the HTTP library says later that it is closed. */
struct exchange_way {
	void (*body)(struct exchange *exchange, struct bytes bytes);
	void (*body_end)(struct exchange *exchange);
	void (*message)(struct exchange *exchange, struct text message); /* of a WebSocket */
	void (*drained)(struct exchange *exchange); /* the client has taken what was written */
	void (*closed)(struct exchange *exchange);  /* let go of what is the way's own */
};

struct exchange {
	struct gateway *gateway;
	struct http_exchange *http;
	const struct exchange_way *way;
	struct arena arena; /* for the request; may be freed once the answer streams */
	struct request request;
	struct text origin;
	struct digest_value credential; /* of the secret, where there is one */
	uint64_t started_us;
	bool answered; /* the head of the answer is out */
	void *own;     /* the way's state, freed by `closed` */
};

/* ---- for server.c: what happens to it, in this order ---- */

void exchange_start(struct exchange *exchange, const struct request_head *head);
void exchange_body(struct exchange *exchange, struct bytes bytes);
void exchange_body_end(struct exchange *exchange);
void exchange_message(struct exchange *exchange, struct text message);
void exchange_drained(struct exchange *exchange);
void exchange_free(struct exchange *exchange);

/* ---- for the ways: what can be said to the client ---- */

/* The whole answer; adds what every answer carries. The exchange is over with it. */
void exchange_answer(struct exchange *exchange, struct answer *answer);
/* Likewise with an error of ours; `request_id` is filled in. `retry_after_s` 0: no Retry-After. */
void exchange_problem(struct exchange *exchange, struct problem problem, uint32_t retry_after_s);
void exchange_fail(struct exchange *exchange, enum problem_code code,
		   const char *detail); /* detail NULL: the title */
/* Control could not be asked: `r` as control_link_start() or reader_start() said. */
void exchange_cannot_ask(struct exchange *exchange, int r);
/* Control's answer as it is. */
void exchange_relay(struct exchange *exchange, const struct gateway_control_answer *answer);

/* An answer in pieces: head, any number of writes, end or cut. `length` UINT64_MAX: not known. */
void exchange_begin(struct exchange *exchange, struct answer *answer, uint64_t length);
void exchange_write(struct exchange *exchange, struct bytes bytes);
size_t exchange_backlog(const struct exchange *exchange);
void exchange_end(struct exchange *exchange);
void exchange_cut(struct exchange *exchange); /* the client must see that it was not all */

void exchange_pause_body(struct exchange *exchange);
void exchange_resume_body(struct exchange *exchange);

/* What the request said is not needed any more: a long answer shall cost little memory. */
void exchange_forget_request(struct exchange *exchange);

/* A WebSocket in place of an answer. */
void exchange_upgrade(struct exchange *exchange);
void exchange_socket_send(struct exchange *exchange, struct text message);
void exchange_socket_close(struct exchange *exchange, uint16_t code);

/* Notes how control took the credential, for the limit of its address. */
void exchange_note_verdict(struct exchange *exchange, uint16_t status);
