#include "engine/ledger/checkpoint.h"

#include "base/encode.h"
#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum {
	ALGORITHM_ED25519 = 1,
	KEY_ID_SIZE = 4,
	SIGNATURE_BLOB_SIZE = KEY_ID_SIZE + SIGN_SIGNATURE_SIZE,
	SIGNATURES_MAX = 16,
};

static const struct text dash =
    TEXT("\xe2\x80\x94 "); /* an em dash and a blank begin a signature line */

static bool origin_is_valid(struct text origin)
{
	if (origin.size == 0 || origin.size > CHECKPOINT_ORIGIN_MAX || !text_is_utf8(origin))
		return false;
	for (size_t i = 0; i < origin.size; i++)
		if ((uint8_t)origin.data[i] <= ' ' || origin.data[i] == '+' ||
		    origin.data[i] == 0x7f)
			return false;
	return true;
}

int checkpoint_key_make(struct text origin, const struct sign_public *public,
			struct checkpoint_key *key)
{
	static const uint8_t algorithm[] = {'\n', ALGORITHM_ED25519};
	if (!origin_is_valid(origin))
		return 1;
	const struct bytes parts[] = {
	    text_bytes(origin), {algorithm, sizeof(algorithm)}, {public->b, sizeof(public->b)}};
	struct digest_value hash = digest_of_parts(parts, ARRAY_SIZE(parts));
	*key = (struct checkpoint_key){.public = *public};
	memcpy(key->origin, origin.data, origin.size);
	memcpy(key->id, hash.b, KEY_ID_SIZE);
	return 0;
}

int checkpoint_key_parse(struct text verifier, struct checkpoint_key *key)
{
	struct buffer raw ATTR_BUFFER = {0};
	struct checkpoint_key made;
	struct sign_public public;
	struct text origin, id;
	uint8_t id_bytes[KEY_ID_SIZE];
	while (verifier.size > 0 && verifier.data[verifier.size - 1] == '\n')
		verifier.size--;
	if (verifier.size >= CHECKPOINT_KEY_TEXT_SIZE)
		return 1;
	text_split(&verifier, '+', &origin);
	text_split(&verifier, '+', &id);
	if (!verifier.data || id.size != 2 * KEY_ID_SIZE || decode_hex(id, id_bytes) ||
	    decode_base64(&raw, verifier) || raw.size != 1 + SIGN_PUBLIC_SIZE ||
	    raw.data[0] != ALGORITHM_ED25519)
		return 1;
	memcpy(public.b, raw.data + 1, SIGN_PUBLIC_SIZE);
	if (checkpoint_key_make(origin, &public, &made) ||
	    memcmp(made.id, id_bytes, KEY_ID_SIZE) != 0)
		return 1;
	*key = made;
	return 0;
}

void checkpoint_key_format(const struct checkpoint_key *key, char out[CHECKPOINT_KEY_TEXT_SIZE])
{
	struct buffer base64 ATTR_BUFFER = {0};
	char id[2 * KEY_ID_SIZE + 1];
	uint8_t raw[1 + SIGN_PUBLIC_SIZE] = {ALGORITHM_ED25519};
	memcpy(raw + 1, key->public.b, SIGN_PUBLIC_SIZE);
	encode_hex((struct bytes){key->id, KEY_ID_SIZE}, id);
	encode_base64(&base64, (struct bytes){raw, sizeof(raw)});
	snprintf(out, CHECKPOINT_KEY_TEXT_SIZE, "%s+%s+%.*s", key->origin, id, (int)base64.size,
		 (const char *)base64.data);
}

