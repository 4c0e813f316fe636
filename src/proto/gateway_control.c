#include "proto/gateway_control.h"

#define FIELD(kind, member, limit) WIRE_FIELD(struct gateway_control_request, kind, member, limit)
static const struct wire_field request_fields[] = {
    FIELD(WIRE_U64, request, 0),
    FIELD(WIRE_U16, call, 0),
    FIELD(WIRE_BOOL, head, 0),
    FIELD(WIRE_U8, credential_kind, 0),
    FIELD(WIRE_BYTES, credential, 16 << 10),
    FIELD(WIRE_BYTES, id, 256),
    FIELD(WIRE_BYTES, name, 4096),
    FIELD(WIRE_BYTES, path, 16 << 10),
    FIELD(WIRE_BYTES, target, 16 << 10),
    WIRE_FIELD_LIST(struct gateway_control_request, query, 64, &wire_pair_element),
    WIRE_FIELD_LIST(struct gateway_control_request, headers, 32, &wire_pair_element),
    FIELD(WIRE_BYTES, idempotency_key, 4096),
    FIELD(WIRE_BOOL, has_idempotency_key, 0),
    FIELD(WIRE_U32, wait_ms, 0),
    FIELD(WIRE_TEXT, request_id, 128),
    FIELD(WIRE_TEXT, address, 64),
    FIELD(WIRE_BYTES, user_agent, 512),
    FIELD(WIRE_BYTES, body, JSON_BODY_LIMIT),
    FIELD(WIRE_U8, body_direction, 0),
    FIELD(WIRE_U64, body_size, 0),
    FIELD(WIRE_U64, reader, 0),
    FIELD(WIRE_BOOL, again, 0),
    FIELD(WIRE_BOOL, connected, 0),
};
#undef FIELD

static const struct wire_field body_end_fields[] = {
    WIRE_FIELD(struct gateway_control_body_end, WIRE_U64, request, 0),
    WIRE_FIELD(struct gateway_control_body_end, WIRE_BOOL, whole, 0),
    WIRE_FIELD(struct gateway_control_body_end, WIRE_U64, size, 0),
};
static const struct wire_field abandon_fields[] = {
    WIRE_FIELD(struct gateway_control_abandon, WIRE_U64, request, 0),
};
#define FIELD(kind, member, limit) WIRE_FIELD(struct gateway_control_answer, kind, member, limit)
static const struct wire_field answer_fields[] = {
    FIELD(WIRE_U64, request, 0),
    FIELD(WIRE_U16, status, 0),
    WIRE_FIELD_LIST(struct gateway_control_answer, headers, 32, &wire_pair_element),
    FIELD(WIRE_BYTES, body, 3 << 20),
    FIELD(WIRE_BOOL, has_length, 0),
    FIELD(WIRE_U64, length, 0),
    FIELD(WIRE_BOOL, broken, 0),
};
#undef FIELD
static const struct wire_field withdraw_fields[] = {
    WIRE_FIELD(struct gateway_control_withdraw, WIRE_UUID, key, 0),
};
static const struct wire_field metrics_fields[] = {
    WIRE_FIELD(struct gateway_control_metrics, WIRE_BYTES, exposition, 256 << 10),
    WIRE_FIELD(struct gateway_control_metrics, WIRE_BOOL, ready, 0),
    WIRE_FIELD(struct gateway_control_metrics, WIRE_BYTES, readiness, 16 << 10),
};

static const struct wire_struct request = WIRE_STRUCT(gateway_control_request, request_fields);
static const struct wire_struct body_end = WIRE_STRUCT(gateway_control_body_end, body_end_fields);
static const struct wire_struct abandon = WIRE_STRUCT(gateway_control_abandon, abandon_fields);
static const struct wire_struct answer = WIRE_STRUCT(gateway_control_answer, answer_fields);
static const struct wire_struct withdraw = WIRE_STRUCT(gateway_control_withdraw, withdraw_fields);
static const struct wire_struct metrics = WIRE_STRUCT(gateway_control_metrics, metrics_fields);

static const struct wire_struct *const messages[GATEWAY_CONTROL_TYPES] = {
    [GATEWAY_CONTROL_REQUEST] = &request, [GATEWAY_CONTROL_BODY_END] = &body_end,
    [GATEWAY_CONTROL_ABANDON] = &abandon, [GATEWAY_CONTROL_HEAD] = &answer,
    [GATEWAY_CONTROL_ANSWER] = &answer,   [GATEWAY_CONTROL_WITHDRAW] = &withdraw,
    [GATEWAY_CONTROL_METRICS] = &metrics,
};

const struct protocol gateway_control_protocol = {"gateway-control", 1, messages,
						  GATEWAY_CONTROL_TYPES};
