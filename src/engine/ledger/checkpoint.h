/* Checkpoints: the root of the log at a size, signed, as C2SP tlog-checkpoint and signed-note write
 * it. Pure.
 *
 *   croft.example/audit           origin
 *   1234                          entries
 *   base64 of the root
 *   (empty line)
 *   — croft.example/audit base64 of key id and Ed25519 signature
 *
 * The public key is shown as a note verifier: name+key id in hexadecimal+base64 of 0x01 and the
 * key. */
#pragma once

#include "base/buffer.h"
#include "crypt/digest.h"
#include "crypt/sign.h"

enum {
	CHECKPOINT_ORIGIN_MAX = 128,
	CHECKPOINT_KEY_TEXT_SIZE = CHECKPOINT_ORIGIN_MAX + 64,
	CHECKPOINT_SIZE_LIMIT = 16
				<< 10, /* bytes of a note, other witnesses' signatures included */
};

struct checkpoint {
	uint64_t size;
	struct digest_value root;
};

/* Who signs: a name, which is also the log's origin, and a public key. */
struct checkpoint_key {
	char origin[CHECKPOINT_ORIGIN_MAX + 1];
	uint8_t id[4];
	struct sign_public public;
};

/* 1 if `origin` is empty, too long, or holds blanks, controls or '+', or is not UTF-8. */
int checkpoint_key_make(struct text origin, const struct sign_public *public,
			struct checkpoint_key *key);
int checkpoint_key_parse(struct text verifier, struct checkpoint_key *key); /* 1 if malformed */
void checkpoint_key_format(const struct checkpoint_key *key, char out[CHECKPOINT_KEY_TEXT_SIZE]);

int checkpoint_sign(const struct checkpoint *checkpoint, const struct checkpoint_key *key,
		    const struct sign_key *secret, struct buffer *note) ATTR_MUST_CHECK;

enum { CHECKPOINT_MALFORMED = 1, CHECKPOINT_OTHER_ORIGIN, CHECKPOINT_UNSIGNED, CHECKPOINT_FORGED };

/* 0, or why the note is not this key's word. Signatures of others are passed over. */
int checkpoint_open(struct text note, const struct checkpoint_key *key,
		    struct checkpoint *checkpoint) ATTR_MUST_CHECK;
