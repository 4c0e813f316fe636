/* Inside src/http: what an exchange is, and what each version of the protocol does with one. */
#pragma once

#include "http/connection.h"

struct http_exchange_ops {
	void (*head)(struct http_exchange *exchange, int status, const struct http_field *fields,
		     size_t count, uint64_t length);
	void (*data)(struct http_exchange *exchange, struct bytes piece);
	void (*end)(struct http_exchange *exchange);
	void (*abort)(struct http_exchange *exchange);
	void (*set_paused)(struct http_exchange *exchange, bool paused);
	size_t (*backlog)(const struct http_exchange *exchange);
};

enum { HTTP_FIELDS_MAX = 100, HTTP_TARGET_MAX = 8192 };

struct http_exchange {
	const struct http_exchange_ops *ops;
	struct http_connection *connection;
	void *owner;

	/* The head: views into `head`, which http_exchange_forget_head() frees. */
	struct buffer head;
	struct http_field *fields;
	size_t n_fields;
	struct text method, target;

	uint64_t body_size;
	bool has_body;
	bool body_is_over; /* on_body_end was told */
	bool is_paused;
	bool is_head_request;

	bool has_answer_head;
	bool is_ended; /* the user has said all */
	bool is_aborted;
	bool is_socket; /* upgraded */
};

void http_exchange_release(struct http_exchange *exchange); /* the memory of its head */

/* Tells the user about the body's end, once. */
void http_exchange_tell_body_end(struct http_exchange *exchange);
void http_exchange_tell_closed(struct http_exchange *exchange, bool complete);

/* Whether a field of the user's may stand in an answer: the framing is ours. */
bool http_field_may_be_sent(const struct http_field *field);

/* Whether one of the fields of that name, each a list, holds the option. */
bool http_fields_list(const struct http_field *fields, size_t count, struct text name,
		      struct text option);

enum { HTTP_DATE_SIZE = 40 };
struct text http_date(char text[HTTP_DATE_SIZE]); /* now, as RFC 9110 section 5.6.7 writes it */

/* RFC 9110 token and field value; values may hold bytes above 0x7f. */
bool http_is_token(struct text text);
bool http_is_field_value(struct text text);
bool http_is_target(struct text text);    /* printable ASCII, no fragment */
bool http_is_authority(struct text text); /* host and port; no user, no list */
const char *http_status_text(int status);
