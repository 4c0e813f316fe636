/* The audit log on disk, owned by the audit role alone. `directory` is DIR/audit:
 *
 *   signing.key          the Ed25519 seed, 0600, made at the first start
 *   key.pub              the public key as a note verifier
 *   checkpoint           the newest signed root
 *   tile/                the published tiles and entries (engine/ledger/tile.h)
 *   journal/NNNNNNNNNN   the entries of one bundle, as they became durable; the last
 * AUDIT_LOG_JOURNALS are kept, the newest is the one that grows
 *
 *   stage ... stage -> commit (write, fdatasync) -> in the tree, acknowledged
 *   bundle full     -> its entries and hashes published as tiles, synced; then the next journal
 * begins checkpoint      -> partial tiles written, then the signed root replaced
 *
 * What a crash leaves: before a commit has synced, frames that nobody heard of, whole (kept: they
 * were about to be acknowledged and control sends them again as repeats) or torn (cut off). Between
 * commit and publication, a full journal whose tiles are made again, byte for byte. Between tiles
 * and checkpoint, an older checkpoint, which the tree extends. Partial tiles are not synced: they
 * are derived, and written again at the next start.
 *
 * A log that does not extend its own last checkpoint is broken: nothing is added, nothing signed,
 * whatever the cause. */
#pragma once

#include "engine/ledger/checkpoint.h"
#include "engine/ledger/tile.h"
#include "proc/audit/journal.h"
#include "proc/audit/repeats.h"
#include "proc/audit/summary.h"
#include "proto/control_audit.h"

enum {
	AUDIT_LOG_JOURNALS = REPEATS_MAX / TILE_WIDTH,
	AUDIT_LOG_BUNDLE_LIMIT = TILE_WIDTH * (JOURNAL_ENTRY_MAX + JOURNAL_FRAME_HEAD),
	AUDIT_LOG_REASON_SIZE = 200,
};

struct audit_log {
	int directory;
	struct sign_key *secret;
	struct checkpoint_key key;

	/* What is durable. */
	struct tile_edge edge;
	struct buffer bundle; /* entries of the growing bundle, as it will be published */
	int journal;
	uint64_t journal_number;
	size_t journal_size;
	bool journal_dirty; /* a failed write may have left bytes past journal_size */
	struct checkpoint signed_root;
	struct buffer note;
	struct repeats repeats;
	struct summaries summaries;

	/* What waits for the commit. */
	struct buffer staged;
	unsigned n_staged;

	/* The check of all entries after a start: bundles below `walked` agree with the tree. */
	struct ledger_frontier walk;
	uint64_t walk_end; /* bundles */

	struct ledger_source source; /* hashes of the tree, from tiles and edge */
	struct {
		bool valid;
		uint64_t index;
		struct digest_value hashes[TILE_WIDTH];
	} cache[TILE_LEVELS];

	bool broken;
	char reason[AUDIT_LOG_REASON_SIZE];
};

enum { AUDIT_LOG_NO_SPACE = 1, AUDIT_LOG_BROKEN = 2, AUDIT_LOG_REPEATED = 3 };

/* Opens, recovers, or begins a log. 0 also for a broken log, which can be read as far as it goes;
 * -errno. */
int audit_log_open(struct audit_log **log, int directory, struct text origin) ATTR_MUST_CHECK;
void audit_log_close(struct audit_log *log); /* NULL is fine; staged entries are lost */

/* Adds an entry to the next commit. AUDIT_LOG_REPEATED: it is there already, or staged, as `seq`.
 */
int audit_log_stage(struct audit_log *log, const struct control_audit_append *append,
		    uint64_t *seq) ATTR_MUST_CHECK;
bool audit_log_is_full(const struct audit_log *log); /* commit before staging more */

/* 0: all that was staged is durable and in the tree. Else none of it is: AUDIT_LOG_NO_SPACE (try
 * again later) or AUDIT_LOG_BROKEN. */
int audit_log_commit(struct audit_log *log) ATTR_MUST_CHECK;

/* Signs the tree as it is now, if it has grown. */
int audit_log_checkpoint(struct audit_log *log) ATTR_MUST_CHECK;

/* Checks one more bundle of entries against the tree: 0; 1 when all are checked; AUDIT_LOG_BROKEN.
 */
int audit_log_walk(struct audit_log *log) ATTR_MUST_CHECK;

/* A published file: 0; 1 there is none of that name; -errno. Partial tiles of any width up to the
 * present one can be had. */
int audit_log_read(struct audit_log *log, struct text name, struct buffer *out) ATTR_MUST_CHECK;

/* The entries of a bundle, as published; the growing one too. -errno. */
int audit_log_read_bundle(struct audit_log *log, uint64_t bundle,
			  struct buffer *out) ATTR_MUST_CHECK;

/* Nothing is added any more. Returns AUDIT_LOG_BROKEN. */
int audit_log_break(struct audit_log *log, const char *format, ...) ATTR_PRINTF(2, 3);

/* AUDIT_LOG_NO_SPACE for what passes by itself, else the log is broken by it. `error` is negative.
 */
int audit_log_failed(struct audit_log *log, const char *what, int error);
