/* Idempotency-Key on the calls that create something: with the same key and body the same object is
 * answered again, and nothing is created twice. The record is stored in the creation's own
 * transaction (port/store/store.h). */
#pragma once

#include "proc/control/request.h"

enum replay_verdict {
	REPLAY_NEW,      /* go on; `replay` goes to the insert, or is not to be used if `has_key` is
			    false */
	REPLAY_AGAIN,    /* answer the object `replay->object` */
	REPLAY_ANSWERED, /* the key was malformed or used with another request */
};

struct replay {
	bool has_key;
	struct store_replay record;
};

/* For calls that keep no record. 0; 1: the key was malformed, which is answered. */
int replay_check_key(struct control_request *request) ATTR_MUST_CHECK;

/* `object` is the id that the new object would get. */
enum replay_verdict replay_check(struct control_request *request, struct uuid object,
				 struct replay *replay) ATTR_MUST_CHECK;

/* What the insert call takes. */
static inline const struct store_replay *replay_record(const struct replay *replay)
{
	return replay->has_key ? &replay->record : NULL;
}

/* Says in the answer that it is one. */
void replay_mark(struct control_request *request);
