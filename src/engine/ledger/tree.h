/* The Merkle tree of RFC 9162 section 2.1 over the audit log's entries: hashes, roots and the two
 * proofs. Pure: no I/O, no memory of its own. Used by the audit role, which keeps the log, and by
 * whoever verifies it.
 *
 * A tree is stored as C2SP tlog-tiles does: at tile level t the hash with index i covers the
 * entries from i × 256^t on, 256^t of them. Every other node is computed from those, at most 256 at
 * a time. */
#pragma once

#include "crypt/digest.h"

struct digest_value ledger_leaf_hash(struct bytes entry);
struct digest_value ledger_node_hash(const struct digest_value *left,
				     const struct digest_value *right);

/* The right edge of a growing tree: one node for each bit of `size`. A zeroed one is the empty
 * tree. */
struct ledger_frontier {
	uint64_t size;
	struct digest_value nodes[64]; /* by height; valid where the bit of `size` is set */
};

void ledger_frontier_append(struct ledger_frontier *frontier, const struct digest_value *leaf);
struct digest_value ledger_frontier_root(const struct ledger_frontier *frontier);

/* Where stored hashes come from. 0, or negative, which travels up. Only complete subtrees of the
 * tree are asked for. */
struct ledger_source {
	int (*hash)(const struct ledger_source *source, unsigned tile_level, uint64_t index,
		    struct digest_value *hash);
};

/* The hash over entries [begin, end), which must be a node of some tree: `begin` a multiple of the
 * smallest power of two that is not below end - begin. The root of the first n entries is [0, n).
 */
int ledger_range_hash(const struct ledger_source *source, uint64_t begin, uint64_t end,
		      struct digest_value *hash) ATTR_MUST_CHECK;

enum { LEDGER_PROOF_MAX = 66 };

struct ledger_proof {
	size_t count;
	struct digest_value nodes[LEDGER_PROOF_MAX];
};

/* That entry `index` is in the tree of `size` entries (RFC 9162 2.1.3). index < size. */
int ledger_inclusion_prove(const struct ledger_source *source, uint64_t index, uint64_t size,
			   struct ledger_proof *proof) ATTR_MUST_CHECK;
bool ledger_inclusion_is_valid(const struct digest_value *leaf, uint64_t index, uint64_t size,
			       const struct ledger_proof *proof, const struct digest_value *root);

/* That the tree of `size` entries only added to that of `old_size` (RFC 9162 2.1.4). 0 < old_size
 * <= size. */
int ledger_consistency_prove(const struct ledger_source *source, uint64_t old_size, uint64_t size,
			     struct ledger_proof *proof) ATTR_MUST_CHECK;
bool ledger_consistency_is_valid(uint64_t old_size, const struct digest_value *old_root,
				 uint64_t size, const struct digest_value *root,
				 const struct ledger_proof *proof);
