#include "engine/ledger/tree.h"

#include "base/error.h"

#include <assert.h>

enum { TILE_HEIGHT = 8 };

/* The first byte keeps a leaf from ever being taken for a node (second preimages). */
struct digest_value ledger_leaf_hash(struct bytes entry)
{
	static const uint8_t leaf = 0;
	const struct bytes parts[] = {{&leaf, 1}, entry};
	return digest_of_parts(parts, ARRAY_SIZE(parts));
}

struct digest_value ledger_node_hash(const struct digest_value *left,
				     const struct digest_value *right)
{
	static const uint8_t node = 1;
	const struct bytes parts[] = {{&node, 1}, digest_bytes(left), digest_bytes(right)};
	return digest_of_parts(parts, ARRAY_SIZE(parts));
}

/* Adding a leaf is adding one to a binary number: nodes of equal height join and carry. */
void ledger_frontier_append(struct ledger_frontier *frontier, const struct digest_value *leaf)
{
	struct digest_value node = *leaf;
	unsigned height = 0;
	for (; frontier->size >> height & 1; height++)
		node = ledger_node_hash(&frontier->nodes[height], &node);
	frontier->nodes[height] = node;
	frontier->size++;
}

struct digest_value ledger_frontier_root(const struct ledger_frontier *frontier)
{
	struct digest_value root = digest_of((struct bytes){0});
	bool first = true;
	for (unsigned height = 0; height < ARRAY_SIZE(frontier->nodes); height++) {
		if (!(frontier->size >> height & 1))
			continue;
		root = first ? frontier->nodes[height]
			     : ledger_node_hash(&frontier->nodes[height], &root);
		first = false;
	}
	return root;
}

/* The largest power of two below `count`, which is at least 2: where RFC 9162 splits a tree. */
static uint64_t split_of(uint64_t count)
{
	return (uint64_t)1 << (63 - __builtin_clzll(count - 1));
}

/* The complete subtree of 2^height entries with number `index` among those of its height. */
static int perfect_hash(const struct ledger_source *source, unsigned height, uint64_t index,
			struct digest_value *hash)
{
	struct digest_value left, right;
	if (height % TILE_HEIGHT == 0)
		return source->hash(source, height / TILE_HEIGHT, index, hash);
	int r = perfect_hash(source, height - 1, 2 * index, &left);
	if (r == 0)
		r = perfect_hash(source, height - 1, 2 * index + 1, &right);
	if (r < 0)
		return error_trace(r);
	*hash = ledger_node_hash(&left, &right);
	return 0;
}

int ledger_range_hash(const struct ledger_source *source, uint64_t begin, uint64_t end,
		      struct digest_value *hash)
{
	uint64_t count = end - begin;
	struct digest_value left, right;
	assert(begin <= end);
	if (count == 0) {
		*hash = digest_of((struct bytes){0});
		return 0;
	}
	if ((count & (count - 1)) == 0) {
		unsigned height = (unsigned)__builtin_ctzll(count);
		return error_trace(perfect_hash(source, height, begin >> height, hash));
	}
	uint64_t middle = begin + split_of(count);
	int r = ledger_range_hash(source, begin, middle, &left);
	if (r == 0)
		r = ledger_range_hash(source, middle, end, &right);
	if (r < 0)
		return r;
	*hash = ledger_node_hash(&left, &right);
	return 0;
}

static int push_range(const struct ledger_source *source, uint64_t begin, uint64_t end,
		      struct ledger_proof *proof)
{
	assert(proof->count < LEDGER_PROOF_MAX);
	int r = ledger_range_hash(source, begin, end, &proof->nodes[proof->count]);
	if (r == 0)
		proof->count++;
	return r;
}

/* Proofs list the siblings from the leaf upwards, the walk meets them from the root downwards. */
static void reverse(struct ledger_proof *proof)
{
	for (size_t i = 0; i < proof->count / 2; i++) {
		struct digest_value kept = proof->nodes[i];
		proof->nodes[i] = proof->nodes[proof->count - 1 - i];
		proof->nodes[proof->count - 1 - i] = kept;
	}
}

int ledger_inclusion_prove(const struct ledger_source *source, uint64_t index, uint64_t size,
			   struct ledger_proof *proof)
{
	uint64_t begin = 0, end = size;
	int r = 0;
	assert(index < size);
	proof->count = 0;
	while (r == 0 && end - begin > 1) {
		uint64_t middle = begin + split_of(end - begin);
		if (index < middle) {
			r = push_range(source, middle, end, proof);
			end = middle;
		} else {
			r = push_range(source, begin, middle, proof);
			begin = middle;
		}
	}
	reverse(proof);
	return error_trace(r);
}

bool ledger_inclusion_is_valid(const struct digest_value *leaf, uint64_t index, uint64_t size,
			       const struct ledger_proof *proof, const struct digest_value *root)
{
	struct digest_value node = *leaf;
	uint64_t place = index, last = size - 1;
	if (index >= size)
		return false;
	for (size_t i = 0; i < proof->count; i++) {
		if (last == 0)
			return false;
		if (place & 1 || place == last) {
			node = ledger_node_hash(&proof->nodes[i], &node);
			while (!(place & 1) && place != 0) {
				place >>= 1;
				last >>= 1;
			}
		} else {
			node = ledger_node_hash(&node, &proof->nodes[i]);
		}
		place >>= 1;
		last >>= 1;
	}
	return last == 0 && digest_equal(&node, root);
}

int ledger_consistency_prove(const struct ledger_source *source, uint64_t old_size, uint64_t size,
			     struct ledger_proof *proof)
{
	uint64_t begin = 0, end = size;
	int r = 0;
	assert(old_size > 0 && old_size <= size);
	proof->count = 0;
	/* Down to the node that ends where the old tree ended. */
	while (r == 0 && end != old_size) {
		uint64_t middle = begin + split_of(end - begin);
		if (old_size <= middle) {
			r = push_range(source, middle, end, proof);
			end = middle;
		} else {
			r = push_range(source, begin, middle, proof);
			begin = middle;
		}
	}
	/* Where the old tree is a whole node of the new one its root is known and not repeated. */
	if (r == 0 && begin != 0)
		r = push_range(source, begin, end, proof);
	reverse(proof);
	return error_trace(r);
}

bool ledger_consistency_is_valid(uint64_t old_size, const struct digest_value *old_root,
				 uint64_t size, const struct digest_value *root,
				 const struct ledger_proof *proof)
{
	if (old_size == 0 || old_size > size)
		return false;
	if (old_size == size)
		return proof->count == 0 && digest_equal(old_root, root);
	bool known = (old_size & (old_size - 1)) == 0;
	if (!known && proof->count == 0)
		return false;
	uint64_t place = old_size - 1, last = size - 1;
	for (; place & 1; last >>= 1)
		place >>= 1;
	struct digest_value old_node = known ? *old_root : proof->nodes[0], node = old_node;
	for (size_t i = known ? 0 : 1; i < proof->count; i++) {
		if (last == 0)
			return false;
		if (place & 1 || place == last) {
			old_node = ledger_node_hash(&proof->nodes[i], &old_node);
			node = ledger_node_hash(&proof->nodes[i], &node);
			while (!(place & 1) && place != 0) {
				place >>= 1;
				last >>= 1;
			}
		} else {
			node = ledger_node_hash(&node, &proof->nodes[i]);
		}
		place >>= 1;
		last >>= 1;
	}
	return last == 0 && digest_equal(&old_node, old_root) && digest_equal(&node, root);
}
