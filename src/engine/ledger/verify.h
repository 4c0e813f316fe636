/* Verifies the audit log offline, with nothing but its public key: inclusion, order and append-only
 * growth. Used by `croft audit verify`. Everything that is read is hostile.
 *
 *   FOLDER or URL   verify_log(): each entry, each tile, the root, the signature; the first wrong
 * entry is told FILE            verify_export(): JSON lines with their proofs (export.h)
 *
 * A log that was replaced as a whole by an older state of itself is signed and sound: only somebody
 * who kept a later checkpoint can tell. So keep the checkpoints that were seen and pass the newest
 * as `known`. */
#pragma once

#include "engine/ledger/checkpoint.h"

enum verify_outcome {
	VERIFY_SOUND,
	VERIFY_UNREADABLE,     /* `detail` names the file; nothing was proven */
	VERIFY_CHECKPOINT_BAD, /* missing, malformed, of another origin, or not signed by the key */
	VERIFY_ENTRY_ALTERED,  /* at `position` */
	VERIFY_ENTRY_MISPLACED, /* the entry at `position` is another one: dropped, inserted or
				   swapped from there on */
	VERIFY_ENTRY_MISSING,   /* from `position` on */
	VERIFY_TILE_WRONG,      /* the entries are sound, a published hash over `position` is not */
	VERIFY_ROOT_DIFFERS,    /* entries and hashes agree with each other and not with what was
				   signed */
	VERIFY_HISTORY_CHANGED, /* not a continuation of the known checkpoint */
	VERIFY_ROLLED_BACK, /* shorter than the known checkpoint; `position` is the first entry lost
			     */
	VERIFY_EXPORT_MALFORMED, /* `position` is the line, from 1 */
	VERIFY_OUTCOMES
};

extern const char *const verify_outcome_names[VERIFY_OUTCOMES];

enum { VERIFY_DETAIL_SIZE = 160, VERIFY_EXPORT_LIMIT = 1 << 30 };

struct verify_report {
	enum verify_outcome outcome;
	bool has_position;
	uint64_t position; /* `seq` of an entry, except where said otherwise */
	uint64_t entries;  /* how many were checked */
	struct checkpoint
	    checkpoint; /* the one that they were checked against (the last, of an export) */
	char detail[VERIFY_DETAIL_SIZE]; /* printable ASCII */
};

/* The published files by their names (tile.h). */
struct verify_reader {
	/* 0; 1 there is no such file; -errno. `out` is empty and has a limit. */
	int (*read)(const struct verify_reader *reader, const char *name, struct buffer *out);
};

/* The log may be written to meanwhile. `known`: a signed note that was seen earlier, or empty.
 * Returns 0 with the report filled, or -ENOMEM. */
int verify_log(const struct verify_reader *reader, const struct checkpoint_key *key,
	       struct text known, struct verify_report *report) ATTR_MUST_CHECK;

int verify_export(struct text export, const struct checkpoint_key *key, struct text known,
		  struct verify_report *report) ATTR_MUST_CHECK;

/* Reads a copy of DIR/audit, or of its published files. The only I/O of this room. */
struct verify_folder {
	struct verify_reader reader;
	int directory; /* the caller's */
};

void verify_folder_init(struct verify_folder *folder, int directory);
