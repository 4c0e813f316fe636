/* Tickets: for browsers that cannot set headers, a credential in the URL for one request to one
 * path within a minute. Lives in control's memory alone: after a restart a client asks for a new
 * one. A ticket that has opened a connection stands for its owner as long as that connection asks
 * on (gateway_control.h, `connected`), but no credential of another connection ever again. */
#pragma once

#include "base/id.h"
#include "crypt/token.h"

enum {
	TICKETS_MAX = 10000,
	TICKET_LIFE_MS = 60000,
	TICKET_USED_LIFE_MS = 24 * 3600 * 1000, /* of a connection's */
	TICKET_PATH_LIMIT = 4096,
	TICKET_SUBJECT_LIMIT = 255,
};

/* Whom it stands for: looked up afresh at each use, so that it is worth nothing once the owner's
 * right is gone. */
struct ticket_owner {
	bool administrator;
	struct uuid key;     /* or */
	struct text subject; /* an OIDC subject, and */
	struct text email;   /* its verified e-mail, or empty */
};

struct tickets;

int tickets_new(struct tickets **tickets) ATTR_MUST_CHECK;
void tickets_free(struct tickets *tickets);

/* Writes the ticket's text; the caller wipes it after use. When the table is full the oldest goes.
 */
int tickets_issue(struct tickets *tickets, const struct ticket_owner *owner, struct text path,
		  uint64_t now_ms, char text[TOKEN_TEXT_SIZE]) ATTR_MUST_CHECK;

/* 0 and the owner, whose texts are the table's; 1 if it is none, was used, has expired, or is for
 * another path. */
int tickets_use(struct tickets *tickets, struct text text, struct text path, bool connected,
		uint64_t now_ms, struct ticket_owner *owner) ATTR_MUST_CHECK;
