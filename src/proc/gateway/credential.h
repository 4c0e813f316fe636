/* What a client shows to prove who it is. The gateway only finds it and tells its kind; control
 * judges it. */
#pragma once

#include "base/text.h"
#include "proto/gateway_control.h"

enum { CREDENTIAL_LIMIT = 8 << 10 };

struct credential {
	enum credential_kind kind;
	struct text secret; /* points into the request; never logged */
};

/* The places where it may stand, each empty if it is not there; `count` is how many of them were
 * there (one given twice counts twice). */
struct credential_sources {
	struct text authorization;
	struct text api_key;
	struct text ticket;
	size_t count;
};

enum credential_verdict {
	CREDENTIAL_FOUND, /* also none at all: kind CREDENTIAL_NONE */
	CREDENTIAL_SEVERAL,
	CREDENTIAL_MALFORMED, /* not of a known scheme, not a token, or too long: as good as a wrong
				 one */
};

enum credential_verdict credential_find(const struct credential_sources *sources,
					struct credential *credential);
