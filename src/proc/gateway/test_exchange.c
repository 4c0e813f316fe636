/* Requests from head to answer. The HTTP library is played by the functions below, which note what
 * it is told; control and the stream role are played over real channels. */
#include "proc/gateway/exchange.h"

#include "base/descriptor.h"
#include "http/server.h"
#include "proc/gateway/socket.h"

#include "proc/gateway/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNS = 50, FIELDS_MAX = 8 };

/* ---- the HTTP library ---- */

struct http_exchange {
	const char *method, *path, *query;
	struct http_field fields[FIELDS_MAX];
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

struct text http_exchange_method(const struct http_exchange *http)
{
	return text_of(http->method);
}

struct text http_exchange_path(const struct http_exchange *http)
{
	return text_of(http->path);
}

void http_exchange_head(struct http_exchange *http, int status, const struct http_field *fields,
			size_t count, uint64_t length)
{
	assert_int_equal(http->status, 0);
	http->status = status;
	http->length = length;
	for (size_t i = 0; i < count; i++) {
		buffer_append_text(&http->head, fields[i].name);
		buffer_append_text(&http->head, TEXT(": "));
		buffer_append_text(&http->head, fields[i].value);
		buffer_append_byte(&http->head, '\n');
	}
}

void http_exchange_data(struct http_exchange *http, struct bytes piece)
{
	assert_true(http->status != 0 && !http->ended && !http->aborted);
	buffer_append(&http->written, piece.data, piece.size);
}

void http_exchange_end(struct http_exchange *http)
{
	assert_false(http->ended);
	http->ended = true;
}

void http_exchange_abort(struct http_exchange *http)
{
	http->aborted = true;
}

size_t http_exchange_backlog(const struct http_exchange *http)
{
	return http->backlog;
}

void http_exchange_pause_body(struct http_exchange *http)
{
	http->paused = true;
}

void http_exchange_resume_body(struct http_exchange *http)
{
	http->paused = false;
}

/* What stood in the head must not be read afterwards: it is overwritten, not kept. */
void http_exchange_forget_head(struct http_exchange *http)
{
	http->n_fields = 0;
}

size_t http_server_connections(const struct http_server *server)
{
	(void)server;
	return 3;
}

int http_exchange_upgrade(struct http_exchange *http)
{
	http->upgraded = true;
	return 0;
}

void http_exchange_message(struct http_exchange *http, struct text message)
{
	buffer_append_text(&http->written, message);
	buffer_append_byte(&http->written, '\n');
}

void http_exchange_close(struct http_exchange *http, uint16_t code, const char *reason)
{
	(void)reason;
	http->close_code = code;
}

/* ---- the roles ---- */

struct roles {
	struct channel *control, *stream;
	struct gateway_control_request request; /* the last; texts are gone */
	char path[256], key[256], body[256], query[256];
	size_t n_requests;
	int pipe; /* that came with the last request */
	bool body_end, whole, abandoned;
	uint64_t body_size, closed;
};

static struct gateway gateway;
static struct roles roles;

static void turn(void)
{
	for (int i = 0; i < TURNS; i++)
		loop_turn(gateway.loop);
}

static void note(char out[256], struct text text)
{
	assert_true(text.size < 256);
	memset(out, 0, 256);
	if (text.size > 0)
		memcpy(out, text.data, text.size);
}

static void note_request(const struct gateway_control_request *request,
			 struct channel_descriptors *descriptors)
{
	roles.request = *request;
	roles.n_requests++;
	note(roles.path, request->path);
	note(roles.key, request->idempotency_key);
	note(roles.body, bytes_text(request->body));
	descriptor_close(&roles.pipe);
	if (descriptors->count > 0)
		roles.pipe = descriptor_take(&descriptors->fds[0]);
	ATTR_BUFFER struct buffer query = {0};
	for (size_t i = 0; i < request->query.count; i++) {
		const struct wire_pair *pair = (const struct wire_pair *)request->query.items + i;
		buffer_append_text(&query, pair->name);
		buffer_append_byte(&query, '=');
		buffer_append_text(&query, pair->value);
		buffer_append_byte(&query, ';');
	}
	note(roles.query, buffer_text(&query));
}

static int control_message(void *owner, struct channel *channel, unsigned type, const void *body,
			   struct channel_descriptors *descriptors)
{
	(void)owner;
	(void)channel;
	if (type == GATEWAY_CONTROL_REQUEST)
		note_request(body, descriptors);
	if (type == GATEWAY_CONTROL_ABANDON)
		roles.abandoned = true;
	if (type == GATEWAY_CONTROL_BODY_END) {
		const struct gateway_control_body_end *end = body;
		roles.body_end = true;
		roles.whole = end->whole;
		roles.body_size = end->size;
	}
	return 0;
}

static int stream_message(void *owner, struct channel *channel, unsigned type, const void *body,
			  struct channel_descriptors *descriptors)
{
	(void)owner;
	(void)channel;
	(void)descriptors;
	if (type == GATEWAY_STREAM_CLOSE)
		roles.closed = ((const struct gateway_stream_close *)body)->reader;
	return 0;
}

static void role_closed(void *owner, struct channel *channel, int why)
{
	(void)owner;
	(void)channel;
	(void)why;
}

static const struct channel_events control_events = {control_message, role_closed, NULL};
static const struct channel_events stream_events = {stream_message, role_closed, NULL};

static int pair(struct channel **far, const struct protocol *protocol,
		const struct channel_events *events)
{
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(channel_new(far, gateway.loop, fds[1], protocol, events, NULL), 0);
	return fds[0];
}

static void start_control(void)
{
	channel_free(roles.control);
	int fd = pair(&roles.control, &gateway_control_protocol, &control_events);
	assert_int_equal(control_link_connect(&gateway.control, fd), 0);
	turn();
}

static void say_answer(unsigned type, uint16_t status, const char *body, bool broken)
{
	struct wire_pair headers[] = {{TEXT("content-type"), TEXT("application/json")}};
	struct gateway_control_answer answer = {
	    .request = roles.request.request,
	    .status = status,
	    .headers = {headers, ARRAY_SIZE(headers)},
	    .body = text_bytes(text_of(body)),
	    .has_length = type == GATEWAY_CONTROL_HEAD,
	    .length = 6,
	    .broken = broken,
	};
	channel_send(roles.control, type, &answer);
	turn();
}

static void answer(uint16_t status, const char *body)
{
	say_answer(GATEWAY_CONTROL_ANSWER, status, body, false);
}

static void say_opened(enum reader_verdict verdict)
{
	struct gateway_stream_opened opened = {roles.request.reader, (uint8_t)verdict,
					       TEXT("oldest1")};
	channel_send(roles.stream, GATEWAY_STREAM_OPENED, &opened);
	turn();
}

static void say_event(enum event_type type, const char *cursor, bool at_end)
{
	uint64_t reader = roles.request.reader;
	struct event_delivered event = {.cursor = text_of(cursor),
					.type = (uint8_t)type,
					.utf8 = true,
					.data = text_bytes(TEXT("{}"))};
	struct gateway_stream_deliver message = {.readers = {&reader, 1},
						 .events = {&event, *cursor ? 1 : 0},
						 .at_end = at_end,
						 .position = TEXT("pos1")};
	channel_send(roles.stream, GATEWAY_STREAM_DELIVER, &message);
	turn();
}

/* ---- requests ---- */

static struct http_exchange *request(const char *method, const char *path, const char *query)
{
	struct http_exchange *http = calloc(1, sizeof(*http));
	assert_non_null(http);
	http->method = method;
	http->path = path;
	http->query = query;
	return http;
}

static void with(struct http_exchange *http, const char *name, const char *value)
{
	assert_true(http->n_fields < FIELDS_MAX);
	http->fields[http->n_fields++] = (struct http_field){text_of(name), text_of(value)};
}

static void with_body(struct http_exchange *http, const char *body, uint64_t size)
{
	http->body = body;
	http->body_size = size;
	with(http, "content-type", "application/json");
}

static struct exchange *begin(struct http_exchange *http)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	assert_non_null(exchange);
	struct request_head head = {
	    .method = text_of(http->method),
	    .path = text_of(http->path),
	    .query = text_of(http->query),
	    .address = TEXT("127.0.0.1"),
	    .has_body = http->body != NULL,
	    .length = http->body_size,
	};
	for (size_t i = 0; i < HEAD_FIELDS; i++) {
		for (size_t f = 0; f < http->n_fields; f++) {
			if (!text_equal(http->fields[f].name, request_field_names[i]))
				continue;
			head.fields[i].value = http->fields[f].value;
			head.fields[i].count++;
		}
	}
	exchange->gateway = &gateway;
	exchange->http = http;
	http->owner = exchange;
	exchange_start(exchange, &head);
	return exchange;
}

