#include "proc/gateway/request.h"

#include "http/target.h"
#include "proc/gateway/fields.h"
#include "proc/gateway/page.h"

#include "base/error.h"

#include <errno.h>

enum { PAGE_WAIT_LIMIT_MS = 60000 };

const struct text request_field_names[HEAD_FIELDS] = {
    [HEAD_ACCEPT] = TEXT("accept"),
    [HEAD_AUTHORIZATION] = TEXT("authorization"),
    [HEAD_CONTENT_TYPE] = TEXT("content-type"),
    [HEAD_IDEMPOTENCY_KEY] = TEXT("idempotency-key"),
    [HEAD_IF_MATCH] = TEXT("if-match"),
    [HEAD_IF_MODIFIED_SINCE] = TEXT("if-modified-since"),
    [HEAD_IF_NONE_MATCH] = TEXT("if-none-match"),
    [HEAD_IF_RANGE] = TEXT("if-range"),
    [HEAD_LAST_EVENT_ID] = TEXT("last-event-id"),
    [HEAD_ORIGIN] = TEXT("origin"),
    [HEAD_PREFER] = TEXT("prefer"),
    [HEAD_PREFLIGHT_METHOD] = TEXT("access-control-request-method"),
    [HEAD_RANGE] = TEXT("range"),
    [HEAD_TRACEPARENT] = TEXT("traceparent"),
    [HEAD_USER_AGENT] = TEXT("user-agent"),
    [HEAD_API_KEY] = TEXT("x-api-key"),
    [HEAD_REQUEST_ID] = TEXT("x-request-id"),
};

/* Those that control reads. */
static const enum request_field passed_on[] = {
    HEAD_ACCEPT,        HEAD_CONTENT_TYPE, HEAD_IF_MATCH,      HEAD_IF_MODIFIED_SINCE,
    HEAD_IF_NONE_MATCH, HEAD_IF_RANGE,     HEAD_LAST_EVENT_ID, HEAD_PREFER,
    HEAD_RANGE,         HEAD_TRACEPARENT,
};

static struct text field_value(const struct request_head *head, enum request_field field)
{
	return head->fields[field].value;
}

static int refuse(struct problem *problem, enum problem_code code, struct text detail)
{
	*problem = problem_of(code);
	problem->detail = detail;
	return 1;
}

/* ---- the id ---- */

void request_name(struct request *request, const struct request_head *head, int64_t now_ms)
{
	struct text own = field_value(head, HEAD_REQUEST_ID);
	memset(request->id, 0, sizeof(request->id));
	if (fields_request_id_is_plain(own))
		memcpy(request->id, own.data, own.size);
	else
		encode_base32(uuid_new(now_ms).b, request->id);
	request->message.request_id = text_of(request->id);
}

/* ---- the route and its variables ---- */

static int find_route(const struct router *router, const struct request_head *head,
		      struct request *request, struct problem *problem)
{
	switch (router_find(router, head->method, head->path, &request->match)) {
	case ROUTER_FOUND:
		return 0;
	case ROUTER_NO_METHOD:
		return refuse(problem, PROBLEM_METHOD_NOT_ALLOWED, (struct text){0});
	default:
		return refuse(problem, PROBLEM_NOT_FOUND,
			      TEXT("There is no such path in this API"));
	}
}

static int fill_path(const struct request_head *head, struct arena *arena, struct request *request,
		     struct problem *problem)
{
	struct gateway_control_request *message = &request->message;
	const struct router_match *match = &request->match;
	message->call = (uint16_t)match->route->call;
	message->head = text_equal(head->method, TEXT("HEAD"));
	message->target = head->path;
	message->id = match->id;
	if (match->id.size > ID_TEXT_SIZE)
		return refuse(problem, PROBLEM_NOT_FOUND, (struct text){0});
	int r = target_decode(match->name, arena, &message->name);
	if (r == 0)
		r = target_decode(match->path, arena, &message->path);
	if (r > 0)
		return refuse(problem, PROBLEM_INVALID_REQUEST,
			      TEXT("The path's percent-encoding is malformed"));
	return r;
}

