#include "proc/stream/event_cursor.h"

#include "base/cursor.h"
#include "base/encode.h"

enum binding { BOUND_TO_WORKSPACE = 'w', BOUND_TO_PROJECT = 'p', MASK = 'm' };

struct codes {
	uint64_t workspace;
	uint64_t project;
};

static uint64_t bind(const struct mac_key *key, enum binding binding, struct uuid to,
		     uint64_t position)
{
	uint8_t bound[1 + sizeof(to.b) + sizeof(position)];
	bound[0] = (uint8_t)binding;
	memcpy(bound + 1, to.b, sizeof(to.b));
	put_u64(bound + 1 + sizeof(to.b), position);
	return mac_of(key, (struct bytes){bound, sizeof(bound)});
}

static uint64_t mask_of(const struct mac_key *key, struct codes codes)
{
	uint8_t masked[1 + 2 * sizeof(uint64_t)] = {MASK};
	put_u64(masked + 1, codes.workspace);
	put_u64(masked + 1 + sizeof(uint64_t), codes.project);
	return mac_of(key, (struct bytes){masked, sizeof(masked)});
}

struct event_cursor_text event_cursor_format(const struct mac_key *key,
					     const struct event_cursor *cursor)
{
	struct event_cursor_text text;
	uint8_t raw[EVENT_CURSOR_SIZE];
	struct codes codes = {
	    bind(key, BOUND_TO_WORKSPACE, cursor->workspace, cursor->position),
	    bind(key, BOUND_TO_PROJECT, cursor->project, cursor->position),
	};
	put_u64(raw, cursor->position ^ mask_of(key, codes));
	put_u64(raw + 8, codes.workspace);
	put_u64(raw + 16, codes.project);
	encode_hex((struct bytes){raw, sizeof(raw)}, text.data);
	return text;
}

int event_cursor_parse(const struct mac_key *key, struct text text, struct event_cursor *cursor)
{
	uint8_t raw[EVENT_CURSOR_SIZE];
	if (text.size != EVENT_CURSOR_TEXT || decode_hex(text, raw))
		return 1;
	struct cursor at = cursor_of((struct bytes){raw, sizeof(raw)});
	uint64_t masked = cursor_u64(&at);
	struct codes given = {.workspace = cursor_u64(&at)};
	given.project = cursor_u64(&at);
	uint64_t position = masked ^ mask_of(key, given);
	bool whole = uuid_is_zero(cursor->project);
	uint64_t expected = whole ? bind(key, BOUND_TO_WORKSPACE, cursor->workspace, position)
				  : bind(key, BOUND_TO_PROJECT, cursor->project, position);
	const uint64_t *code = whole ? &given.workspace : &given.project;
	if (!bytes_equal_secret((struct bytes){(const uint8_t *)code, sizeof(*code)},
				(struct bytes){(const uint8_t *)&expected, sizeof(expected)}))
		return 1;
	cursor->position = position;
	return 0;
}
