/* The journal: where an entry becomes durable. One file holds the entries of one bundle of
 * TILE_WIDTH, frame after frame:
 *
 *   u32 size of the entry, u64 check, 16 bytes identity, the entry
 *
 * `check` is the front of the SHA-256 over the entry's number, identity and bytes: after a crash it
 * tells a frame that was written from one that was not, or not wholly. Frames are only ever added
 * at the end, and the file is synced before anybody hears of them. */
#pragma once

#include "base/buffer.h"
#include "base/id.h"

enum { JOURNAL_FRAME_HEAD = 4 + 8 + 16, JOURNAL_ENTRY_MAX = 32 << 10 };

struct journal_frame {
	struct uuid id;
	struct text entry;
};

void journal_append_frame(struct buffer *out, uint64_t seq, const struct journal_frame *frame);

/* The frame at the front: 0 and `rest` moved past it; 1 at the end; 2 if what follows is no frame
 * of entry `seq`. */
int journal_next_frame(struct bytes *rest, uint64_t seq,
		       struct journal_frame *frame) ATTR_MUST_CHECK;