/* All of a request whose body comes at once. */
static void send_all(struct http_exchange *http)
{
	struct exchange *exchange = begin(http);
	if (http->body)
		exchange_body(exchange, text_bytes(text_of(http->body)));
	exchange_body_end(exchange);
	turn();
}

static void finish(struct http_exchange *http)
{
	exchange_free(http->owner);
	turn();
	buffer_free(&http->head);
	buffer_free(&http->written);
	free(http);
}

static bool contains(const struct buffer *buffer, const char *part)
{
	return buffer->size > 0 && memmem(buffer->data, buffer->size, part, strlen(part)) != NULL;
}

static void assert_problem(const struct http_exchange *http, int status, const char *code)
{
	char member[128];
	snprintf(member, sizeof(member), "\"code\":\"%s\"", code);
	assert_int_equal(http->status, status);
	assert_true(http->ended);
	assert_true(contains(&http->written, member));
	assert_true(contains(&http->head, "content-type: application/problem+json\n"));
}

/* ---- calls ---- */

static void test_a_call_and_its_answer(void **state)
{
	(void)state;
	struct http_exchange *http = request("POST", "/v1/projects/prj_1/operations", "");
	with(http, "authorization", "Bearer croft_a_b");
	with(http, "idempotency-key", "\"k 1\"");
	with(http, "prefer", "wait=5");
	with(http, "x-request-id", "r-1");
	with_body(http, "{\"a\":1}", 7);
	send_all(http);
	assert_int_equal(roles.request.call, API_OPERATION_CREATE);
	assert_int_equal(roles.request.wait_ms, 5000);
	assert_string_equal(roles.key, "k 1");
	assert_string_equal(roles.body, "{\"a\":1}");
	answer(202, "{\"id\":\"op\"}");
	assert_int_equal(http->status, 202);
	assert_true(http->ended);
	assert_true(contains(&http->written, "{\"id\":\"op\"}"));
	assert_true(contains(&http->head, "x-request-id: r-1\n"));
	assert_true(contains(&http->head, "preference-applied: wait=5\n"));
	assert_true(contains(&http->head, "x-content-type-options: nosniff\n"));
	assert_true(contains(&http->head, "cache-control: no-store\n"));
	finish(http);
	assert_false(roles.abandoned);
}

