#include "proc/gateway/call.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "http/server.h"
#include "proto/control_worker.h"

#include <stdlib.h>

enum {
	DOWNLOAD_BACKLOG_LIMIT = 512 << 10, /* that one client has not taken */
	ANSWERS_BACKLOG_LIMIT = 24 << 20,   /* all: above it a download goes piece by piece */
};

/* What is kept of a body that travels inside the REQUEST, until control has answered: it may have
 * to be sent again. */
struct call {
	struct exchange *exchange;
	struct control_call control;
	struct buffer body;
	struct upload upload;
	struct download download;
	int given_end; /* of the pipe, until it is sent */
	bool uploads, downloads;
	bool headed;  /* the answer has begun */
	bool whole;   /* all of the upload came */
	bool drained; /* the pipe of the download has ended */
	bool answered;
	uint64_t expected; /* bytes of the download; UINT64_MAX: not told */
};

static struct call *call_of(struct exchange *exchange)
{
	return exchange->own;
}

static const struct api_route *route_of(const struct call *call)
{
	return call->exchange->request.match.route;
}

/* ---- sending ---- */

static int open_download(struct call *call, int *given_end);

static int send_request(struct control_call *control, struct channel *channel)
{
	struct call *call = container_of(control, struct call, control);
	struct gateway_control_request message = call->exchange->request.message;
	message.request = control->number;
	message.body = buffer_bytes(&call->body);
	if (call->downloads) {
		int r = open_download(call, &call->given_end);
		if (r < 0)
			return error_trace(r);
	}
	message.body_direction = call->uploads ? BODY_IN : call->downloads ? BODY_OUT : BODY_NONE;
	if (call->given_end < 0)
		return channel_send(channel, GATEWAY_CONTROL_REQUEST, &message);
	int fd = call->given_end;
	call->given_end = -1;
	return channel_send_descriptors(channel, GATEWAY_CONTROL_REQUEST, &message, &fd, 1);
}

/* What changes nothing may be asked twice; what has an Idempotency-Key happens once however often
 * it is asked. */
static bool is_repeatable(const struct call *call)
{
	if (call->uploads)
		return false;
	return strcmp(route_of(call)->method, "GET") == 0 ||
	       call->exchange->request.message.has_idempotency_key;
}

static void ask(struct call *call)
{
	struct exchange *exchange = call->exchange;
	call->control.repeatable = is_repeatable(call);
	int r = control_link_start(&exchange->gateway->control, &call->control);
	if (r < 0)
		exchange_cannot_ask(exchange, r);
}

/* ---- a download ---- */

/* What comes through the pipe is the tenant's: more or less than was said must not be taken for a
 * whole answer, or for the beginning of the next. */
static void finish_download(struct call *call)
{
	if (!call->drained || !call->answered)
		return;
	if (call->expected != UINT64_MAX && call->download.size != call->expected)
		exchange_cut(call->exchange);
	else
		exchange_end(call->exchange);
}

static bool is_ahead(const struct exchange *exchange)
{
	bool tight = http_server_backlog(exchange->gateway->server) > ANSWERS_BACKLOG_LIMIT;
	return exchange_backlog(exchange) > (tight ? 0 : DOWNLOAD_BACKLOG_LIMIT);
}

static void download_data(struct download *download, struct bytes bytes)
{
	struct call *call = container_of(download, struct call, download);
	struct exchange *exchange = call->exchange;
	if (download->size > call->expected) {
		exchange_cut(exchange);
		return;
	}
	exchange->gateway->metrics.value[METRIC_DOWNLOAD_BYTES] += bytes.size;
	exchange_write(exchange, bytes);
	if (exchange->own && is_ahead(exchange))
		download_pause(download);
}

static void download_ended(struct download *download)
{
	struct call *call = container_of(download, struct call, download);
	call->drained = true;
	finish_download(call);
}

static const struct download_events download_events = {download_data, download_ended};

static int open_download(struct call *call, int *given_end)
{
	download_close(&call->download); /* of a request that is sent again */
	return download_open(&call->download, call->exchange->gateway->loop, &download_events,
			     given_end);
}

static void on_head(struct control_call *control, const struct gateway_control_answer *head)
{
	struct call *call = container_of(control, struct call, control);
	struct exchange *exchange = call->exchange;
	if (!call->downloads || call->headed)
		return;
	struct answer answer;
	call->headed = true;
	call->control.repeatable = false;
	answer_begin(&answer, head->status);
	answer_add_all(&answer, &head->headers);
	exchange_note_verdict(exchange, head->status);
	call->expected = head->has_length ? head->length : UINT64_MAX;
	exchange_begin(exchange, &answer, call->expected);
	if (!exchange->own)
		return;
	download_expect(&call->download, head->has_length ? head->length : TRANSFER_LARGE);
	download_resume(&call->download);
}

