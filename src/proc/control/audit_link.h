/* control's end of the audit channel: nothing privileged runs without its durable entry.
 *
 * An entry that the audit role has not acknowledged is kept and sent again on a new channel under
 * the same identity, so that the death of the audit role loses and doubles nothing. Whoever waits
 * for an entry is told within AUDIT_PATIENCE_MS: if it is not durable by then, the answer is
 * AUDIT_UNAVAILABLE and what it stands for must not run. (The entry may still become durable later:
 * the log then shows something allowed that did not happen, never the reverse.) */
#pragma once

#include "base/list.h"
#include "loop/loop.h"
#include "proto/control_audit.h"

enum {
	AUDIT_PATIENCE_MS = 5000,
	AUDIT_PENDING_MAX = 8192, /* entries that wait for the audit role */
};

struct audit_link;
struct audit_entry;

enum audit_outcome { AUDIT_RECORDED, AUDIT_UNAVAILABLE };

struct audit_wait;
typedef void audit_on_recorded(struct audit_wait *wait, enum audit_outcome outcome);

/* Embedded in who waits; idle when zeroed or told. */
struct audit_wait {
	struct list node;
	audit_on_recorded *on_recorded;
	struct audit_entry *entry; /* NULL once it is settled */
	enum audit_outcome outcome;
	uint64_t until_ms;
	bool under_way;
};

int audit_link_new(struct loop *loop, struct audit_link **link) ATTR_MUST_CHECK;
void audit_link_free(struct audit_link *link);
int audit_link_connect(struct audit_link *link, int fd) ATTR_MUST_CHECK; /* takes the descriptor */
bool audit_link_is_up(const struct audit_link *link);
size_t audit_link_pending(const struct audit_link *link);

/* Everything is copied; token, entry id and time are filled in. `wait` may be NULL. The end is told
 * later, never from inside. */
void audit_link_append(struct audit_link *link, const struct control_audit_append *entry,
		       struct audit_wait *wait);
void audit_wait_detach(struct audit_wait *wait); /* the entry itself stays under way */

/* Reading the log. `on_page` or `on_content` runs once, with NULL if it cannot be read now; never
 * after audit_read_detach(). */
struct audit_read {
	struct list node;
	uint64_t token;
	uint64_t until_ms;
	bool under_way;
	/* One of the two is set: */
	void (*on_page)(struct audit_read *read, const struct control_audit_page *page);
	void (*on_content)(struct audit_read *read, const struct control_audit_content *content);
};
void audit_link_query(struct audit_link *link, const struct control_audit_query *query,
		      struct audit_read *read);
void audit_link_read(struct audit_link *link, struct text name, struct audit_read *read);
void audit_read_detach(struct audit_read *read);

/* ---- entries about a request ---- */

struct control_request;

struct audit_note {
	const char *action; /* NULL: the action of the call */
	bool allow;
	const char *rule;         /* NULL: the rule that allowed the request */
	const char *result_state; /* "accepted", "denied", "completed", "failed" */
	const char *result_code;  /* NULL: none */
	struct uuid operation;
	struct text correlation;
	struct text input_digest;
};

/* Actor, scope and circumstances are taken from the request. */
void control_audit(struct control_request *request, const struct audit_note *note,
		   struct audit_wait *wait);

/* "sha256:" and the digest of the body, in the request's arena; empty without a body. */
struct text control_input_digest(struct control_request *request);
