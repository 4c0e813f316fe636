#include "proto/control_issuer.h"

static const struct wire_field refresh_fields[] = {
    WIRE_FIELD(struct control_issuer_refresh, WIRE_U8, unused, 0),
};
static const struct wire_field keys_fields[] = {
    WIRE_FIELD(struct control_issuer_keys, WIRE_BYTES, jwks, 256 << 10),
};

static const struct wire_struct refresh = WIRE_STRUCT(control_issuer_refresh, refresh_fields);
static const struct wire_struct keys = WIRE_STRUCT(control_issuer_keys, keys_fields);

static const struct wire_struct *const messages[CONTROL_ISSUER_TYPES] = {
    [CONTROL_ISSUER_REFRESH] = &refresh,
    [CONTROL_ISSUER_KEYS] = &keys,
};

const struct protocol control_issuer_protocol = {"control-issuer", 1, messages,
						 CONTROL_ISSUER_TYPES};
