#include "proc/gateway/answer.h"

#include "base/error.h"

#include <errno.h>

#define EXPOSED                                                                                    \
	"Location, Croft-Operation, Idempotent-Replayed, ETag, Preference-Applied, "               \
	"RateLimit, RateLimit-Policy, X-Request-Id, Retry-After, Content-Range, Accept-Ranges"
#define ACCEPTED                                                                                   \
	"Authorization, X-API-Key, Content-Type, Idempotency-Key, If-Match, If-None-Match, "       \
	"If-Range, "                                                                               \
	"Last-Event-ID, Prefer, Range, Traceparent, X-Request-Id"

static const struct wire_pair defaults[] = {
    {TEXT("cache-control"), TEXT("no-store")},
    {TEXT("x-content-type-options"), TEXT("nosniff")},
    {TEXT("content-security-policy"), TEXT("default-src 'none'; frame-ancestors 'none'; sandbox")},
    {TEXT("referrer-policy"), TEXT("no-referrer")},
};

/* ---- CORS ---- */

int cors_parse(struct text setting, struct cors *cors)
{
	*cors = (struct cors){0};
	while (setting.data) {
		struct text origin;
		text_split(&setting, ' ', &origin);
		if (origin.size == 0)
			continue;
		if (cors->count == CORS_ORIGINS_MAX)
			return 1;
		cors->origins[cors->count++] = origin;
	}
	return 0;
}

bool cors_allows(const struct cors *cors, struct text origin)
{
	for (size_t i = 0; i < cors->count; i++)
		if (text_equal(cors->origins[i], TEXT("*")) || text_equal(cors->origins[i], origin))
			return origin.size > 0;
	return false;
}

static void add_cors(struct answer *answer, const struct cors *cors, struct text origin)
{
	if (cors->count == 0)
		return;
	answer_add(answer, TEXT("vary"), TEXT("Origin"));
	if (!cors_allows(cors, origin))
		return;
	answer_add(answer, TEXT("access-control-allow-origin"), origin);
	answer_add(answer, TEXT("access-control-expose-headers"), TEXT(EXPOSED));
}

/* ---- head ---- */

void answer_begin(struct answer *answer, uint16_t status)
{
	answer->status = status;
	answer->n_headers = 0;
	answer->body = (struct bytes){0};
	answer->length = 0;
}

void answer_add(struct answer *answer, struct text name, struct text value)
{
	if (answer->n_headers < ANSWER_HEADERS_MAX)
		answer->headers[answer->n_headers++] = (struct wire_pair){name, value};
}

void answer_add_all(struct answer *answer, const struct wire_list *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		const struct wire_pair *pair = (const struct wire_pair *)pairs->items + i;
		answer_add(answer, pair->name, pair->value);
	}
}

bool answer_has(const struct answer *answer, struct text name)
{
	for (size_t i = 0; i < answer->n_headers; i++)
		if (text_equal(answer->headers[i].name, name))
			return true;
	return false;
}

void answer_add_common(struct answer *answer, struct text request_id, const struct cors *cors,
		       struct text origin)
{
	answer_add(answer, TEXT("x-request-id"), request_id);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (!answer_has(answer, defaults[i].name))
			answer_add(answer, defaults[i].name, defaults[i].value);
	add_cors(answer, cors, origin);
}

/* ---- problems ---- */

static int write_problem(struct answer *answer, const struct problem *problem,
			 const struct text *oldest, struct arena *arena)
{
	ATTR_BUFFER struct buffer body = {0};
	struct json json = json_to(&body);
	problem_begin(&json, problem);
	if (oldest) {
		json_key(&json, "oldestCursor");
		json_text(&json, *oldest);
		json_key(&json, "archiveUrl");
		json_null(&json);
	}
	json_object_end(&json);
	struct text kept = arena_text(arena, buffer_text(&body));
	if (buffer_check(&body) != 0 || !kept.data)
		return error_origin(-ENOMEM);
	answer_begin(answer, problem->kind.status);
	answer_add(answer, TEXT("content-type"), TEXT(PROBLEM_MEDIA_TYPE));
	if (problem->kind.status == 401)
		answer_add(answer, TEXT("www-authenticate"), TEXT("Bearer realm=\"croft\""));
	answer->body = text_bytes(kept);
	return 0;
}

int answer_problem(struct answer *answer, const struct problem *problem, struct arena *arena)
{
	return write_problem(answer, problem, NULL, arena);
}

int answer_expired(struct answer *answer, const struct problem *problem, struct text oldest,
		   struct arena *arena)
{
	return write_problem(answer, problem, &oldest, arena);
}

/* ---- OPTIONS ---- */

void answer_options(struct answer *answer, struct text methods, bool preflight)
{
	answer_begin(answer, 204);
	answer_add(answer, TEXT("allow"), methods);
	if (!preflight)
		return;
	answer_add(answer, TEXT("access-control-allow-methods"), methods);
	answer_add(answer, TEXT("access-control-allow-headers"), TEXT(ACCEPTED));
	answer_add(answer, TEXT("access-control-max-age"), TEXT("7200"));
}
