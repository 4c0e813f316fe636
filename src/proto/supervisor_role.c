#include "proto/supervisor_role.h"

#define FIELD(kind, member, limit) WIRE_FIELD(struct supervisor_role_setup, kind, member, limit)
static const struct wire_field setup_fields[] = {
    FIELD(WIRE_U32, uid, 0),
    FIELD(WIRE_U32, gid, 0),
    FIELD(WIRE_U16, index, 0),
    FIELD(WIRE_U8, log_level, 0),
};
#undef FIELD

static const struct wire_field setting_fields[] = {
    WIRE_FIELD(struct supervisor_role_setting, WIRE_TEXT, name, 128),
    WIRE_FIELD(struct supervisor_role_setting, WIRE_BYTES, value, 1 << 20),
};

static const struct wire_field directory_fields[] = {
    WIRE_FIELD(struct supervisor_role_directory, WIRE_TEXT, name, 128),
};

static const struct wire_field listener_fields[] = {
    WIRE_FIELD(struct supervisor_role_listener, WIRE_TEXT, address, 512),
    WIRE_FIELD(struct supervisor_role_listener, WIRE_BOOL, tls, 0),
};

static const struct wire_field peer_fields[] = {
    WIRE_FIELD(struct supervisor_role_peer, WIRE_U8, role, 0),
    WIRE_FIELD(struct supervisor_role_peer, WIRE_U16, index, 0),
};

static const struct wire_field start_fields[] = {
    WIRE_FIELD(struct supervisor_role_start, WIRE_U64, generation, 0),
};

static const struct wire_field stop_fields[] = {
    WIRE_FIELD(struct supervisor_role_stop, WIRE_U32, grace_ms, 0),
};

static const struct wire_field ready_fields[] = {
    WIRE_FIELD(struct supervisor_role_ready, WIRE_TEXT, detail, 1024),
};

static const struct wire_struct setup = WIRE_STRUCT(supervisor_role_setup, setup_fields);
static const struct wire_struct setting = WIRE_STRUCT(supervisor_role_setting, setting_fields);
static const struct wire_struct directory =
    WIRE_STRUCT(supervisor_role_directory, directory_fields);
static const struct wire_struct listener = WIRE_STRUCT(supervisor_role_listener, listener_fields);
static const struct wire_struct peer = WIRE_STRUCT(supervisor_role_peer, peer_fields);
static const struct wire_struct start = WIRE_STRUCT(supervisor_role_start, start_fields);
static const struct wire_struct stop = WIRE_STRUCT(supervisor_role_stop, stop_fields);
static const struct wire_struct ready = WIRE_STRUCT(supervisor_role_ready, ready_fields);

static const struct wire_struct *const messages[SUPERVISOR_ROLE_TYPES] = {
    [SUPERVISOR_ROLE_SETUP] = &setup,         [SUPERVISOR_ROLE_SETTING] = &setting,
    [SUPERVISOR_ROLE_DIRECTORY] = &directory, [SUPERVISOR_ROLE_LISTENER] = &listener,
    [SUPERVISOR_ROLE_PEER] = &peer,           [SUPERVISOR_ROLE_START] = &start,
    [SUPERVISOR_ROLE_STOP] = &stop,           [SUPERVISOR_ROLE_READY] = &ready,
    [SUPERVISOR_ROLE_STATUS] = &ready,
};

const struct protocol supervisor_role_protocol = {"supervisor-role", 1, messages,
						  SUPERVISOR_ROLE_TYPES};