static void test_refusals(void **state)
{
	(void)state;
	static const struct {
		const char *method, *path, *query, *name, *value;
		int status;
		const char *code;
	} cases[] = {
	    {"GET", "/v2", "", "accept", "*/*", 404, "not_found"},
	    {"PUT", "/v1/workspaces", "", "accept", "*/*", 405, "method_not_allowed"},
	    {"GET", "/v1/workspaces", "ticket=t", "accept", "*/*", 400, "invalid_input"},
	    {"GET", "/v1/workspaces", "a=%zz", "accept", "*/*", 400, "invalid_request"},
	    {"GET", "/v1/projects/p/files/%zz", "", "accept", "*/*", 400, "invalid_request"},
	    {"GET", "/v1/projects/p/events", "limit=0", "accept", "*/*", 400, "invalid_input"},
	    {"GET", "/v1/projects/p/events", "waitMs=60001", "accept", "*/*", 400, "invalid_input"},
	    {"GET", "/v1/workspaces", "", "idempotency-key", "\"\"", 400,
	     "idempotency_key_invalid"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_exchange *http =
		    request(cases[i].method, cases[i].path, cases[i].query);
		with(http, cases[i].name, cases[i].value);
		send_all(http);
		assert_problem(http, cases[i].status, cases[i].code);
		finish(http);
	}
	assert_int_equal(roles.n_requests, 0);
}

/* It must leave its trace in the audit log, so control refuses it. */
static void test_malformed_credential_is_control_s_to_refuse(void **state)
{
	(void)state;
	struct http_exchange *http = request("GET", "/v1/workspaces", "");
	with(http, "authorization", "Basic x");
	send_all(http);
	assert_int_equal(roles.request.credential_kind, CREDENTIAL_API_KEY);
	assert_int_equal(roles.request.credential.size, 0);
	answer(401, "{}");
	assert_int_equal(http->status, 401);
	assert_int_equal(gateway.metrics.value[METRIC_AUTHENTICATION_FAILURES], 1);
	finish(http);
}

static void test_bodies_that_are_refused(void **state)
{
	(void)state;
	struct http_exchange *http = request("POST", "/v1/workspaces", "");
	http->body = "a=b";
	http->body_size = 3;
	with(http, "content-type", "application/x-www-form-urlencoded");
	send_all(http);
	assert_problem(http, 415, "unsupported_media_type");
	finish(http);

	http = request("POST", "/v1/workspaces", "");
	with_body(http, "{}", JSON_BODY_LIMIT + 1);
	send_all(http);
	assert_problem(http, 413, "too_large");
	finish(http);

	/* Without a length it is found out on the way. */
	static uint8_t piece[64 << 10];
	http = request("POST", "/v1/workspaces", "");
	with_body(http, "{}", UINT64_MAX);
	struct exchange *exchange = begin(http);
	for (size_t sent = 0; sent <= JSON_BODY_LIMIT; sent += sizeof(piece))
		exchange_body(exchange, (struct bytes){piece, sizeof(piece)});
	assert_problem(http, 413, "too_large");
	finish(http);
	assert_int_equal(roles.n_requests, 0);
}

static void test_client_leaves(void **state)
{
	(void)state;
	struct http_exchange *http = request("GET", "/v1/workspaces", "");
	send_all(http);
	finish(http);
	assert_true(roles.abandoned);
	answer(200, "{}"); /* for nobody */
}

static void test_control_is_replaced(void **state)
{
	(void)state;
	struct http_exchange *safe = request("GET", "/v1/workspaces", "");
	send_all(safe);
	struct http_exchange *unsafe = request("POST", "/v1/workspaces", "");
	with_body(unsafe, "{}", 2);
	send_all(unsafe);
	assert_int_equal(roles.n_requests, 2);
	start_control();
	assert_problem(unsafe, 503, "control_unavailable");
	assert_true(contains(&unsafe->head, "retry-after: 1\n"));
	assert_int_equal(safe->status, 0);
	assert_int_equal(roles.n_requests, 3);
	answer(200, "{\"items\":[]}");
	assert_int_equal(safe->status, 200);
	finish(safe);
	finish(unsafe);
}

static void test_a_call_with_a_key_is_repeated(void **state)
{
	(void)state;
	struct http_exchange *http = request("POST", "/v1/projects/p/operations", "");
	with(http, "idempotency-key", "k");
	with_body(http, "{\"x\":2}", 7);
	send_all(http);
	start_control();
	assert_int_equal(roles.n_requests, 2);
	assert_string_equal(roles.body, "{\"x\":2}");
	assert_string_equal(roles.key, "k");
	answer(202, "{}");
	assert_int_equal(http->status, 202);
	finish(http);
}

/* ---- files ---- */

static void test_small_upload_comes_inline(void **state)
{
	(void)state;
	struct http_exchange *http = request("PUT", "/v1/projects/p/files/a%2Fb", "");
	with_body(http, "hello", 5);
	send_all(http);
	assert_string_equal(roles.path, "a/b");
	assert_string_equal(roles.body, "hello");
	assert_int_equal(roles.request.body_direction, 0);
	assert_true(roles.pipe < 0);
	answer(201, "{}");
	assert_int_equal(http->status, 201);
	finish(http);
}

static void read_exactly(int fd, const char *expected)
{
	char data[64] = {0};
	assert_int_equal(read(fd, data, sizeof(data)), strlen(expected));
	assert_string_equal(data, expected);
}

static void test_large_upload_goes_through_a_pipe(void **state)
{
	(void)state;
	struct http_exchange *http = request("PUT", "/v1/projects/p/files/a", "");
	with_body(http, "", UINT64_MAX);
	struct exchange *exchange = begin(http);
	exchange_body(exchange, text_bytes(TEXT("abc")));
	turn();
	assert_true(roles.pipe >= 0);
	read_exactly(roles.pipe, "abc");
	exchange_body(exchange, text_bytes(TEXT("de")));
	exchange_body_end(exchange);
	turn();
	read_exactly(roles.pipe, "de");
	read_exactly(roles.pipe, "");
	assert_true(roles.body_end && roles.whole);
	assert_int_equal(roles.body_size, 5);
	answer(200, "{}");
	finish(http);
}

static void test_upload_waits_for_its_reader(void **state)
{
	(void)state;
	static uint8_t piece[4 << 20];
	struct http_exchange *http = request("PUT", "/v1/projects/p/files/a", "");
	with_body(http, "", UINT64_MAX);
	struct exchange *exchange = begin(http);
	turn();
	exchange_body(exchange, (struct bytes){piece, sizeof(piece)});
	assert_true(http->paused);
	size_t total = 0;
	while (total < sizeof(piece)) {
		static uint8_t room[1 << 20];
		ssize_t n = read(roles.pipe, room, sizeof(room));
		assert_true(n > 0);
		total += (size_t)n;
		turn();
	}
	assert_false(http->paused);
	finish(http);
	assert_true(roles.body_end && !roles.whole); /* the client left before the end */
}

static void test_download(void **state)
{
	(void)state;
	struct http_exchange *http = request("GET", "/v1/projects/p/files/a", "");
	send_all(http);
	assert_true(roles.pipe >= 0);
	say_answer(GATEWAY_CONTROL_HEAD, 206, "", false);
	assert_int_equal(http->status, 206);
	assert_int_equal(http->length, 6);
	assert_int_equal(write(roles.pipe, "foobar", 6), 6);
	descriptor_close(&roles.pipe);
	turn();
	assert_true(contains(&http->written, "foobar"));
	assert_false(http->ended);
	answer(206, "");
	assert_true(http->ended);
	finish(http);
}

static void test_broken_download_is_cut(void **state)
{
	(void)state;
	struct http_exchange *http = request("GET", "/v1/projects/p/archive", "");
	send_all(http);
	say_answer(GATEWAY_CONTROL_HEAD, 200, "", false);
	descriptor_close(&roles.pipe);
	say_answer(GATEWAY_CONTROL_ANSWER, 200, "", true);
	assert_true(http->aborted);
	assert_false(http->ended);
	finish(http);
}

static void test_small_download_comes_inline(void **state)
{
	(void)state;
	struct http_exchange *http = request("GET", "/v1/projects/p/files/a", "");
	send_all(http);
	answer(200, "small");
	assert_true(http->ended);
	assert_true(contains(&http->written, "small"));
	finish(http);
}

/* ---- events ---- */

static struct http_exchange *events(const char *path, const char *query, const char *accept)
{
	struct http_exchange *http = request("GET", path, query);
	with(http, "accept", accept);
	with(http, "last-event-id", "seen");
	send_all(http);
	return http;
}

static void test_event_stream(void **state)
{
	(void)state;
	struct http_exchange *http = events("/v1/operations/op_1/events", "", "text/event-stream");
	assert_int_equal(http->status, 0);
	say_opened(READER_OPEN);
	assert_int_equal(http->status, 200);
	assert_true(contains(&http->head, "content-type: text/event-stream"));
	assert_true(contains(&http->head, "x-accel-buffering: no\n"));
	say_event(EVENT_QUEUED, "c1", false);
	assert_true(contains(&http->written, "id: c1\nevent: queued\ndata: {"));
	assert_false(http->ended);
	say_event(EVENT_COMPLETED, "c2", true);
	assert_true(contains(&http->written, "id: c2\nevent: completed\n"));
	assert_true(http->ended);
	assert_int_equal(roles.closed, roles.request.reader);
	finish(http);
}

static void test_expired_cursor(void **state)
{
	(void)state;
	struct http_exchange *http = events("/v1/projects/p/events", "", "text/event-stream");
	say_opened(READER_EXPIRED);
	assert_problem(http, 410, "cursor_expired");
	assert_true(contains(&http->written, "\"oldestCursor\":\"oldest1\",\"archiveUrl\":null"));
	finish(http);
}

static void test_nothing_left(void **state)
{
	(void)state;
	struct http_exchange *http = events("/v1/operations/op_1/events", "", "text/event-stream");
	say_opened(READER_COMPLETE);
	assert_int_equal(http->status, 204);
	finish(http);
	http = events("/v1/operations/op_1/events", "", "application/json");
	say_opened(READER_COMPLETE);
	assert_true(contains(&http->written, "{\"items\":[],\"nextCursor\":\"seen\"}"));
	finish(http);
}

static void test_page(void **state)
{
	(void)state;
	struct http_exchange *http =
	    events("/v1/projects/p/events", "limit=2&cursor=c&waitMs=0", "application/json");
	assert_string_equal(roles.query, "cursor=c;"); /* the rest is the gateway's own */
	say_opened(READER_OPEN);
	say_event(EVENT_QUEUED, "c1", false);
	assert_int_equal(http->status, 0);
	say_event(EVENT_CHUNK, "c2", false);
	assert_int_equal(http->status, 200);
	assert_true(contains(&http->written, "\"nextCursor\":\"c2\"}"));
	finish(http);
}

static void test_empty_page_and_patience(void **state)
{
	(void)state;
	struct http_exchange *http = events("/v1/projects/p/events", "", "application/json");
	say_opened(READER_OPEN);
	say_event(EVENT_CHUNK, "", true);
	assert_true(contains(&http->written, "{\"items\":[],\"nextCursor\":\"pos1\"}"));
	finish(http);
	http = events("/v1/projects/p/events", "waitMs=60000", "application/json");
	say_opened(READER_OPEN);
	say_event(EVENT_CHUNK, "", true);
	assert_int_equal(http->status, 0);
	say_event(EVENT_CHUNK, "c9", true);
	assert_true(contains(&http->written, "\"cursor\":\"c9\""));
	assert_true(http->ended);
	finish(http);
}

/* ---- sockets ---- */

static void tell(struct http_exchange *http, const char *message)
{
	exchange_message(http->owner, text_of(message));
	turn();
}

static struct http_exchange *open_socket(void)
{
	struct http_exchange *http = request("GET", "/v1/ws", "");
	with(http, "authorization", "Bearer croft_0000000000000000000000000a_b");
	send_all(http);
	assert_int_equal(roles.request.call, API_SOCKET);
	answer(200, "");
	assert_true(http->upgraded);
	return http;
}

static void test_socket(void **state)
{
	(void)state;
	struct http_exchange *http = open_socket();
	tell(http, "{\"type\":\"ping\",\"id\":\"1\"}");
	assert_true(contains(&http->written, "{\"type\":\"pong\",\"id\":\"1\"}\n"));
	tell(http,
	     "{\"type\":\"subscribe\",\"id\":\"s\",\"operation\":\"op_1\",\"cursor\":\"c0\"}");
	assert_int_equal(roles.request.call, API_OPERATION_EVENTS);
	assert_true(roles.request.connected);
	assert_string_equal(roles.query, "cursor=c0;");
	say_opened(READER_OPEN);
	assert_true(contains(&http->written, "{\"type\":\"subscribed\",\"id\":\"s\"}\n"));
	say_event(EVENT_FAILED, "c1", true);
	assert_true(contains(&http->written,
			     "{\"type\":\"event\",\"id\":\"s\",\"event\":{\"cursor\":\"c1\""));
	assert_true(contains(&http->written,
			     "{\"type\":\"ended\",\"id\":\"s\",\"reason\":\"complete\"}\n"));
	tell(http, "{\"type\":\"input\",\"id\":\"2\",\"operation\":\"op_1\",\"data\":\"x\"}");
	assert_int_equal(roles.request.call, API_OPERATION_INPUT);
	assert_string_equal(roles.body, "{\"data\":\"x\"}");
	answer(204, "");
	assert_true(contains(&http->written, "{\"type\":\"done\",\"id\":\"2\"}\n"));
	tell(http,
	     "{\"type\":\"signal\",\"id\":\"3\",\"operation\":\"op_1\",\"signal\":\"SIGINT\"}");
	answer(409, "{\"code\":\"conflict\"}");
	assert_true(
	    contains(&http->written,
		     "{\"type\":\"error\",\"id\":\"3\",\"error\":{\"code\":\"conflict\"}}\n"));
	tell(http, "{\"type\":\"unsubscribe\",\"id\":\"nothing\"}");
	assert_true(contains(&http->written, "\"code\":\"not_found\""));
	tell(http, "nonsense");
	assert_int_equal(http->close_code, 1007);
	finish(http);
}

static void test_revoked_key_closes_its_sockets(void **state)
{
	(void)state;
	struct http_exchange *http = open_socket();
	tell(http, "{\"type\":\"subscribe\",\"id\":\"s\",\"project\":\"prj_1\"}");
	say_opened(READER_OPEN);
	struct uuid other = {{1}}, key = {{0}};
	key.b[15] = 10;
	sockets_withdraw(&gateway, other);
	assert_int_equal(http->close_code, 0);
	sockets_withdraw(&gateway, key);
	turn();
	assert_int_equal(http->close_code, 1008);
	assert_int_equal(gateway.readers.count, 0);
	finish(http);
}

/* ---- other ---- */

static void test_cors(void **state)
{
	(void)state;
	struct http_exchange *http = request("OPTIONS", "/v1/workspaces", "");
	with(http, "origin", "https://app.example");
	with(http, "access-control-request-method", "POST");
	send_all(http);
	assert_int_equal(http->status, 204);
	assert_true(contains(&http->head, "access-control-allow-origin: https://app.example\n"));
	assert_true(
	    contains(&http->head, "access-control-allow-methods: GET, HEAD, POST, OPTIONS\n"));
	assert_true(contains(&http->head, "access-control-allow-headers: Authorization,"));
	finish(http);
	http = request("GET", "/healthz", "");
	with(http, "origin", "https://evil.example");
	send_all(http);
	assert_int_equal(http->status, 200);
	assert_false(contains(&http->head, "access-control-allow-origin"));
	finish(http);
}

static void test_addresses_that_fail_too_often(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct http_exchange *http = request("GET", "/v1/workspaces", "");
		with(http, "x-api-key", "croft_a_wrong");
		send_all(http);
		if (i < 2) {
			answer(401, "{}");
			assert_true(contains(&http->head, "www-authenticate: Bearer"));
		} else {
			assert_problem(http, 429, "too_many_authentication_failures");
			assert_true(contains(&http->head, "retry-after: "));
		}
		finish(http);
	}
}

