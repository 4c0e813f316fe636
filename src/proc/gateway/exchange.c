#include "proc/gateway/exchange.h"

#include "http/server.h"
#include "proc/gateway/call.h"
#include "proc/gateway/event_feed.h"
#include "proc/gateway/event_page.h"
#include "proc/gateway/local.h"
#include "proc/gateway/socket.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the end ---- */

/* The way lets go of what it holds: nothing that happens later reaches it. */
static void leave_way(struct exchange *exchange)
{
	const struct exchange_way *way = exchange->way;
	exchange->way = NULL;
	if (way && way->closed && exchange->own)
		way->closed(exchange);
	exchange->own = NULL;
}

void exchange_free(struct exchange *exchange)
{
	leave_way(exchange);
	arena_free(&exchange->arena);
	free(exchange);
}

/* ---- answers ---- */

static void count_answer(struct exchange *exchange, uint16_t status)
{
	const struct api_route *route = exchange->request.match.route;
	size_t index = route ? route->call : API_CALLS;
	uint64_t now_us = clock_monotonic_ns() / 1000;
	metrics_answered(&exchange->gateway->metrics, index, status, now_us - exchange->started_us);
}

static void send_head(struct exchange *exchange, struct answer *answer, uint64_t length)
{
	struct http_field fields[ANSWER_HEADERS_MAX];
	answer_add_common(answer, text_of(exchange->request.id), &exchange->gateway->cors,
			  exchange->origin);
	for (size_t i = 0; i < answer->n_headers; i++)
		fields[i] = (struct http_field){answer->headers[i].name, answer->headers[i].value};
	count_answer(exchange, answer->status);
	exchange->answered = true;
	http_exchange_head(exchange->http, answer->status, fields, answer->n_headers, length);
}

void exchange_answer(struct exchange *exchange, struct answer *answer)
{
	if (exchange->answered)
		return;
	send_head(exchange, answer, answer->length ? answer->length : answer->body.size);
	if (answer->body.size > 0)
		http_exchange_data(exchange->http, answer->body);
	http_exchange_end(exchange->http);
	leave_way(exchange);
}

static void add_retry_after(struct answer *answer, uint32_t seconds, char text[16])
{
	if (seconds == 0)
		return;
	snprintf(text, 16, "%u", seconds);
	answer_add(answer, TEXT("retry-after"), text_of(text));
}

static void add_allow(struct exchange *exchange, struct answer *answer, struct buffer *allow)
{
	if (answer->status != 405)
		return;
	router_allow(exchange->request.match.methods, allow);
	answer_add(answer, TEXT("allow"), buffer_text(allow));
}

void exchange_problem(struct exchange *exchange, struct problem problem, uint32_t retry_after_s)
{
	struct answer answer;
	char seconds[16];
	ATTR_BUFFER struct buffer allow = {0};
	problem.request_id = text_of(exchange->request.id);
	if (answer_problem(&answer, &problem, &exchange->arena) < 0)
		answer_begin(&answer, 503);
	add_retry_after(&answer, retry_after_s, seconds);
	add_allow(exchange, &answer, &allow);
	exchange_answer(exchange, &answer);
}

void exchange_fail(struct exchange *exchange, enum problem_code code, const char *detail)
{
	struct problem problem = problem_of(code);
	problem.detail = text_of(detail);
	exchange_problem(exchange, problem, problem.kind.retryable ? 1 : 0);
}

void exchange_cannot_ask(struct exchange *exchange, int r)
{
	if (r == -EMSGSIZE)
		exchange_fail(exchange, PROBLEM_URI_TOO_LONG,
			      "A part of the path, the query or a field is too long");
	else
		exchange_fail(exchange, PROBLEM_OVERLOADED, NULL);
}

static bool prefers_wait(const struct exchange *exchange,
			 const struct gateway_control_answer *answer)
{
	return exchange->request.prefers_wait && answer->status < 300 &&
	       exchange->request.match.route->call == API_OPERATION_CREATE;
}

void exchange_relay(struct exchange *exchange, const struct gateway_control_answer *from)
{
	struct answer answer;
	char applied[32];
	answer_begin(&answer, from->status);
	answer_add_all(&answer, &from->headers);
	answer.body = from->body;
	answer.length = from->has_length ? from->length : 0;
	if (prefers_wait(exchange, from) && !answer_has(&answer, TEXT("preference-applied"))) {
		snprintf(applied, sizeof(applied), "wait=%u",
			 exchange->request.message.wait_ms / 1000);
		answer_add(&answer, TEXT("preference-applied"), text_of(applied));
	}
	if (from->status == 401 && !answer_has(&answer, TEXT("www-authenticate")))
		answer_add(&answer, TEXT("www-authenticate"), TEXT("Bearer realm=\"croft\""));
	exchange_note_verdict(exchange, from->status);
	exchange_answer(exchange, &answer);
}

/* ---- answers in pieces ---- */

void exchange_begin(struct exchange *exchange, struct answer *answer, uint64_t length)
{
	if (!exchange->answered)
		send_head(exchange, answer, length);
}

void exchange_write(struct exchange *exchange, struct bytes bytes)
{
	http_exchange_data(exchange->http, bytes);
}

size_t exchange_backlog(const struct exchange *exchange)
{
	return http_exchange_backlog(exchange->http);
}

void exchange_end(struct exchange *exchange)
{
	http_exchange_end(exchange->http);
	leave_way(exchange);
}

void exchange_cut(struct exchange *exchange)
{
	exchange->answered = true;
	http_exchange_abort(exchange->http);
	leave_way(exchange);
}

void exchange_pause_body(struct exchange *exchange)
{
	http_exchange_pause_body(exchange->http);
}