/* ---- the answer ---- */

static void on_answer(struct control_call *control, const struct gateway_control_answer *answer)
{
	struct call *call = container_of(control, struct call, control);
	call->answered = true;
	if (!call->headed)
		exchange_relay(call->exchange, answer);
	else if (answer->broken || answer->status >= 400)
		exchange_cut(call->exchange);
	else
		finish_download(call);
}

static void on_lost(struct control_call *control, bool sent)
{
	struct call *call = container_of(control, struct call, control);
	if (sent)
		call->exchange->gateway->metrics.value[METRIC_CONTROL_LOST]++;
	if (call->headed) {
		exchange_cut(call->exchange);
		return;
	}
	struct problem problem = problem_of(PROBLEM_CONTROL_UNAVAILABLE);
	problem.detail = sent ? TEXT("Control was replaced before it answered: the request may or "
				     "may not have happened")
			      : TEXT("Control does not answer; the request has not happened");
	exchange_problem(call->exchange, problem, 1);
}

static const struct control_call_events control_events = {send_request, on_head, on_answer,
							  on_lost};

/* ---- the body ---- */

static void upload_drained(struct upload *upload)
{
	struct call *call = container_of(upload, struct call, upload);
	exchange_resume_body(call->exchange);
}

static void tell_end(struct call *call)
{
	control_link_body_end(&call->exchange->gateway->control, &call->control, call->whole,
			      call->upload.size);
}

static void upload_finished(struct upload *upload)
{
	tell_end(container_of(upload, struct call, upload));
}

static const struct upload_events upload_events = {upload_drained, upload_finished};

static void upload_body(struct call *call, struct bytes bytes)
{
	struct exchange *exchange = call->exchange;
	exchange->gateway->metrics.value[METRIC_UPLOAD_BYTES] += bytes.size;
	if (call->upload.size + bytes.size > exchange->gateway->upload_limit) {
		tell_end(call);
		exchange_fail(exchange, PROBLEM_TOO_LARGE, NULL);
	} else if (!upload_write(&call->upload, bytes)) {
		exchange_pause_body(exchange);
	}
}

static void on_body(struct exchange *exchange, struct bytes bytes)
{
	struct call *call = call_of(exchange);
	if (call->uploads) {
		upload_body(call, bytes);
		return;
	}
	buffer_append(&call->body, bytes.data, bytes.size);
	if (buffer_check(&call->body) != 0)
		exchange_fail(exchange, PROBLEM_TOO_LARGE, NULL);
}

static void on_body_end(struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	if (call->uploads) {
		call->whole = true;
		upload_end(&call->upload);
	} else if (call->control.state == CALL_IDLE && !call->answered) {
		ask(call);
	}
}

static void on_drained(struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	if (call->headed)
		download_resume(&call->download);
}

/* An upload that was broken off must not be taken for a short one: control hears it before the pipe
 * ends. */
static void on_closed(struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	if (call->uploads && !call->whole)
		tell_end(call);
	control_link_abandon(&exchange->gateway->control, &call->control);
	if (exchange->gateway->control.channel && call->uploads && !call->whole)
		channel_flush(exchange->gateway->control.channel);
	upload_close(&call->upload);
	download_close(&call->download);
	if (call->given_end >= 0)
		descriptor_close(&call->given_end);
	buffer_free(&call->body);
	free(call);
}

static const struct exchange_way way = {on_body, on_body_end, NULL, on_drained, on_closed};

static bool comes_inline(const struct request *request)
{
	return request->message.body_size <= INLINE_UPLOAD_LIMIT;
}

static bool is_download(const struct call *call)
{
	enum api_call name = route_of(call)->call;
	return (name == API_FILE_GET || name == API_ARCHIVE_GET) &&
	       !call->exchange->request.message.head;
}

void call_start(struct exchange *exchange)
{
	struct call *call = calloc(1, sizeof(*call));
	if (!call) {
		exchange_fail(exchange, PROBLEM_OVERLOADED, NULL);
		return;
	}
	call->exchange = exchange;
	call->control.events = &control_events;
	call->given_end = -1;
	call->body.limit = JSON_BODY_LIMIT;
	exchange->own = call;
	exchange->way = &way;
	unsigned flags = route_of(call)->flags;
	call->uploads = flags & API_BODY_RAW && !comes_inline(&exchange->request);
	call->downloads = is_download(call);
	if (call->uploads && upload_open(&call->upload, exchange->gateway->loop, &upload_events,
					 &call->given_end) < 0)
		exchange_fail(exchange, PROBLEM_OVERLOADED, NULL);
	else if (call->uploads || !(flags & (API_BODY_JSON | API_BODY_RAW)))
		ask(call);
}
