#include "proto/control_audit.h"

enum { ID = 64, NAME = 255, AGENT = 512, CONTENT = CHANNEL_FRAME_LIMIT - 256 };

#define FIELD(kind, member, limit) WIRE_FIELD(struct control_audit_append, kind, member, limit)
static const struct wire_field append_fields[] = {
    FIELD(WIRE_U64, token, 0),           FIELD(WIRE_UUID, entry, 0),
    FIELD(WIRE_I64, time_ms, 0),         FIELD(WIRE_TEXT, actor_type, ID),
    FIELD(WIRE_TEXT, actor_id, NAME),    FIELD(WIRE_TEXT, actor_key, ID),
    FIELD(WIRE_TEXT, action, ID),        FIELD(WIRE_TEXT, workspace, ID),
    FIELD(WIRE_TEXT, project, ID),       FIELD(WIRE_TEXT, operation, ID),
    FIELD(WIRE_BOOL, allow, 0),          FIELD(WIRE_TEXT, rule, NAME),
    FIELD(WIRE_TEXT, result_state, ID),  FIELD(WIRE_TEXT, result_code, ID),
    FIELD(WIRE_TEXT, request_id, NAME),  FIELD(WIRE_TEXT, ip, ID),
    FIELD(WIRE_TEXT, user_agent, AGENT), FIELD(WIRE_TEXT, correlation, NAME),
    FIELD(WIRE_TEXT, input_digest, 80),  FIELD(WIRE_BOOL, unhurried, 0),
};
#undef FIELD

static const struct wire_field appended_fields[] = {
    WIRE_FIELD(struct control_audit_appended, WIRE_U64, token, 0),
    WIRE_FIELD(struct control_audit_appended, WIRE_U8, status, 0),
    WIRE_FIELD(struct control_audit_appended, WIRE_U64, sequence, 0),
};

#define FIELD(kind, member, limit) WIRE_FIELD(struct control_audit_query, kind, member, limit)
static const struct wire_field query_fields[] = {
    FIELD(WIRE_U64, token, 0),      FIELD(WIRE_TEXT, workspace, ID),
    FIELD(WIRE_U64, after, 0),      FIELD(WIRE_U32, limit, 0),
    FIELD(WIRE_I64, since_ms, 0),   FIELD(WIRE_I64, until_ms, 0),
    FIELD(WIRE_TEXT, actor, NAME),  FIELD(WIRE_TEXT, action, ID),
    FIELD(WIRE_TEXT, project, ID),  FIELD(WIRE_TEXT, operation, ID),
    FIELD(WIRE_TEXT, decision, ID), FIELD(WIRE_BOOL, with_proof, 0),
};
#undef FIELD

static const struct wire_field page_fields[] = {
    WIRE_FIELD(struct control_audit_page, WIRE_U64, token, 0),
    WIRE_FIELD(struct control_audit_page, WIRE_U8, status, 0),
    WIRE_FIELD(struct control_audit_page, WIRE_BYTES, entries, CONTENT),
    WIRE_FIELD(struct control_audit_page, WIRE_U64, next, 0),
};

static const struct wire_field read_fields[] = {
    WIRE_FIELD(struct control_audit_read, WIRE_U64, token, 0),
    WIRE_FIELD(struct control_audit_read, WIRE_TEXT, name, 256),
};

static const struct wire_field content_fields[] = {
    WIRE_FIELD(struct control_audit_content, WIRE_U64, token, 0),
    WIRE_FIELD(struct control_audit_content, WIRE_U8, status, 0),
    WIRE_FIELD(struct control_audit_content, WIRE_BYTES, content, CONTENT),
};

static const struct wire_struct append = WIRE_STRUCT(control_audit_append, append_fields);
static const struct wire_struct appended = WIRE_STRUCT(control_audit_appended, appended_fields);
static const struct wire_struct query = WIRE_STRUCT(control_audit_query, query_fields);
static const struct wire_struct page = WIRE_STRUCT(control_audit_page, page_fields);
static const struct wire_struct reading = WIRE_STRUCT(control_audit_read, read_fields);
static const struct wire_struct content = WIRE_STRUCT(control_audit_content, content_fields);

static const struct wire_struct *const messages[CONTROL_AUDIT_TYPES] = {
    [CONTROL_AUDIT_APPEND] = &append, [CONTROL_AUDIT_APPENDED] = &appended,
    [CONTROL_AUDIT_QUERY] = &query,   [CONTROL_AUDIT_PAGE] = &page,
    [CONTROL_AUDIT_READ] = &reading,  [CONTROL_AUDIT_CONTENT] = &content,
};

const struct protocol control_audit_protocol = {"control-audit", 1, messages, CONTROL_AUDIT_TYPES};
