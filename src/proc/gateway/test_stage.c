#include "proc/gateway/test_stage.h"

#include "base/descriptor.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNS = 50 };

/* ---- the HTTP library ---- */

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

size_t http_server_backlog(const struct http_server *server)
{
	(void)server;
	return server_backlog;
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

struct gateway gateway;
size_t server_backlog;
struct roles roles;

void stage_turn(void)
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

void stage_start_control(void)
{
	channel_free(roles.control);
	int fd = pair(&roles.control, &gateway_control_protocol, &control_events);
	assert_int_equal(control_link_connect(&gateway.control, fd), 0);
	stage_turn();
}

void stage_say_answer(unsigned type, uint16_t status, const char *body, bool broken)
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
	stage_turn();
}

void stage_answer(uint16_t status, const char *body)
{
	stage_say_answer(GATEWAY_CONTROL_ANSWER, status, body, false);
}

void stage_say_opened(enum reader_verdict verdict)
{
	struct gateway_stream_opened opened = {roles.request.reader, (uint8_t)verdict,
					       TEXT("oldest1")};
	channel_send(roles.stream, GATEWAY_STREAM_OPENED, &opened);
	stage_turn();
}

void stage_say_ended(enum reader_verdict verdict)
{
	struct gateway_stream_ended ended = {roles.request.reader, (uint8_t)verdict,
					     TEXT("oldest1")};
	channel_send(roles.stream, GATEWAY_STREAM_ENDED, &ended);
	stage_turn();
}

void stage_say_event(enum event_type type, const char *cursor, bool at_end)
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
	stage_turn();
}

/* ---- requests ---- */

struct http_exchange *stage_request(const char *method, const char *path, const char *query)
{
	struct http_exchange *http = calloc(1, sizeof(*http));
	assert_non_null(http);
	http->method = method;
	http->path = path;
	http->query = query;
	return http;
}

void stage_with(struct http_exchange *http, const char *name, const char *value)
{
	assert_true(http->n_fields < STAGE_FIELDS_MAX);
	http->fields[http->n_fields++] = (struct http_field){text_of(name), text_of(value)};
}

void stage_with_body(struct http_exchange *http, const char *body, uint64_t size)
{
	http->body = body;
	http->body_size = size;
	stage_with(http, "content-type", "application/json");
}

struct exchange *stage_begin(struct http_exchange *http)
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
void stage_send_all(struct http_exchange *http)
{
	struct exchange *exchange = stage_begin(http);
	if (http->body)
		exchange_body(exchange, text_bytes(text_of(http->body)));
	exchange_body_end(exchange);
	stage_turn();
}

void stage_finish(struct http_exchange *http)
{
	exchange_free(http->owner);
	stage_turn();
	buffer_free(&http->head);
	buffer_free(&http->written);
	free(http);
}

bool stage_contains(const struct buffer *buffer, const char *part)
{
	return buffer->size > 0 && memmem(buffer->data, buffer->size, part, strlen(part)) != NULL;
}

void stage_assert_problem(const struct http_exchange *http, int status, const char *code)
{
	char member[128];
	snprintf(member, sizeof(member), "\"code\":\"%s\"", code);
	assert_int_equal(http->status, status);
	assert_true(http->ended);
	assert_true(stage_contains(&http->written, member));
	assert_true(stage_contains(&http->head, "content-type: application/problem+json\n"));
}

/* ---- before and after a test ---- */

int stage_set_up(void **state)
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
	stage_start_control();
	int fd = pair(&roles.stream, &gateway_stream_protocol, &stream_events);
	if (readers_connect(&gateway.readers, fd) < 0)
		return -1;
	stage_turn();
	return 0;
}

/* What was opened must have been let go: the parts assert it. */
int stage_tear_down(void **state)
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
