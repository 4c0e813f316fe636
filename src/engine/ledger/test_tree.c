/* RFC 9162: known vectors, and every proof of every tree up to NAIVE_SIZES against an
 * implementation that is the RFC's text. */
#include "base/encode.h"
#include "engine/ledger/export.h"
#include "engine/ledger/tile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NAIVE_SIZES = 200, LARGE = 70000 };

static void test_known_vectors(void **state ATTR_UNUSED)
{
	static const char *const leaves[] = {"",
					     "00",
					     "10",
					     "2021",
					     "3031",
					     "40414243",
					     "5051525354555657",
					     "606162636465666768696a6b6c6d6e6f"};
	static const char *const roots[] = {
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
	struct ledger_frontier frontier = {0};
	for (size_t i = 0;; i++) {
		char hex[DIGEST_HEX_SIZE];
		uint8_t raw[16];
		struct digest_value root = ledger_frontier_root(&frontier);
		encode_hex(digest_bytes(&root), hex);
		assert_string_equal(hex, roots[i]);
		if (i == ARRAY_SIZE(leaves))
			break;
		assert_int_equal(decode_hex(text_of(leaves[i]), raw), 0);
		struct digest_value leaf =
		    ledger_leaf_hash((struct bytes){raw, strlen(leaves[i]) / 2});
		ledger_frontier_append(&frontier, &leaf);
	}
}

/* ---- the RFC's definitions, word for word ---- */

static struct digest_value naive_root(const struct digest_value *leaves, uint64_t n)
{
	if (n == 0)
		return digest_of((struct bytes){0});
	if (n == 1)
		return leaves[0];
	uint64_t k = 1;
	while (k * 2 < n)
		k *= 2;
	struct digest_value left = naive_root(leaves, k), right = naive_root(leaves + k, n - k);
	return ledger_node_hash(&left, &right);
}

static void naive_path(uint64_t m, const struct digest_value *leaves, uint64_t n,
		       struct ledger_proof *out)
{
	if (n == 1)
		return;
	uint64_t k = 1;
	while (k * 2 < n)
		k *= 2;
	if (m < k) {
		naive_path(m, leaves, k, out);
		out->nodes[out->count++] = naive_root(leaves + k, n - k);
	} else {
		naive_path(m - k, leaves + k, n - k, out);
		out->nodes[out->count++] = naive_root(leaves, k);
	}
}

static void naive_subproof(uint64_t m, const struct digest_value *leaves, uint64_t n, bool whole,
			   struct ledger_proof *out)
{
	if (m == n) {
		if (!whole)
			out->nodes[out->count++] = naive_root(leaves, n);
		return;
	}
	uint64_t k = 1;
	while (k * 2 < n)
		k *= 2;
	if (m <= k) {
		naive_subproof(m, leaves, k, whole, out);
		out->nodes[out->count++] = naive_root(leaves + k, n - k);
	} else {
		naive_subproof(m - k, leaves + k, n - k, false, out);
		out->nodes[out->count++] = naive_root(leaves, k);
	}
}

/* ---- a stored tree: all hashes of all tile levels ---- */

struct stored {
	struct ledger_source source;
	struct digest_value *levels[TILE_LEVELS];
	struct tile_edge edge;
};

static int stored_hash(const struct ledger_source *source, unsigned level, uint64_t index,
		       struct digest_value *hash)
{
	const struct stored *stored = container_of(source, const struct stored, source);
	assert_true(index < stored->edge.size >> (8 * level));
	*hash = stored->levels[level][index];
	return 0;
}

static struct digest_value numbered_leaf(uint64_t i)
{
	return ledger_leaf_hash((struct bytes){(const uint8_t *)&i, sizeof(i)});
}

static struct stored *stored_new(uint64_t size)
{
	struct stored *stored = calloc(1, sizeof(*stored));
	stored->source.hash = stored_hash;
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		stored->levels[level] =
		    calloc((size >> (8 * level)) + 1, sizeof(struct digest_value));
	for (uint64_t i = 0; i < size; i++) {
		struct digest_value leaf = numbered_leaf(i);
		stored->levels[0][i] = leaf;
		unsigned full = tile_edge_append(&stored->edge, &leaf);
		for (unsigned level = 1; level <= full; level++)
			stored->levels[level][i >> (8 * level)] =
			    tile_hash(stored->edge.hashes[level - 1]);
	}
	return stored;
}

static void stored_free(struct stored *stored)
{
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		free(stored->levels[level]);
	free(stored);
}

static void assert_same(const struct ledger_proof *a, const struct ledger_proof *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++)
		assert_memory_equal(&a->nodes[i], &b->nodes[i], DIGEST_SIZE);
}

