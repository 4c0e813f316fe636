/* A part of the log that proves itself: what `GET .../audit` answers as JSON lines, and `croft
 * audit verify FILE` checks with nothing but the public key. Pure. Each line is one of
 *
 *   {"seq":17,...}        an entry, byte for byte as it stands in the tree
 *   {"proof":{"checkpoint":"<signed note>",
 *             "entries":[{"seq":17,"leaf":"<base64>"},...],
 *             "hashes":["<base64>",...]}}
 *
 * A proof line closes the entries since the last one, so that pages can be joined to one file.
 * `entries` repeats what was exported, so that a changed, lost or added line is told by its
 * position; `hashes` are the nodes that the root needs besides the leaves, from left to right. That
 * a filter left nothing out cannot be proven by inclusion: for that, verify the log. */
#pragma once

#include "base/buffer.h"
#include "engine/ledger/tree.h"

enum { EXPORT_ENTRIES_MAX = 1000 }; /* under one proof */

struct export_entry {
	uint64_t seq;
	struct digest_value leaf;
};

/* Appends the proof line, without newline, for `count` entries with ascending seq below `size`.
 * -errno. */
int export_prove(const struct ledger_source *source, struct text checkpoint_note, uint64_t size,
		 const struct export_entry *entries, size_t count,
		 struct buffer *out) ATTR_MUST_CHECK;

/* The root that the entries and the hashes (DIGEST_SIZE bytes each) give. 1 if the hashes are too
 * few or too many. */
int export_root(uint64_t size, const struct export_entry *entries, size_t count,
		struct bytes hashes, struct digest_value *root) ATTR_MUST_CHECK;
