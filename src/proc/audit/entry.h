/* The canonical JSON of an audit entry: one form, field by field in a fixed order, so that the same
 * entry is always the same bytes, in the tree, in an export and years later. One table describes
 * it; it is written and read by that table. */
#pragma once

#include "base/buffer.h"
#include "proto/control_audit.h"

enum entry_field {
	ENTRY_SEQ,
	ENTRY_TIME,
	ENTRY_ACTOR_TYPE,
	ENTRY_ACTOR_ID,
	ENTRY_ACTOR_KEY,
	ENTRY_ACTION,
	ENTRY_WORKSPACE,
	ENTRY_PROJECT,
	ENTRY_OPERATION,
	ENTRY_ALLOW,
	ENTRY_RULE,
	ENTRY_RESULT_STATE,
	ENTRY_RESULT_CODE,
	ENTRY_REQUEST_ID,
	ENTRY_IP,
	ENTRY_USER_AGENT,
	ENTRY_CORRELATION,
	ENTRY_INPUT_DIGEST,
	ENTRY_FIELDS
};

/* Empty texts are written as null. */
void entry_write(const struct control_audit_append *append, uint64_t seq, struct buffer *out);

/* Each field as it stands there: a text with its quotes and escapes, null, a number, true or false.
 */
struct entry_view {
	struct text fields[ENTRY_FIELDS];
};

int entry_read(struct text entry, struct entry_view *view); /* 1 if it is not of this form */

/* `text` as entry_write() writes it, for comparing with a field. */
void entry_write_text(struct text text, struct buffer *out);