static void test_what_the_gateway_answers_itself(void **state)
{
	(void)state;
	static const struct {
		const char *path, *part;
		int status;
	} cases[] = {
	    {"/healthz", "{\"status\":\"ok\"}", 200},
	    {"/readyz", "{\"ready\":false,\"roles\":{\"control\":false}}", 503},
	    {"/v1/version", "\"version\":\"", 200},
	    {"/v1/openapi.json", "{\"openapi\":\"3.1.0\"", 200},
	    {"/metrics",
	     "croft_gateway_requests_total{method=\"GET\",route=\"/healthz\",status=\"2xx\"} 1\n",
	     200},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_exchange *http = request("GET", cases[i].path, "");
		send_all(http);
		assert_int_equal(http->status, cases[i].status);
		assert_true(contains(&http->written, cases[i].part));
		finish(http);
	}
}

/* ---- */

static int set_up(void **state)
{
	(void)state;
	roles = (struct roles){.pipe = -1};
	gateway = (struct gateway){.upload_limit = 1 << 30};
	if (loop_new(&gateway.loop) < 0)
		return -1;
	list_init(&gateway.sockets);
	router_compile(&gateway.router);
	cors_parse(TEXT("https://app.example"), &gateway.cors);
	address_limit_init(&gateway.addresses, 2);
	control_link_init(&gateway.control, gateway.loop, &gateway);
	readers_init(&gateway.readers, gateway.loop, &gateway.control);
	start_control();
	int fd = pair(&roles.stream, &gateway_stream_protocol, &stream_events);
	if (readers_connect(&gateway.readers, fd) < 0)
		return -1;
	turn();
	return 0;
}

