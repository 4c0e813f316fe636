/* control <-> audit. An entry is durable, in the tree and counted before APPENDED is sent; appended
 * entries are acknowledged in order. Control keeps what is not acknowledged and appends it again on
 * a new channel with the same `entry` id: the audit role tells repeats among the last 16,384
 * entries and acknowledges them without writing twice. */
#pragma once

#include "wire/channel.h"

enum control_audit_type {
	CONTROL_AUDIT_APPEND = 1, /* control */
	CONTROL_AUDIT_APPENDED,   /* audit */
	CONTROL_AUDIT_QUERY,      /* control: entries of one workspace, oldest first */
	CONTROL_AUDIT_PAGE,       /* audit */
	CONTROL_AUDIT_READ,    /* control: a file of the published log: "checkpoint", "tile/0/000",
				  "key", ... */
	CONTROL_AUDIT_CONTENT, /* audit */
	CONTROL_AUDIT_TYPES
};

/* API.md, "Audit". The audit role adds `seq` and writes the canonical JSON. */
struct control_audit_append {
	uint64_t token;
	struct uuid entry; /* identity of this entry, for repeats */
	int64_t time_ms;
	struct text actor_type; /* "user", "key", "admin", "anonymous", "system" */
	struct text actor_id;
	struct text actor_key;
	struct text action; /* "operation.create", "workspace.delete", "files.get", ... */
	struct text workspace, project, operation;
	bool allow;
	struct text rule; /* what allowed or denied it */
	struct text result_state, result_code;
	struct text request_id, ip, user_agent, correlation;
	struct text input_digest; /* "sha256:" and hex, or empty */
	bool unhurried;           /* nobody waits for it: it may share a later sync */
};

struct control_audit_appended {
	uint64_t token;
	uint8_t status; /* 0 durable; 1 not written: no space; 2 not written: the log is broken,
			   nothing will be */
	uint64_t sequence;
};

struct control_audit_query {
	uint64_t token;
	struct text workspace; /* empty: all, for the administrator */
	uint64_t after;        /* entries with seq >= after */
	uint32_t limit;
	int64_t since_ms, until_ms; /* 0: open */
	struct text actor, action, project, operation,
	    decision;    /* filters; empty: any; `action` may end in '*' */
	bool with_proof; /* the page ends with a proof line (engine/ledger/export.h), so that it can
			    be verified offline */
};

struct control_audit_page {
	uint64_t token;
	uint8_t status;       /* 0; 1 cannot be read */
	struct bytes entries; /* JSON lines; fewer than `limit`, even none, if `next` is set */
	uint64_t next;        /* where to go on; 0: that was all */
};

struct control_audit_read {
	uint64_t token;
	struct text name;
};

struct control_audit_content {
	uint64_t token;
	uint8_t status; /* 0; 1 there is no such file */
	struct bytes content;
};

extern const struct protocol control_audit_protocol;
