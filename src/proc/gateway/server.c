#include "proc/gateway/server.h"

#include "http/server.h"
#include "proc/gateway/exchange.h"
#include "proc/gateway/socket.h"
#include "proc/gateway/socket_message.h"

#include "base/error.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* ---- requests ---- */

static void fill_head(const struct http_exchange *http, struct request_head *head)
{
	*head = (struct request_head){
	    .method = http_exchange_method(http),
	    .path = http_exchange_path(http),
	    .query = http_exchange_query(http),
	    .address = text_of(http_exchange_address(http)),
	    .has_body = http_exchange_has_body(http),
	    .length = http_exchange_body_size(http),
	};
	for (size_t i = 0; i < HEAD_FIELDS; i++) {
		struct text value = http_exchange_field(http, request_field_names[i]);
		size_t count = value.data ? http_exchange_count(http, request_field_names[i]) : 0;
		head->fields[i] = (struct request_field_value){value, count};
	}
}

static void on_request(void *owner, struct http_exchange *http)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	if (!exchange) {
		http_exchange_abort(http);
		return;
	}
	struct request_head head;
	exchange->gateway = owner;
	exchange->http = http;
	http_exchange_set_owner(http, exchange);
	fill_head(http, &head);
	exchange_start(exchange, &head);
}

/* An exchange has no owner if there was no memory for one. */
static void on_body(struct http_exchange *http, struct bytes piece)
{
	struct exchange *exchange = http_exchange_owner(http);
	if (exchange)
		exchange_body(exchange, piece);
}

static void on_body_end(struct http_exchange *http)
{
	struct exchange *exchange = http_exchange_owner(http);
	if (exchange)
		exchange_body_end(exchange);
}

static void on_drained(struct http_exchange *http)
{
	struct exchange *exchange = http_exchange_owner(http);
	if (exchange)
		exchange_drained(exchange);
}

static void on_message(struct http_exchange *http, struct text message)
{
	struct exchange *exchange = http_exchange_owner(http);
	if (exchange)
		exchange_message(exchange, message);
}

static void on_closed(struct http_exchange *http, bool complete)
{
	struct exchange *exchange = http_exchange_owner(http);
	(void)complete;
	if (exchange)
		exchange_free(exchange);
}

/* ---- what the library refuses ---- */

static struct problem_kind refusal_kind(int status, const char *code)
{
	for (size_t i = 0; i < PROBLEM_CODES; i++)
		if (strcmp(problem_kinds[i].code, code) == 0)
			return problem_kinds[i];
	for (size_t i = 0; i < PROBLEM_CODES; i++)
		if (problem_kinds[i].status == status)
			return problem_kinds[i];
	return problem_kinds[PROBLEM_INVALID_REQUEST];
}

static void on_refused(void *owner, const struct http_refusal *refusal,
		       struct http_refusal_answer *answer)
{
	struct gateway *gateway = owner;
	struct problem problem = {.kind = refusal_kind(refusal->status, refusal->code),
				  .detail = text_of(refusal->detail)};
	struct json json = json_to(&answer->body);
	static_assert(sizeof(answer->request_id) > BASE32_SIZE, "an id fits");
	encode_base32(uuid_new(loop_wall_ms(gateway->loop)).b, answer->request_id);
	problem.request_id = text_of(answer->request_id);
	problem.kind.status = (uint16_t)refusal->status;
	problem_write(&json, &problem);
	metrics_answered(&gateway->metrics, API_CALLS, (uint16_t)refusal->status, 0);
	gateway->metrics.value[METRIC_CONNECTIONS_REFUSED] += refusal->status == 503;
}

static void on_traffic(void *owner, uint64_t received, uint64_t sent)
{
	struct gateway *gateway = owner;
	gateway->metrics.value[METRIC_BYTES_RECEIVED] += received;
	gateway->metrics.value[METRIC_BYTES_SENT] += sent;
}

static const struct http_events events = {
    .on_request = on_request,
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_drained = on_drained,
    .on_closed = on_closed,
    .on_message = on_message,
    .on_refused = on_refused,
    .on_traffic = on_traffic,
};

/* ---- life ---- */

static struct http_limits limits_of(const struct role *role)
{
	return (struct http_limits){
	    .connections = (uint32_t)role_setting_number(role, "gateway.connections"),
	    .head_bytes = (uint32_t)role_setting_number(role, "gateway.header_bytes"),
	    .head_ms = role_setting_number(role, "gateway.header_timeout"),
	    .body_ms = role_setting_number(role, "gateway.body_timeout"),
	    .idle_ms = role_setting_number(role, "gateway.idle_timeout"),
	    .stalled_ms = role_setting_number(role, "gateway.stalled_timeout"),
	    .message_bytes = SOCKET_MESSAGE_LIMIT,
	};
}

static int listen_all(struct gateway *gateway)
{
	struct http_tls tls = {
	    .certificate = role_setting(gateway->role, "tls.certificate"),
	    .key = role_setting(gateway->role, "tls.key"),
	};
	size_t count;
	const struct role_listener *listeners = role_listeners(gateway->role, &count);
	if (count == 0)
		return error_origin(-ENOTCONN);
	for (size_t i = 0; i < count; i++) {
		int r = http_server_listen(gateway->server, listeners[i].fd,
					   listeners[i].tls ? &tls : NULL);
		if (r == -EINVAL && listeners[i].tls)
			log_error("tls.certificate holds no certificate in PEM form");
		if (r == -EKEYREJECTED)
			log_error("tls.key is no PEM key without a passphrase, or not the "
				  "certificate's");
		if (r < 0)
			return error_trace(r);
	}
	return 0;
}

int server_start(struct gateway *gateway)
{
	struct http_limits limits = limits_of(gateway->role);
	int r = http_server_new(&gateway->server, gateway->loop, &limits, &events, gateway);
	if (r == 0)
		r = listen_all(gateway);
	return error_trace(r);
}

void server_stop(struct gateway *gateway, void (*on_stopped)(void *owner))
{
	gateway->stopping = true;
	sockets_stop(gateway);
	readers_stop(&gateway->readers);
	http_server_stop(gateway->server, on_stopped);
}

void server_free(struct gateway *gateway)
{
	http_server_free(gateway->server);
	gateway->server = NULL;
}
