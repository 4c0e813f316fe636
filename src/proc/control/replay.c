#include "proc/control/replay.h"

#include "crypt/digest.h"
#include "proc/control/answer.h"

/* The same key may stand in several workspaces and calls: where it goes is part of what must be the
 * same. Of a body that is streamed its size stands for it. */
static void digest_request(const struct control_request *request, uint8_t out[32])
{
	const struct gateway_control_request *in = request->in;
	const struct wire_pair *query = in->query.items;
	struct buffer text ATTR_BUFFER = {0};
	buffer_append_format(&text, "%u\n%llu\n", in->call, (unsigned long long)in->body_size);
	buffer_append_text(&text, in->id);
	buffer_append_byte(&text, '\n');
	buffer_append_text(&text, in->path);
	for (size_t i = 0; i < in->query.count; i++) {
		if (text_equal(query[i].name, TEXT("ticket")))
			continue; /* each is used once */
		buffer_append_byte(&text, '\n');
		buffer_append_text(&text, query[i].name);
		buffer_append_byte(&text, '=');
		buffer_append_text(&text, query[i].value);
	}
	buffer_append_byte(&text, '\0');
	struct bytes parts[] = {buffer_bytes(&text), in->body};
	struct digest_value digest = digest_of_parts(parts, ARRAY_SIZE(parts));
	memcpy(out, digest.b, sizeof(digest.b));
}

static bool is_well_formed(struct text key)
{
	return key.size >= 1 && key.size <= IDEMPOTENCY_KEY_LIMIT && text_is_utf8(key) &&
	       !text_has(key, '\0');
}

int replay_check_key(struct control_request *request)
{
	if (!request->in->has_idempotency_key || is_well_formed(request->in->idempotency_key))
		return 0;
	control_answer_problem(request, PROBLEM_IDEMPOTENCY_KEY_INVALID,
			       "1 to %d characters of UTF-8", IDEMPOTENCY_KEY_LIMIT);
	return 1;
}

/* The first one may have come in this very turn of the loop: what is answered again must be
 * durable. */
static enum replay_verdict found(struct control_request *request, const struct store_replay *stored,
				 struct replay *replay)
{
	struct store *store = request->control->store;
	if (memcmp(stored->digest, replay->record.digest, sizeof(stored->digest)) != 0) {
		control_answer_problem(request, PROBLEM_IDEMPOTENCY_KEY_REUSED, NULL);
		return REPLAY_ANSWERED;
	}
	int r = store->base->flush(store);
	if (r != STORE_DONE) {
		control_answer_outcome(request, r);
		return REPLAY_ANSWERED;
	}
	replay->record.object = stored->object;
	return REPLAY_AGAIN;
}

enum replay_verdict replay_check(struct control_request *request, struct uuid object,
				 struct replay *replay)
{
	struct store *store = request->control->store;
	struct store_replay stored;
	*replay = (struct replay){.has_key = request->in->has_idempotency_key};
	if (!replay->has_key)
		return REPLAY_NEW;
	if (replay_check_key(request) != 0)
		return REPLAY_ANSWERED;
	replay->record = (struct store_replay){
	    .caller = request->caller.name,
	    .key = request->in->idempotency_key,
	    .object = object,
	    .created_ms = request->received_ms,
	};
	digest_request(request, replay->record.digest);
	int r =
	    store->workspaces->replay(store, replay->record.caller, replay->record.key, &stored);
	if (r == STORE_NOT_FOUND)
		return REPLAY_NEW;
	if (r == 0)
		return found(request, &stored, replay);
	control_answer_outcome(request, r);
	return REPLAY_ANSWERED;
}

void replay_mark(struct control_request *request)
{
	control_answer_header(request, "idempotent-replayed", TEXT("true"));
}
