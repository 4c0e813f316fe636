/* What the audit log writes besides its journal: tiles, checkpoint, and the journal's successor.
 * Private to this folder, like the struct it works on. Each returns 0, AUDIT_LOG_NO_SPACE or
 * AUDIT_LOG_BROKEN. */
#pragma once

#include "proc/audit/audit_log.h"

/* Publishes the full bundle and begins the next journal. May be repeated after it failed, and after
 * a crash. */
int publish_bundle(struct audit_log *log) ATTR_MUST_CHECK;

/* Partial tiles for the present size, then the signed root. */
int publish_checkpoint(struct audit_log *log) ATTR_MUST_CHECK;

/* The partial tiles of the last signed size alone: after a start, since they were not synced. */
int publish_partial_tiles(struct audit_log *log) ATTR_MUST_CHECK;

/* Creates or opens the journal `number`, empty or not; -errno. */
int publish_journal(struct audit_log *log, uint64_t number) ATTR_MUST_CHECK;

enum { JOURNAL_PATH_SIZE = 32 };
void journal_path(uint64_t number, char path[JOURNAL_PATH_SIZE]);

/* ---- of audit_log.c ---- */

/* Into the tree and the growing bundle, whose room was reserved. */
void audit_log_take_frame(struct audit_log *log, const struct journal_frame *frame);

int audit_log_load_tile(struct audit_log *log, unsigned level, uint64_t index) ATTR_MUST_CHECK;
int audit_log_hash(const struct ledger_source *source, unsigned level, uint64_t index,
		   struct digest_value *hash);
