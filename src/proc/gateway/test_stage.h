/* A stage for the gateway's tests: the HTTP library is played by functions that note what they are
 * told, control and the stream role are played over real channels. One gateway at a time. */
#pragma once

#include "http/server.h"
#include "proc/gateway/exchange.h"

#include "proc/gateway/test.h"

enum { STAGE_FIELDS_MAX = 8 };

struct http_exchange {
	const char *method, *path, *query;
	struct http_field fields[STAGE_FIELDS_MAX];
	size_t n_fields;
	const char *body; /* NULL: none */
	uint64_t body_size;

	void *owner;
	int status;
	uint64_t length;
	struct buffer head; /* "name: value\n" of each field of the answer */
	struct buffer written;
	bool ended, aborted, paused, upgraded;
	uint16_t close_code;
	size_t backlog;
};

/* What control and the stream role were told. */
struct roles {
	struct channel *control, *stream;
	struct gateway_control_request request; /* the last; texts are gone */
	char path[256], key[256], body[256], query[256];
	size_t n_requests;
	int pipe; /* that came with the last request */
	bool body_end, whole, abandoned;
	uint64_t body_size, closed;
};

extern struct gateway gateway;
extern struct roles roles;
extern size_t server_backlog; /* of all exchanges, as the HTTP library would tell */

int stage_set_up(void **state);
int stage_tear_down(void **state); /* what was opened must have been let go: the parts assert it */
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)

void stage_turn(void);          /* until nothing happens any more */
void stage_start_control(void); /* in place of the one before */

/* A client's request: built, then begun, or sent at once; finished by the library's on_closed. */
struct http_exchange *stage_request(const char *method, const char *path, const char *query);
void stage_with(struct http_exchange *http, const char *name, const char *value);
void stage_with_body(struct http_exchange *http, const char *body, uint64_t size);
struct exchange *stage_begin(struct http_exchange *http);
void stage_send_all(struct http_exchange *http);
void stage_finish(struct http_exchange *http);

bool stage_contains(const struct buffer *buffer, const char *part);
void stage_assert_problem(const struct http_exchange *http, int status, const char *code);

/* Control answers the last request. */
void stage_answer(uint16_t status, const char *body);
void stage_say_answer(unsigned type, uint16_t status, const char *body, bool broken);
/* The stream role speaks to the reader of the last request; without a cursor there is no event. */
void stage_say_opened(enum reader_verdict verdict);
void stage_say_ended(enum reader_verdict verdict);
void stage_say_event(enum event_type type, const char *cursor, bool at_end);
