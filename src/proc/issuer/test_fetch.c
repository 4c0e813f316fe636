/* The key set is fetched from a real server, which misbehaves in the ways that a server can. */
#include "base/descriptor.h"
#include "proc/issuer/fetch.h"
#include "proc/issuer/issuer.h"
#include "proc/issuer/url.h"
#include "proto/control_issuer.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct server {
	pid_t pid;
	uint16_t port;
};

static void answer(int fd, const char *request)
{
	if (strstr(request, "GET /keys ")) {
		dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: "
			    "close\r\n\r\n{\"keys\":[]}");
	} else if (strstr(request, "GET /moved ")) {
		dprintf(fd, "HTTP/1.1 302 Found\r\nLocation: /keys\r\nContent-Length: 0\r\n\r\n");
	} else if (strstr(request, "GET /short ")) {
		dprintf(
		    fd,
		    "HTTP/1.1 200 OK\r\nContent-Length: 500\r\nConnection: close\r\n\r\n{\"keys\"");
	} else if (strstr(request, "GET /huge ")) {
		static char block[64 << 10];
		dprintf(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
		memset(block, ' ', sizeof(block));
		for (int i = 0; i < 64 && write(fd, block, sizeof(block)) > 0; i++)
			;
	} else {
		dprintf(fd,
			"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	}
}

static void serve(int listener)
{
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		char request[4096];
		int fd = accept(listener, NULL, NULL);
		ssize_t size = read(fd, request, sizeof(request) - 1);
		request[size > 0 ? size : 0] = '\0';
		answer(fd, request);
		close(fd);
	}
}

static int set_up(void **state)
{
	struct server *server = calloc(1, sizeof(*server));
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	server->port = ntohs(address.sin_port);
	server->pid = fork();
	if (server->pid == 0)
		serve(listener);
	close(listener);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	*state = server;
	return 0;
}

static int tear_down(void **state)
{
	struct server *server = *state;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	free(server);
	return 0;
}

struct outcome {
	struct loop *loop;
	struct buffer body;
	char why[300];
	int count;
};

static void on_done(void *owner, struct bytes body, const char *why)
{
	struct outcome *outcome = owner;
	buffer_append(&outcome->body, body.data, body.size);
	snprintf(outcome->why, sizeof(outcome->why), "%s", why ? why : "");
	outcome->count++;
	loop_stop(outcome->loop);
}

static void test_answers(void **state)
{
	struct server *server = *state;
	static const struct {
		const char *path;
		const char *body;
		const char *why; /* a part of it */
	} cases[] = {
	    {"keys", "{\"keys\":[]}", NULL}, {"moved", "", "302"}, {"short", "", ""},
	    {"huge", "", "larger"},          {"other", "", "500"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char url[64];
		struct outcome outcome = {0};
		struct fetch *fetch;
		assert_int_equal(loop_new(&outcome.loop), 0);
		snprintf(url, sizeof(url), "http://127.0.0.1:%u/%s", server->port, cases[i].path);
		struct fetch_target target = {url, {0}};
		assert_int_equal(fetch_new(&fetch, outcome.loop, &target, on_done, &outcome), 0);
		for (int round = 1; round <= 2; round++) { /* a fetch can be used again */
			buffer_clear(&outcome.body);
			assert_int_equal(fetch_begin(fetch), 0);
			assert_int_equal(fetch_begin(fetch), 1);
			loop_run(outcome.loop);
			assert_int_equal(outcome.count, round);
			assert_true(text_equal(buffer_text(&outcome.body), text_of(cases[i].body)));
			if (cases[i].why)
				assert_true(outcome.why[0] && strstr(outcome.why, cases[i].why));
			else
				assert_string_equal(outcome.why, "");
		}
		fetch_free(fetch);
		buffer_free(&outcome.body);
		loop_free(outcome.loop);
	}
}

static int on_keys(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		   const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	const struct control_issuer_keys *keys = body;
	assert_int_equal(type, CONTROL_ISSUER_KEYS);
	on_done(owner, keys->jwks, NULL);
	return 0;
}

static void on_closed(void *owner ATTR_UNUSED, struct channel *channel ATTR_UNUSED,
		      int why ATTR_UNUSED)
{
	fail();
}

/* Control gets the keys when they come, and a control that took its place gets them at once. */
static void test_keys_reach_control(void **state)
{
	static const struct channel_events events = {on_keys, on_closed, NULL};
	struct server *server = *state;
	struct outcome outcome = {0};
	struct issuer *issuer;
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/keys", server->port);
	struct fetch_target target = {url, {0}};
	assert_int_equal(loop_new(&outcome.loop), 0);
	assert_int_equal(issuer_new(&issuer, outcome.loop, &target), 0);
	for (int round = 1; round <= 2; round++) {
		int pair[2];
		struct channel *control;
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
		assert_int_equal(channel_new(&control, outcome.loop, pair[0],
					     &control_issuer_protocol, &events, &outcome),
				 0);
		assert_int_equal(issuer_connect(issuer, pair[1]), 0);
		loop_run(outcome.loop);
		assert_int_equal(outcome.count, round);
		channel_free(control);
	}
	issuer_free(issuer);
	buffer_free(&outcome.body);
	loop_free(outcome.loop);
}

static void test_urls(void **state ATTR_UNUSED)
{
	static const struct {
		const char *url;
		bool allowed;
	} cases[] = {
	    {"https://id.example/keys", true},
	    {"http://127.0.0.1:8080/keys", true},
	    {"http://localhost/keys", true},
	    {"http://[::1]:80/keys", true},
	    {"http://id.example/keys", false},
	    {"http://127.0.0.1.example/keys", false},
	    {"https://user:pw@id.example/", false},
	    {"file:///etc/passwd", false},
	    {"ftp://id.example/keys", false},
	    {"id.example/keys", false},
	    {"", false},
	    {"https://", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(url_is_allowed(cases[i].url), cases[i].allowed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_keys_reach_control),
	    cmocka_unit_test(test_urls),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