/* What was opened must have been let go: the parts assert it. */
static int tear_down(void **state)
{
	(void)state;
	descriptor_close(&roles.pipe);
	readers_free(&gateway.readers);
	control_link_free(&gateway.control);
	address_limit_free(&gateway.addresses);
	buffer_free(&gateway.report.exposition);
	buffer_free(&gateway.report.readiness);
	channel_free(roles.control);
	channel_free(roles.stream);
	loop_free(gateway.loop);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_a_call_and_its_answer),
	    TEST(test_refusals),
	    TEST(test_malformed_credential_is_control_s_to_refuse),
	    TEST(test_bodies_that_are_refused),
	    TEST(test_client_leaves),
	    TEST(test_control_is_replaced),
	    TEST(test_a_call_with_a_key_is_repeated),
	    TEST(test_small_upload_comes_inline),
	    TEST(test_large_upload_goes_through_a_pipe),
	    TEST(test_upload_waits_for_its_reader),
	    TEST(test_download),
	    TEST(test_broken_download_is_cut),
	    TEST(test_small_download_comes_inline),
	    TEST(test_event_stream),
	    TEST(test_expired_cursor),
	    TEST(test_nothing_left),
	    TEST(test_page),
	    TEST(test_empty_page_and_patience),
	    TEST(test_socket),
	    TEST(test_revoked_key_closes_its_sockets),
	    TEST(test_cors),
	    TEST(test_addresses_that_fail_too_often),
	    TEST(test_what_the_gateway_answers_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
