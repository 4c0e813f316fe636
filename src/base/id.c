#include "base/id.h"

#include <stdlib.h>
#include <sys/random.h>

static const struct text prefixes[ID_KINDS] = {
    [ID_WORKSPACE] = TEXT("ws_"), [ID_PROJECT] = TEXT("prj_"), [ID_OPERATION] = TEXT("op_"),
    [ID_RUNTIME] = TEXT("rt_"),   [ID_PREVIEW] = TEXT("pv_"),  [ID_SNAPSHOT] = TEXT("snp_"),
    [ID_SECRET] = TEXT("sec_"),   [ID_KEY] = TEXT("key_"),     [ID_USER] = TEXT("usr_"),
};

/* RFC 9562 section 6.2, method 1: twelve bits count within a millisecond; when they run out, the
 * clock is pushed on. */
struct uuid uuid_new(int64_t wall_ms)
{
	static uint64_t last_ms;
	static uint16_t count;

	struct uuid uuid;
	if (getrandom(uuid.b, sizeof(uuid.b), 0) != (ssize_t)sizeof(uuid.b))
		abort(); /* an identifier that can be guessed or repeat is worse than no process */
	uint64_t now = (uint64_t)wall_ms;
	if (now > last_ms) {
		last_ms = now;
		count = (uint16_t)((uuid.b[6] << 8 | uuid.b[7]) & 0x7ff);
	} else if (++count > 0xfff) {
		last_ms++;
		count = 0;
	}
	for (size_t i = 0; i < 6; i++)
		uuid.b[i] = (uint8_t)(last_ms >> (40 - 8 * i));
	uuid.b[6] = (uint8_t)(0x70 | count >> 8);
	uuid.b[7] = (uint8_t)count;
	uuid.b[8] = (uint8_t)(0x80 | (uuid.b[8] & 0x3f));
	return uuid;
}

bool uuid_is_zero(struct uuid uuid)
{
	return uuid_equal(uuid, (struct uuid){0});
}

bool uuid_equal(struct uuid a, struct uuid b)
{
	return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

int64_t uuid_time_ms(struct uuid uuid)
{
	int64_t ms = 0;
	for (size_t i = 0; i < 6; i++)
		ms = ms << 8 | uuid.b[i];
	return ms;
}

struct id_text id_format(enum id_kind kind, struct uuid uuid)
{
	struct id_text text = {0};
	struct text prefix = prefixes[kind];
	memcpy(text.data, prefix.data, prefix.size);
	encode_base32(uuid.b, text.data + prefix.size);
	return text;
}

int id_parse(enum id_kind kind, struct text text, struct uuid *uuid)
{
	struct uuid parsed;
	struct text prefix = prefixes[kind];
	if (text.size != prefix.size + BASE32_SIZE || !text_starts(text, prefix))
		return 1;
	if (decode_base32(text.data + prefix.size, parsed.b))
		return 1;
	*uuid = parsed;
	return 0;
}
