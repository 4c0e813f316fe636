#include "proc/control/answer.h"

#include "base/error.h"
#include "proc/control/gateway_link.h"
#include "proc/control/metrics.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* What a call's end is in the audit log, beside the entry that allowed it. */
static void record_end(struct control_request *request, uint16_t status, const char *code)
{
	if (!request->was_recorded)
		return;
	struct audit_note note = {
	    .allow = true,
	    .result_state = status < 400 ? "completed" : "failed",
	    .result_code = code,
	};
	request->was_recorded = false;
	control_audit(request, &note, NULL);
}

void control_answer_header(struct control_request *request, const char *name, struct text value)
{
	struct text copy = arena_text(&request->arena, value);
	if (!copy.data || request->n_answer_headers == ARRAY_SIZE(request->answer_headers))
		return;
	request->answer_headers[request->n_answer_headers++] =
	    (struct wire_pair){text_of(name), copy};
}

static void add_rate_headers(struct control_request *request)
{
	const struct limiter_state *rate = &request->rate;
	char text[96];
	if (!rate->policy)
		return;
	snprintf(text, sizeof(text), "\"%s\";q=%" PRIu64 ";w=60", rate->policy, rate->quota);
	control_answer_header(request, "ratelimit-policy", text_of(text));
	snprintf(text, sizeof(text), "\"%s\";r=%" PRIu64 ";t=%" PRIu64, rate->policy, rate->left,
		 rate->reset_s);
	control_answer_header(request, "ratelimit", text_of(text));
}

static void send_answer(struct control_request *request, unsigned type,
			struct gateway_control_answer *answer)
{
	if (!request->head_sent)
		add_rate_headers(request);
	answer->request = request->in->request;
	answer->headers = (struct wire_list){request->answer_headers, request->n_answer_headers};
	gateway_link_send(request, type, answer);
}

static void end(struct control_request *request, struct gateway_control_answer *answer,
		const char *code)
{
	assert(!request->recorded.under_way);
	record_end(request, answer->status, code);
	metrics_count_answer(request->control->metrics, answer->status);
	send_answer(request, GATEWAY_CONTROL_ANSWER, answer);
	control_request_free(request);
}

void control_answer_stream_head(struct control_request *request, uint16_t status, bool has_length,
				uint64_t length)
{
	struct gateway_control_answer head = {
	    .status = status, .has_length = has_length, .length = length};
	send_answer(request, GATEWAY_CONTROL_HEAD, &head);
	request->head_sent = true;
	request->n_answer_headers = 0;
}

void control_answer_stream_end(struct control_request *request, bool broken)
{
	struct gateway_control_answer answer = {.status = broken ? 500 : 200, .broken = broken};
	assert(request->head_sent);
	end(request, &answer, broken ? "broken" : NULL);
}

void control_answer_bytes(struct control_request *request, uint16_t status, const char *media_type,
			  struct bytes body)
{
	struct gateway_control_answer answer = {.status = status, .body = body};
	control_answer_header(request, "content-type", text_of(media_type));
	if (request->in->head) {
		answer.body = (struct bytes){0};
		answer.has_length = true;
		answer.length = body.size;
	}
	end(request, &answer, NULL);
}

void control_answer_json(struct control_request *request, uint16_t status,
			 const struct buffer *body)
{
	int r = buffer_check(body);
	if (r < 0) {
		control_answer_outcome(request, error_trace(r));
		return;
	}
	control_answer_bytes(request, status, "application/json", buffer_bytes(body));
}

void control_answer_empty(struct control_request *request, uint16_t status, uint64_t length)
{
	struct gateway_control_answer answer = {
	    .status = status,
	    .has_length = length != UINT64_MAX,
	    .length = length != UINT64_MAX ? length : 0,
	};
	end(request, &answer, NULL);
}

/* ---- problems ---- */

/* After a streamed head nothing can be said but that it broke off. */
void control_answer_problem_document(struct control_request *request, const struct problem *given)
{
	struct buffer body ATTR_BUFFER = {0};
	struct json json = json_to(&body);
	struct problem problem = *given;
	struct gateway_control_answer answer = {.status = problem.kind.status};
	if (request->head_sent) {
		control_answer_stream_end(request, true);
		return;
	}
	problem.request_id = request->in->request_id;
	problem_write(&json, &problem);
	control_answer_header(request, "content-type", TEXT(PROBLEM_MEDIA_TYPE));
	if (answer.status == 401)
		control_answer_header(request, "www-authenticate", TEXT("Bearer realm=\"croft\""));
	if (buffer_check(&body) == 0 && !request->in->head)
		answer.body = buffer_bytes(&body);
	end(request, &answer, problem.kind.code);
}

void control_answer_problem(struct control_request *request, enum problem_code code,
			    const char *detail, ...)
{
	struct buffer text ATTR_BUFFER = {0};
	struct problem problem = problem_of(code);
	if (detail) {
		char line[400];
		va_list arguments;
		va_start(arguments, detail);
		vsnprintf(line, sizeof(line), detail, arguments);
		va_end(arguments);
		struct text whole = text_of(line);
		whole.size -= text_utf8_tail(whole);
		buffer_append_text(&text, whole);
		problem.detail = buffer_text(&text);
	}
	control_answer_problem_document(request, &problem);
}

struct outcome_meaning {
	enum problem_code code;
	const char *detail;
};

static const struct outcome_meaning outcome_meanings[STORE_OUTCOMES] = {
    [STORE_DONE] = {PROBLEM_INTERNAL, NULL},
    [STORE_NOT_FOUND] = {PROBLEM_NOT_FOUND, NULL},
    [STORE_EXISTS] = {PROBLEM_ALREADY_EXISTS, NULL},
    [STORE_CONFLICT] = {PROBLEM_CONFLICT, NULL},
    [STORE_NO_SPACE] = {PROBLEM_STORAGE_FULL, "nothing was changed"},
    [STORE_UNAVAILABLE] = {PROBLEM_OVERLOADED,
			   "the database cannot be used now; nothing was changed"},
    [STORE_UNCERTAIN] = {PROBLEM_CONTROL_UNAVAILABLE, NULL},
};

void control_answer_outcome(struct control_request *request, int outcome)
{
	if (outcome < 0 || outcome >= STORE_OUTCOMES) {
		enum problem_code code = outcome == -ENOMEM ? PROBLEM_OVERLOADED : PROBLEM_INTERNAL;
		control_answer_problem(request, code, NULL);
		return;
	}
	const struct outcome_meaning *meaning = &outcome_meanings[outcome];
	control_answer_problem(request, meaning->code, meaning->detail ? "%s" : NULL,
			       meaning->detail);
}

void control_answer_elsewhere(struct control_request *request)
{
	gateway_link_leave(request);
	control_request_free(request);
}
