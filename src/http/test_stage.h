/* A stage for the tests of the HTTP library: a server with a user whose answers the path chooses,
 * and one client that sends raw bytes over loopback. Both live in one loop; to wait is to run it
 * until the event has come, with a guard that fails the test if it never does.
 *
 *   /        200 `ok`, at once                 /wait    answered by stage_answer()
 *   /echo    200, what comes goes back         /early   413 before the body is there
 *   /big     200 with 4 MiB                    /silent  200, a first piece, then nothing
 *   /socket  an upgrade; messages go back      /stopped 200 `ok`; the body stays unread */
#pragma once

#include "http/server.h"

#include "base/unit_test.h"

struct stage {
	struct loop *loop;
	struct http_server *server;
	uint16_t port;
	int client; /* -1: closed */
	struct loop_watch watch;
	struct loop_timer guard;
	bool client_reads;
	bool is_cut; /* the server has closed */
	struct buffer received;

	struct http_exchange *waiting;
	struct buffer seen; /* "GET /path?query host\n" of each request */
	size_t requests, body_ends, completed, given_up;
	size_t body_bytes;
	bool is_stopped;
};

void stage_open(struct stage *stage, const struct http_limits *limits); /* NULL: ample ones */
void stage_close(struct stage *stage);
void stage_connect(struct stage *stage); /* anew, if there is a client already */
void stage_disconnect(struct stage *stage);

void stage_send(struct stage *stage, struct bytes bytes);
void stage_say(struct stage *stage, const char *text);
void stage_answer(struct stage *stage);
void stage_stop(struct stage *stage); /* the server */

void stage_await_text(struct stage *stage, const char *text); /* in what the client has received */
void stage_await_cut(struct stage *stage);
/* Until a counter of the stage reaches `value`. */
void stage_await_count(struct stage *stage, const size_t *counter, size_t value);
void stage_turn(struct stage *stage); /* until something happens */
bool stage_has(const struct stage *stage, const char *text);
void stage_forget(struct stage *stage); /* what has been received */