void exchange_resume_body(struct exchange *exchange)
{
	http_exchange_resume_body(exchange->http);
}

void exchange_forget_request(struct exchange *exchange)
{
	http_exchange_forget_head(exchange->http);
	arena_free(&exchange->arena);
	exchange->origin = (struct text){0};
}

/* ---- WebSocket ---- */

void exchange_upgrade(struct exchange *exchange)
{
	if (http_exchange_upgrade(exchange->http) != 0) {
		exchange_fail(exchange, PROBLEM_UPGRADE_REQUIRED, NULL);
		return;
	}
	count_answer(exchange, 101);
	exchange->answered = true;
}

void exchange_socket_send(struct exchange *exchange, struct text message)
{
	http_exchange_message(exchange->http, message);
}

void exchange_socket_close(struct exchange *exchange, uint16_t code)
{
	http_exchange_close(exchange->http, code, "");
	leave_way(exchange);
}

/* ---- credentials and addresses ---- */

void exchange_note_verdict(struct exchange *exchange, uint16_t status)
{
	struct gateway *gateway = exchange->gateway;
	struct text address = exchange->request.message.address;
	if (exchange->request.credential.kind == CREDENTIAL_NONE)
		return;
	if (status == 401) {
		gateway->metrics.value[METRIC_AUTHENTICATION_FAILURES]++;
		address_limit_failed(&gateway->addresses, address, loop_now_ms(gateway->loop));
	} else if (status < 500 && status != 429) {
		address_limit_succeeded(&gateway->addresses, &exchange->credential);
	}
}

/* Seconds that this request must wait because its address has failed too often; 0: it may pass. */
static uint32_t address_wait(struct exchange *exchange)
{
	struct gateway *gateway = exchange->gateway;
	const struct request *request = &exchange->request;
	if (request->credential.kind == CREDENTIAL_NONE)
		return 0;
	exchange->credential = digest_of(text_bytes(request->credential.secret));
	uint32_t wait = address_limit_wait(&gateway->addresses, request->message.address,
					   loop_now_ms(gateway->loop));
	if (wait > 0 && address_limit_knows(&gateway->addresses, &exchange->credential))
		return 0;
	return wait;
}

/* ---- the beginning ---- */

static void choose_way(struct exchange *exchange)
{
	unsigned flags = exchange->request.match.route->flags;
	if (flags & API_LOCAL)
		local_start(exchange);
	else if (flags & API_EVENTS && exchange->request.wants_sse &&
		 !exchange->request.message.head)
		event_feed_start(exchange);
	else if (flags & API_EVENTS)
		event_page_start(exchange);
	else if (exchange->request.match.route->call == API_SOCKET)
		socket_start(exchange);
	else
		call_start(exchange);
}

static void admit(struct exchange *exchange)
{
	struct problem problem = problem_of(PROBLEM_TOO_MANY_AUTHENTICATION_FAILURES);
	uint32_t wait = address_wait(exchange);
	if (wait > 0) {
		exchange->gateway->metrics.value[METRIC_ADDRESSES_LIMITED]++;
		exchange_problem(exchange, problem, wait);
	} else if (exchange->gateway->stopping) {
		exchange_fail(exchange, PROBLEM_STOPPING, NULL);
	} else {
		choose_way(exchange);
	}
}

static void answer_to_options(struct exchange *exchange, const struct request_head *head)
{
	ATTR_BUFFER struct buffer methods = {0};
	struct answer answer;
	bool preflight = head->fields[HEAD_PREFLIGHT_METHOD].count > 0 &&
			 cors_allows(&exchange->gateway->cors, exchange->origin);
	router_allow(exchange->request.match.methods, &methods);
	answer_options(&answer, buffer_text(&methods), preflight);
	exchange_answer(exchange, &answer);
}

/* `OPTIONS *` asks about the server, not about a path. */
static bool asks_about_the_server(struct exchange *exchange, const struct request_head *head)
{
	if (!text_equal(head->path, TEXT("*")))
		return false;
	exchange->request.match.methods = (1u << METHODS) - 1;
	return true;
}

void exchange_start(struct exchange *exchange, const struct request_head *head)
{
	struct gateway *gateway = exchange->gateway;
	struct problem problem;
	exchange->started_us = clock_monotonic_ns() / 1000;
	exchange->origin = head->fields[HEAD_ORIGIN].value;
	request_name(&exchange->request, head, loop_wall_ms(gateway->loop));
	if (asks_about_the_server(exchange, head)) {
		answer_to_options(exchange, head);
		return;
	}
	int r = request_translate(&gateway->router, head, gateway->upload_limit, &exchange->arena,
				  &exchange->request, &problem);
	if (r < 0)
		exchange_fail(exchange, PROBLEM_OVERLOADED, NULL);
	else if (r > 0 && problem.kind.status == 405 && text_equal(head->method, TEXT("OPTIONS")))
		answer_to_options(exchange, head);
	else if (r > 0)
		exchange_problem(exchange, problem, 0);
	else
		admit(exchange);
}

/* ---- what happens to it ---- */

void exchange_body(struct exchange *exchange, struct bytes bytes)
{
	if (exchange->way && exchange->way->body)
		exchange->way->body(exchange, bytes);
}

void exchange_body_end(struct exchange *exchange)
{
	if (exchange->way && exchange->way->body_end)
		exchange->way->body_end(exchange);
}

void exchange_message(struct exchange *exchange, struct text message)
{
	if (exchange->way && exchange->way->message)
		exchange->way->message(exchange, message);
}

void exchange_drained(struct exchange *exchange)
{
	if (exchange->way && exchange->way->drained)
		exchange->way->drained(exchange);
}