static void check_inclusion(struct stored *stored, uint64_t index, uint64_t size)
{
	struct ledger_proof proof, naive = {0};
	const struct digest_value *leaves = stored->levels[0];
	struct digest_value root = naive_root(leaves, size);
	assert_int_equal(ledger_inclusion_prove(&stored->source, index, size, &proof), 0);
	naive_path(index, leaves, size, &naive);
	assert_same(&proof, &naive);
	assert_true(ledger_inclusion_is_valid(&leaves[index], index, size, &proof, &root));
	assert_false(ledger_inclusion_is_valid(&leaves[index], size, size, &proof, &root));
	if (size > 1) {
		uint64_t other = index ? index - 1 : 1;
		assert_false(ledger_inclusion_is_valid(&leaves[index], other, size, &proof, &root));
		proof.nodes[proof.count / 2].b[7] ^= 1;
		assert_false(ledger_inclusion_is_valid(&leaves[index], index, size, &proof, &root));
		proof.nodes[proof.count / 2].b[7] ^= 1;
		proof.count--;
		assert_false(ledger_inclusion_is_valid(&leaves[index], index, size, &proof, &root));
	}
}

static void check_consistency(struct stored *stored, uint64_t old_size, uint64_t size)
{
	struct ledger_proof proof, naive = {0};
	const struct digest_value *leaves = stored->levels[0];
	struct digest_value old_root = naive_root(leaves, old_size),
			    root = naive_root(leaves, size);
	assert_int_equal(ledger_consistency_prove(&stored->source, old_size, size, &proof), 0);
	naive_subproof(old_size, leaves, size, true, &naive);
	assert_same(&proof, &naive);
	assert_true(ledger_consistency_is_valid(old_size, &old_root, size, &root, &proof));
	if (old_size < size) {
		assert_false(ledger_consistency_is_valid(old_size, &root, size, &root, &proof));
		assert_false(
		    ledger_consistency_is_valid(old_size, &old_root, size, &old_root, &proof));
		proof.nodes[0].b[0] ^= 1;
		assert_false(ledger_consistency_is_valid(old_size, &old_root, size, &root, &proof));
	}
}

static void test_all_proofs_of_small_trees(void **state ATTR_UNUSED)
{
	struct stored *stored = stored_new(NAIVE_SIZES);
	for (uint64_t size = 1; size <= NAIVE_SIZES; size += size < 40 ? 1 : 7)
		for (uint64_t i = 0; i < size; i++) {
			check_inclusion(stored, i, size);
			check_consistency(stored, i + 1, size);
		}
	stored_free(stored);
}

/* Across two tile levels, where the stored hashes stand for 256 and 65,536 entries. */
static void test_proofs_across_tiles(void **state ATTR_UNUSED)
{
	static const uint64_t sizes[] = {255, 256, 257, 511, 512, 65535, 65536, 65537, LARGE};
	struct stored *stored = stored_new(LARGE);
	struct ledger_frontier frontier = {0};
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		while (frontier.size < sizes[i])
			ledger_frontier_append(&frontier, &stored->levels[0][frontier.size]);
		struct digest_value root, expected = ledger_frontier_root(&frontier);
		assert_int_equal(ledger_range_hash(&stored->source, 0, sizes[i], &root), 0);
		assert_true(digest_equal(&root, &expected));
		struct ledger_proof proof;
		for (uint64_t at = 0; at < sizes[i]; at += 1 + sizes[i] / 13) {
			assert_int_equal(
			    ledger_inclusion_prove(&stored->source, at, sizes[i], &proof), 0);
			assert_true(ledger_inclusion_is_valid(&stored->levels[0][at], at, sizes[i],
							      &proof, &root));
		}
	}
	struct digest_value root = ledger_frontier_root(&frontier),
			    edge = tile_edge_root(&stored->edge);
	assert_true(digest_equal(&root, &edge));
	stored_free(stored);
}

static void test_edge_root_at_each_size(void **state ATTR_UNUSED)
{
	struct tile_edge *edge = calloc(1, sizeof(*edge));
	struct ledger_frontier frontier = {0};
	for (uint64_t i = 0; i < 1500; i++) {
		struct digest_value leaf = numbered_leaf(i), a = ledger_frontier_root(&frontier),
				    b = tile_edge_root(edge);
		assert_true(digest_equal(&a, &b));
		ledger_frontier_append(&frontier, &leaf);
		tile_edge_append(edge, &leaf);
	}
	free(edge);
}