int checkpoint_sign(const struct checkpoint *checkpoint, const struct checkpoint_key *key,
		    const struct sign_key *secret, struct buffer *note)
{
	uint8_t blob[SIGNATURE_BLOB_SIZE];
	size_t begin = note->size;
	buffer_append_format(note, "%s\n%" PRIu64 "\n", key->origin, checkpoint->size);
	encode_base64(note, digest_bytes(&checkpoint->root));
	buffer_append_byte(note, '\n');
	if (buffer_check(note) < 0)
		return error_origin(buffer_check(note));
	memcpy(blob, key->id, KEY_ID_SIZE);
	int r = sign_message(secret, (struct bytes){note->data + begin, note->size - begin},
			     blob + KEY_ID_SIZE);
	if (r < 0)
		return error_trace(r);
	buffer_append_byte(note, '\n');
	buffer_append_text(note, dash);
	buffer_append_format(note, "%s ", key->origin);
	encode_base64(note, (struct bytes){blob, sizeof(blob)});
	buffer_append_byte(note, '\n');
	return error_trace(buffer_check(note));
}

static int parse_body(struct text body, const struct checkpoint_key *key,
		      struct checkpoint *checkpoint)
{
	struct buffer root ATTR_BUFFER = {0};
	struct text origin, size, hash;
	text_split(&body, '\n', &origin);
	text_split(&body, '\n', &size);
	text_split(&body, '\n', &hash);
	if (!body.data || size.size == 0 || (size.size > 1 && size.data[0] == '0') ||
	    text_parse_u64(size, INT64_MAX, &checkpoint->size) || decode_base64(&root, hash) ||
	    root.size != DIGEST_SIZE)
		return CHECKPOINT_MALFORMED;
	memcpy(checkpoint->root.b, root.data, DIGEST_SIZE);
	return text_equal(origin, text_of(key->origin)) ? 0 : CHECKPOINT_OTHER_ORIGIN;
}

/* One signature line: 0 if it is this key's and right. */
static int check_line(struct text line, struct text body, const struct checkpoint_key *key)
{
	struct buffer blob ATTR_BUFFER = {0};
	struct text name;
	if (!text_starts(line, dash))
		return CHECKPOINT_MALFORMED;
	line = text_skip(line, dash.size);
	text_split(&line, ' ', &name);
	if (!line.data || decode_base64(&blob, line) || blob.size <= KEY_ID_SIZE)
		return CHECKPOINT_MALFORMED;
	if (!text_equal(name, text_of(key->origin)) || memcmp(blob.data, key->id, KEY_ID_SIZE) != 0)
		return CHECKPOINT_UNSIGNED;
	struct bytes signature = {blob.data + KEY_ID_SIZE, blob.size - KEY_ID_SIZE};
	return sign_is_valid(&key->public, text_bytes(body), signature) ? 0 : CHECKPOINT_FORGED;
}

static int check_signatures(struct text lines, struct text body, const struct checkpoint_key *key)
{
	int found = CHECKPOINT_UNSIGNED;
	for (size_t i = 0; lines.size > 0; i++) {
		struct text line;
		text_split(&lines, '\n', &line);
		if (!lines.data || i >= SIGNATURES_MAX)
			return CHECKPOINT_MALFORMED;
		int r = check_line(line, body, key);
		if (r == CHECKPOINT_MALFORMED || r == CHECKPOINT_FORGED)
			return r;
		if (r == 0)
			found = 0;
	}
	return found;
}

int checkpoint_open(struct text note, const struct checkpoint_key *key,
		    struct checkpoint *checkpoint)
{
	struct checkpoint read;
	if (note.size > CHECKPOINT_SIZE_LIMIT || !text_is_utf8(note))
		return CHECKPOINT_MALFORMED;
	const char *gap = memmem(note.data ? note.data : "", note.size, "\n\n", 2);
	if (!gap)
		return CHECKPOINT_MALFORMED;
	struct text body = {note.data, (size_t)(gap - note.data) + 1};
	struct text lines = text_skip(note, body.size + 1);
	int r = parse_body(body, key, &read);
	if (r == 0)
		r = check_signatures(lines, body, key);
	if (r == 0)
		*checkpoint = read;
	return r;
}