/* ---- the query ---- */

static int take_number(struct text value, uint64_t least, uint64_t most, uint64_t *number,
		       struct problem *problem)
{
	if (text_parse_u64(value, most, number) || *number < least)
		return refuse(problem, PROBLEM_INVALID_INPUT,
			      TEXT("A number in the query is out of range"));
	return 0;
}

/* What the gateway itself uses of the query of API_EVENTS: 0 taken, 1 refused, 2 not one of them.
 */
static int take_page_parameter(const struct wire_pair *pair, struct request *request,
			       struct problem *problem)
{
	uint64_t number;
	if (text_equal(pair->name, TEXT("limit"))) {
		if (take_number(pair->value, 1, PAGE_EVENTS_LIMIT, &number, problem))
			return 1;
		request->page_limit = number;
		return 0;
	}
	if (text_equal(pair->name, TEXT("waitMs"))) {
		if (take_number(pair->value, 0, PAGE_WAIT_LIMIT_MS, &number, problem))
			return 1;
		request->page_wait_ms = (uint32_t)number;
		return 0;
	}
	return 2;
}

struct query_found {
	struct text ticket;
	size_t tickets;
};

static int keep_parameter(const struct wire_pair *pair, struct request *request,
			  struct query_found *found, struct problem *problem)
{
	unsigned flags = request->match.route->flags;
	if (text_equal(pair->name, TEXT("ticket"))) {
		found->ticket = pair->value;
		found->tickets++;
		return flags & API_TICKET ? 0
					  : refuse(problem, PROBLEM_INVALID_INPUT,
						   TEXT("This call takes no ticket"));
	}
	if (flags & API_EVENTS) {
		int r = take_page_parameter(pair, request, problem);
		if (r < 2)
			return r;
	}
	struct wire_pair *kept = request->message.query.items;
	kept[request->message.query.count++] = *pair;
	return 0;
}

static int fill_query(const struct request_head *head, struct arena *arena, struct request *request,
		      struct query_found *found, struct problem *problem)
{
	struct wire_pair *pairs = arena_alloc(arena, REQUEST_QUERY_MAX * sizeof(*pairs));
	if (!pairs)
		return error_origin(-ENOMEM);
	request->message.query.items = pairs;
	request->page_limit = PAGE_EVENTS_DEFAULT;
	struct text rest = head->query;
	for (size_t n = 0; rest.size > 0; n++) {
		struct wire_pair pair;
		int r = target_next_parameter(&rest, arena, &pair.name, &pair.value);
		if (r > 0 || n == REQUEST_QUERY_MAX)
			return refuse(problem, PROBLEM_INVALID_REQUEST,
				      TEXT("The query is malformed or has too many parameters"));
		if (r == 0 && pair.name.size > 0)
			r = keep_parameter(&pair, request, found, problem);
		if (r != 0)
			return r;
	}
	return 0;
}

/* ---- the header fields ---- */

static int fill_credential(const struct request_head *head, const struct query_found *found,
			   struct request *request, struct problem *problem)
{
	struct credential_sources sources = {
	    .authorization = field_value(head, HEAD_AUTHORIZATION),
	    .api_key = field_value(head, HEAD_API_KEY),
	    .ticket = found->ticket,
	    .count = head->fields[HEAD_AUTHORIZATION].count + head->fields[HEAD_API_KEY].count +
		     found->tickets,
	};
	switch (credential_find(&sources, &request->credential)) {
	case CREDENTIAL_FOUND:
		break;
	case CREDENTIAL_SEVERAL:
		return refuse(problem, PROBLEM_INVALID_REQUEST,
			      TEXT("More than one credential was sent"));
	case CREDENTIAL_MALFORMED:
		/* A key that is nobody's: control refuses and records it like any wrong one. */
		request->credential = (struct credential){CREDENTIAL_API_KEY, TEXT("")};
		break;
	}
	request->message.credential_kind = (uint8_t)request->credential.kind;
	request->message.credential = request->credential.secret;
	return 0;
}

