#include "proc/gateway/local.h"

#include "http/server.h"
#include "proc/gateway/openapi.h"
#include "json/document.h"

#include <stdlib.h>

#define API_VERSION_TEXT "1"

static void answer_text(struct exchange *exchange, uint16_t status, struct text type,
			struct bytes body)
{
	struct answer answer;
	answer_begin(&answer, status);
	answer_add(&answer, TEXT("content-type"), type);
	answer.body = body;
	exchange_answer(exchange, &answer);
}

static void answer_json(struct exchange *exchange, uint16_t status, struct bytes body)
{
	answer_text(exchange, status, TEXT("application/json"), body);
}

/* ---- health ---- */

static void healthz(struct exchange *exchange)
{
	answer_json(exchange, 200, text_bytes(TEXT("{\"status\":\"ok\"}")));
}

/* What control says, unless the gateway knows better: it may hear nothing from control, or nothing
 * from the stream role. */
static void readyz(struct exchange *exchange)
{
	const struct gateway *gateway = exchange->gateway;
	const struct control_report *report = &gateway->report;
	bool heard = report->heard_ms != 0 &&
		     loop_now_ms(gateway->loop) - report->heard_ms < CONTROL_SILENCE_MS;
	if (gateway->stopping)
		answer_json(exchange, 503, text_bytes(TEXT("{\"ready\":false,\"stopping\":true}")));
	else if (!heard)
		answer_json(exchange, 503,
			    text_bytes(TEXT("{\"ready\":false,\"roles\":{\"control\":false}}")));
	else if (!gateway->readers.stream)
		answer_json(exchange, 503,
			    text_bytes(TEXT("{\"ready\":false,\"roles\":{\"stream\":false}}")));
	else
		answer_json(exchange, report->ready ? 200 : 503, buffer_bytes(&report->readiness));
}

void local_take_report(struct gateway *gateway, const struct gateway_control_metrics *report)
{
	struct control_report *kept = &gateway->report;
	buffer_clear(&kept->exposition);
	buffer_append(&kept->exposition, report->exposition.data, report->exposition.size);
	buffer_clear(&kept->readiness);
	buffer_append(&kept->readiness, report->readiness.data, report->readiness.size);
	kept->ready = report->ready;
	kept->heard_ms = loop_now_ms(gateway->loop);
}

/* ---- figures ---- */

static void collect(struct gateway *gateway)
{
	uint64_t *value = gateway->metrics.value;
	value[METRIC_CONNECTIONS] = http_server_connections(gateway->server);
	value[METRIC_BACKLOG] = http_server_backlog(gateway->server);
	value[METRIC_READERS] = gateway->readers.count;
	value[METRIC_READERS_REOPENED] = gateway->readers.reopened;
	value[METRIC_READERS_BACKLOG] = gateway->readers.backlog;
	value[METRIC_EVENTS_DELIVERED] = gateway->readers.events_delivered;
	value[METRIC_EVENT_BYTES_DELIVERED] = gateway->readers.bytes_delivered;
	value[METRIC_CALLS_WAITING] = gateway->control.calls.count;
}

static void answer_metrics(struct exchange *exchange)
{
	struct gateway *gateway = exchange->gateway;
	ATTR_BUFFER struct buffer body = {0};
	collect(gateway);
	metrics_write(&gateway->metrics, &body);
	buffer_append_text(&body, buffer_text(&gateway->report.exposition));
	if (buffer_check(&body) != 0)
		exchange_fail(exchange, PROBLEM_OVERLOADED, NULL);
	else
		answer_text(exchange, 200, TEXT("text/plain; version=0.0.4; charset=utf-8"),
			    buffer_bytes(&body));
}

static bool is_loopback(struct text address)
{
	return text_equal(address, TEXT("::1")) || text_starts(address, TEXT("127.")) ||
	       text_starts(address, TEXT("::ffff:127."));
}

/* From elsewhere the figures are the administrator's: control is asked who the caller is. */
struct asking {
	struct exchange *exchange;
	struct control_call control;
};

static int ask_who(struct control_call *control, struct channel *channel)
{
	struct asking *asking = container_of(control, struct asking, control);
	struct gateway_control_request message = asking->exchange->request.message;
	message.request = control->number;
	message.call = API_WHOAMI;
	message.query = (struct wire_list){0};
	return channel_send(channel, GATEWAY_CONTROL_REQUEST, &message);
}

static bool is_administrator(struct bytes whoami)
{
	ATTR_DOCUMENT struct document *document = NULL;
	struct document_error error;
	if (document_parse(whoami, JSON_BODY_LIMIT, &document, &error) != 0 ||
	    document_kind(document_root(document)) != DOCUMENT_IS_OBJECT)
		return false;
	const struct document_value *actor = document_member(document_root(document), "actor");
	if (!actor || document_kind(actor) != DOCUMENT_IS_OBJECT)
		return false;
	const struct document_value *type = document_member(actor, "type");
	return type && document_kind(type) == DOCUMENT_IS_TEXT &&
	       text_equal(document_text(type), TEXT("admin"));
}

static void on_who(struct control_call *control, const struct gateway_control_answer *answer)
{
	struct exchange *exchange = container_of(control, struct asking, control)->exchange;
	if (answer->status != 200)
		exchange_relay(exchange, answer);
	else if (is_administrator(answer->body))
		answer_metrics(exchange);
	else
		exchange_fail(exchange, PROBLEM_FORBIDDEN,
			      "The figures are for the administrator's key");
}

static void on_lost(struct control_call *control, bool sent)
{
	(void)sent;
	exchange_fail(container_of(control, struct asking, control)->exchange,
		      PROBLEM_CONTROL_UNAVAILABLE, NULL);
}

static const struct control_call_events asking_events = {ask_who, NULL, on_who, on_lost};

static void on_closed(struct exchange *exchange)
{
	struct asking *asking = exchange->own;
	control_link_abandon(&exchange->gateway->control, &asking->control);
	free(asking);
}

static const struct exchange_way asking_way = {.closed = on_closed};

static void metrics(struct exchange *exchange)
{
	if (is_loopback(exchange->request.message.address)) {
		answer_metrics(exchange);
		return;
	}
	struct asking *asking = calloc(1, sizeof(*asking));
	if (!asking) {
		exchange_fail(exchange, PROBLEM_OVERLOADED, NULL);
		return;
	}
	asking->exchange = exchange;
	asking->control.events = &asking_events;
	asking->control.repeatable = true;
	exchange->own = asking;
	exchange->way = &asking_way;
	int r = control_link_start(&exchange->gateway->control, &asking->control);
	if (r < 0)
		exchange_cannot_ask(exchange, r);
}

/* ---- what this is ---- */

static void version(struct exchange *exchange)
{
	answer_json(exchange, 200,
		    text_bytes(TEXT("{\"version\":\"" CROFT_VERSION "\",\"api\":\"" API_VERSION_TEXT
				    "\"}")));
}

static void contract(struct exchange *exchange)
{
	answer_json(exchange, 200, openapi_document);
}

static void (*const calls[API_CALLS])(struct exchange *exchange) = {
    [API_HEALTHZ] = healthz, [API_READYZ] = readyz,    [API_METRICS] = metrics,
    [API_VERSION] = version, [API_OPENAPI] = contract,
};

void local_start(struct exchange *exchange)
{
	calls[exchange->request.match.route->call](exchange);
}
