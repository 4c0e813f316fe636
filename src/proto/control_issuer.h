/* control <-> issuer: the key set (JWKS) of the OIDC issuer that the operator configured by URL.
 * The issuer role fetches it, at the start, on a schedule, and when control meets an unknown key
 * id; it holds nothing else and reaches nothing else of ours. */
#pragma once

#include "wire/channel.h"

enum control_issuer_type {
	CONTROL_ISSUER_REFRESH =
	    1, /* control: an unknown key id was met; the issuer role limits how often it asks */
	CONTROL_ISSUER_KEYS, /* issuer */
	CONTROL_ISSUER_TYPES
};

struct control_issuer_refresh {
	uint8_t unused;
};

struct control_issuer_keys {
	struct bytes jwks; /* JSON as fetched: hostile */
};

extern const struct protocol control_issuer_protocol;