static int fill_idempotency_key(const struct request_head *head, struct arena *arena,
				struct request *request, struct problem *problem)
{
	const struct request_field_value *field = &head->fields[HEAD_IDEMPOTENCY_KEY];
	if (field->count == 0)
		return 0;
	ATTR_BUFFER struct buffer key = {0};
	if (field->count > 1 || fields_idempotency_key(field->value, &key))
		return refuse(problem, PROBLEM_IDEMPOTENCY_KEY_INVALID,
			      TEXT("Idempotency-Key is one string of 1 to 255 characters"));
	request->message.idempotency_key = arena_text(arena, buffer_text(&key));
	request->message.has_idempotency_key = true;
	return request->message.idempotency_key.data ? 0 : error_origin(-ENOMEM);
}

static bool is_passed_on(const struct request_head *head, enum request_field field)
{
	if (head->fields[field].count == 0)
		return false;
	return field != HEAD_TRACEPARENT || fields_traceparent_is_valid(field_value(head, field));
}

static int fill_headers(const struct request_head *head, struct arena *arena,
			struct request *request)
{
	struct wire_pair *kept = arena_alloc(arena, ARRAY_SIZE(passed_on) * sizeof(*kept));
	if (!kept)
		return error_origin(-ENOMEM);
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		if (is_passed_on(head, passed_on[i]))
			kept[count++] = (struct wire_pair){request_field_names[passed_on[i]],
							   field_value(head, passed_on[i])};
	request->message.headers = (struct wire_list){kept, count};
	return 0;
}

static void fill_rest(const struct request_head *head, struct request *request)
{
	struct gateway_control_request *message = &request->message;
	struct text prefer = field_value(head, HEAD_PREFER);
	message->wait_ms = 1000 * fields_prefer_wait(prefer, &request->prefers_wait);
	message->address = head->address;
	message->user_agent = field_value(head, HEAD_USER_AGENT);
	if (message->user_agent.size > REQUEST_USER_AGENT_LIMIT)
		message->user_agent.size = REQUEST_USER_AGENT_LIMIT;
	request->wants_sse =
	    fields_accept_names(field_value(head, HEAD_ACCEPT), TEXT("text/event-stream"));
}

/* ---- the body ---- */

static bool is_json(struct text media_type)
{
	return text_equal_ignoring_case(media_type, TEXT("application/json"));
}

static int check_body(const struct request_head *head, uint64_t upload_limit,
		      struct request *request, struct problem *problem)
{
	unsigned flags = request->match.route->flags;
	uint64_t limit = flags & API_BODY_RAW ? upload_limit : JSON_BODY_LIMIT;
	if (!head->has_body || head->length == 0)
		return 0;
	if (!(flags & (API_BODY_JSON | API_BODY_RAW)))
		return refuse(problem, PROBLEM_INVALID_REQUEST, TEXT("This call takes no body"));
	if (head->length != UINT64_MAX && head->length > limit)
		return refuse(problem, PROBLEM_TOO_LARGE, (struct text){0});
	struct text type = fields_media_type(field_value(head, HEAD_CONTENT_TYPE));
	if (flags & API_BODY_JSON && !is_json(type))
		return refuse(problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
			      TEXT("The body must be application/json"));
	request->message.body_size = head->length;
	return 0;
}

int request_translate(const struct router *router, const struct request_head *head,
		      uint64_t upload_limit, struct arena *arena, struct request *request,
		      struct problem *problem)
{
	struct query_found found = {0};
	int r = find_route(router, head, request, problem);
	if (r == 0)
		r = fill_path(head, arena, request, problem);
	if (r == 0)
		r = fill_query(head, arena, request, &found, problem);
	if (r == 0)
		r = fill_credential(head, &found, request, problem);
	if (r == 0)
		r = fill_idempotency_key(head, arena, request, problem);
	if (r == 0)
		r = fill_headers(head, arena, request);
	if (r == 0)
		r = check_body(head, upload_limit, request, problem);
	if (r == 0)
		fill_rest(head, request);
	return r;
}
