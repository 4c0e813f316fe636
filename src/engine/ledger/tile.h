/* How the log is published: the layout of C2SP tlog-tiles, which every transparency tool reads.
 * Pure.
 *
 *   checkpoint                    the signed root (checkpoint.h)
 *   tile/<L>/<N>                  256 hashes of tile level L
 *   tile/<L>/<N>.p/<W>            the first W of them, while the tile is not full
 *   tile/entries/<N>[.p/<W>]      the entries under tile/0/<N>, each with a big-endian u16 length
 * in front
 *
 * <N> is written in groups of three digits, all but the last with an x in front: 1234067 is
 * x001/x234/067. */
#pragma once

#include "engine/ledger/tree.h"

enum {
	TILE_WIDTH = 256,
	TILE_LEVELS = 8, /* 256^8 entries */
	TILE_BYTES = TILE_WIDTH * DIGEST_SIZE,
	TILE_PATH_SIZE = 64,
	TILE_ENTRY_MAX = 65535,
	TILE_ENTRY_PREFIX = 2,
};

struct tile_name {
	bool entries;
	unsigned level; /* 0 for entries */
	uint64_t index;
	unsigned width; /* 1 to TILE_WIDTH; TILE_WIDTH is the full tile */
};

void tile_format(const struct tile_name *name, char path[TILE_PATH_SIZE]);
int tile_parse(struct text path,
	       struct tile_name *name); /* 1 if it is no canonical path of a tile */

/* How many hashes the tile `index` of `level` holds in a tree of `size` entries: 0 to TILE_WIDTH.
 */
unsigned tile_width(uint64_t size, unsigned level, uint64_t index);

/* The next entry of a bundle: 0 and `bundle` moved past it; 1 at the end; -EBADMSG if the rest is
 * no entry. */
int tile_next_entry(struct bytes *bundle, struct bytes *entry) ATTR_MUST_CHECK;
void tile_put_entry_size(uint8_t at[TILE_ENTRY_PREFIX], size_t size);

/* The tiles that still grow, one of each level: what is needed to append, and to compute a root. */
struct tile_edge {
	uint64_t size; /* entries */
	struct digest_value hashes[TILE_LEVELS][TILE_WIDTH];
};

/* Returns of how many levels, from 0 up, the growing tile became full. Their hashes can be read
 * until the next append. */
unsigned tile_edge_append(struct tile_edge *edge, const struct digest_value *leaf);
struct digest_value tile_edge_root(const struct tile_edge *edge);

/* The hash over a full tile's hashes, which is one hash of the level above. */
struct digest_value tile_hash(const struct digest_value hashes[TILE_WIDTH]);