/* Every subset of small trees: the hashes of an export lead to the root, and to nothing else. */
static void test_exports_of_every_selection(void **state ATTR_UNUSED)
{
	struct stored *stored = stored_new(12);
	for (uint64_t size = 1; size <= 12; size++) {
		struct digest_value expected = naive_root(stored->levels[0], size), root;
		for (uint32_t chosen = 0; chosen < 1u << size; chosen += size < 9 ? 1 : 11) {
			struct export_entry entries[12];
			struct buffer out ATTR_BUFFER = {0}, hashes ATTR_BUFFER = {0};
			size_t count = 0;
			for (uint64_t i = 0; i < size; i++)
				if (chosen >> i & 1)
					entries[count++] =
					    (struct export_entry){i, stored->levels[0][i]};
			assert_int_equal(
			    export_prove(&stored->source, TEXT("note"), size, entries, count, &out),
			    0);
			buffer_append_byte(&out, 0);
			char *at = strstr((char *)out.data, "\"hashes\":[");
			assert_non_null(at);
			for (at += 10; *at == '"' || *at == ','; at++)
				if (*at == '"') {
					assert_int_equal(
					    decode_base64(&hashes, (struct text){at + 1, 44}), 0);
					at += 45;
				}
			assert_int_equal(
			    export_root(size, entries, count, buffer_bytes(&hashes), &root), 0);
			assert_true(digest_equal(&root, &expected));
			if (count > 0) {
				entries[count / 2].leaf.b[3] ^= 1;
				assert_int_equal(
				    export_root(size, entries, count, buffer_bytes(&hashes), &root),
				    0);
				assert_false(digest_equal(&root, &expected));
			}
			buffer_append(&hashes, expected.b, DIGEST_SIZE);
			assert_int_equal(
			    export_root(size, entries, count, buffer_bytes(&hashes), &root), 1);
		}
	}
	stored_free(stored);
}

static void test_tile_names(void **state ATTR_UNUSED)
{
	static const struct {
		struct tile_name name;
		const char *path;
	} good[] = {
	    {{false, 0, 0, 256}, "tile/0/000"},
	    {{false, 1, 67, 5}, "tile/1/067.p/5"},
	    {{true, 0, 1234067, 256}, "tile/entries/x001/x234/067"},
	    {{true, 0, 1000, 255}, "tile/entries/x001/000.p/255"},
	    {{false, 7, 999, 1}, "tile/7/999.p/1"},
	};
	static const char *const bad[] = {"",
					  "tile",
					  "tile/0",
					  "tile/0/",
					  "tile/8/000",
					  "tile/00/000",
					  "tile/0/0",
					  "tile/0/0000",
					  "tile/0/x000/000",
					  "tile/0/x001",
					  "tile/0/001/000",
					  "tile/0/000.p/0",
					  "tile/0/000.p/256",
					  "tile/0/000.p/",
					  "tile/0/000.p",
					  "tile/0/000.p/05",
					  "tile/0/000.p/5/6",
					  "tile/0/../key",
					  "tile/entries/-01",
					  "/tile/0/000",
					  "tile/0/000/",
					  "tile/0/000.p/+5",
					  "tile/1/x1/000",
					  "tile//000",
					  "tile/0/000 "};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		char path[TILE_PATH_SIZE];
		struct tile_name name;
		tile_format(&good[i].name, path);
		assert_string_equal(path, good[i].path);
		assert_int_equal(tile_parse(text_of(path), &name), 0);
		assert_int_equal(name.index, good[i].name.index);
		assert_int_equal(name.width, good[i].name.width);
		assert_int_equal(name.level, good[i].name.level);
		assert_int_equal(name.entries, good[i].name.entries);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct tile_name name;
		assert_int_equal(tile_parse(text_of(bad[i]), &name), 1);
	}
	assert_int_equal(tile_width(0, 0, 0), 0);
	assert_int_equal(tile_width(1, 0, 0), 1);
	assert_int_equal(tile_width(256, 0, 0), 256);
	assert_int_equal(tile_width(256, 1, 0), 1);
	assert_int_equal(tile_width(257, 0, 1), 1);
	assert_int_equal(tile_width(257, 0, 2), 0);
}

static void test_bundles(void **state ATTR_UNUSED)
{
	static const uint8_t raw[] = {0, 2, 'a', 'b', 0, 1, 'c'};
	struct bytes rest = {raw, sizeof(raw)}, entry;
	assert_int_equal(tile_next_entry(&rest, &entry), 0);
	assert_memory_equal(entry.data, "ab", 2);
	assert_int_equal(tile_next_entry(&rest, &entry), 0);
	assert_int_equal(entry.size, 1);
	assert_int_equal(tile_next_entry(&rest, &entry), 1);
	for (size_t cut = 5; cut < sizeof(raw); cut++) {
		rest = (struct bytes){raw + 4, cut - 4};
		assert_int_equal(tile_next_entry(&rest, &entry), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_vectors),
	    cmocka_unit_test(test_all_proofs_of_small_trees),
	    cmocka_unit_test(test_proofs_across_tiles),
	    cmocka_unit_test(test_edge_root_at_each_size),
	    cmocka_unit_test(test_exports_of_every_selection),
	    cmocka_unit_test(test_tile_names),
	    cmocka_unit_test(test_bundles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
