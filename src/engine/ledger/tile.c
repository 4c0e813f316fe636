#include "engine/ledger/tile.h"

#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { GROUP = 1000, GROUPS_MAX = 7, GROUP_DIGITS = 3 };

static int format_index(uint64_t index, char *out, size_t size)
{
	unsigned groups[GROUPS_MAX];
	size_t n = 0;
	int used = 0;
	do {
		groups[n++] = (unsigned)(index % GROUP);
		index /= GROUP;
	} while (index > 0);
	while (n-- > 0)
		used +=
		    snprintf(out + used, size - (size_t)used, n > 0 ? "x%03u/" : "%03u", groups[n]);
	return used;
}

void tile_format(const struct tile_name *name, char path[TILE_PATH_SIZE])
{
	int used = name->entries ? snprintf(path, TILE_PATH_SIZE, "tile/entries/")
				 : snprintf(path, TILE_PATH_SIZE, "tile/%u/", name->level);
	used += format_index(name->index, path + used, TILE_PATH_SIZE - (size_t)used);
	if (name->width < TILE_WIDTH)
		snprintf(path + used, TILE_PATH_SIZE - (size_t)used, ".p/%u", name->width);
}

static int parse_index(struct text *path, uint64_t *index)
{
	struct text group;
	uint64_t value;
	for (*index = 0;;) {
		text_split(path, '/', &group);
		bool last = group.size == 0 || group.data[0] != 'x';
		struct text digits = last ? group : text_skip(group, 1);
		bool partial = last && text_ends(digits, TEXT(".p"));
		if (partial)
			digits.size -= 2;
		if (digits.size != GROUP_DIGITS || text_parse_u64(digits, GROUP - 1, &value) ||
		    *index > (UINT64_MAX - value) / GROUP)
			return 1;
		*index = *index * GROUP + value;
		if (last)
			return partial == (path->data != NULL) ? 0 : 1;
		if (!path->data)
			return 1;
	}
}

/* Read leniently, then written again: only what comes out the same is a name, so that each tile has
 * one. */
int tile_parse(struct text path, struct tile_name *name)
{
	struct tile_name read = {.width = TILE_WIDTH};
	struct text rest = path, part;
	char canonical[TILE_PATH_SIZE];
	uint64_t value = 0;
	text_split(&rest, '/', &part);
	if (!text_equal(part, TEXT("tile")) || !rest.data || path.size >= TILE_PATH_SIZE)
		return 1;
	text_split(&rest, '/', &part);
	read.entries = text_equal(part, TEXT("entries"));
	if (!rest.data || (!read.entries && text_parse_u64(part, TILE_LEVELS - 1, &value)))
		return 1;
	read.level = (unsigned)value;
	if (parse_index(&rest, &read.index))
		return 1;
	if (rest.data) {
		if (text_parse_u64(rest, TILE_WIDTH - 1, &value) || value == 0)
			return 1;
		read.width = (unsigned)value;
	}
	tile_format(&read, canonical);
	if (!text_equal(path, text_of(canonical)))
		return 1;
	*name = read;
	return 0;
}

unsigned tile_width(uint64_t size, unsigned level, uint64_t index)
{
	uint64_t hashes = size >> (8 * level);
	if (index >= (hashes + TILE_WIDTH - 1) / TILE_WIDTH)
		return 0;
	uint64_t left = hashes - index * TILE_WIDTH;
	return left > TILE_WIDTH ? TILE_WIDTH : (unsigned)left;
}

int tile_next_entry(struct bytes *bundle, struct bytes *entry)
{
	if (bundle->size == 0)
		return 1;
	if (bundle->size < TILE_ENTRY_PREFIX)
		return error_origin(-EBADMSG);
	size_t size = (size_t)bundle->data[0] << 8 | bundle->data[1];
	if (size == 0 || size > bundle->size - TILE_ENTRY_PREFIX)
		return error_origin(-EBADMSG);
	*entry = (struct bytes){bundle->data + TILE_ENTRY_PREFIX, size};
	bundle->data += TILE_ENTRY_PREFIX + size;
	bundle->size -= TILE_ENTRY_PREFIX + size;
	return 0;
}

void tile_put_entry_size(uint8_t at[TILE_ENTRY_PREFIX], size_t size)
{
	at[0] = (uint8_t)(size >> 8);
	at[1] = (uint8_t)size;
}

struct digest_value tile_hash(const struct digest_value hashes[TILE_WIDTH])
{
	struct ledger_frontier frontier = {0};
	for (size_t i = 0; i < TILE_WIDTH; i++)
		ledger_frontier_append(&frontier, &hashes[i]);
	return ledger_frontier_root(&frontier);
}

unsigned tile_edge_append(struct tile_edge *edge, const struct digest_value *leaf)
{
	struct digest_value hash = *leaf;
	unsigned level = 0;
	uint64_t place = edge->size++;
	for (; level < TILE_LEVELS; level++, place /= TILE_WIDTH) {
		edge->hashes[level][place % TILE_WIDTH] = hash;
		if (place % TILE_WIDTH != TILE_WIDTH - 1)
			break;
		hash = tile_hash(edge->hashes[level]);
	}
	return level;
}

/* A root needs nothing left of the growing tiles: they end in one hash of the level above. */
struct edge_source {
	struct ledger_source source;
	const struct tile_edge *edge;
};

static int edge_hash(const struct ledger_source *source, unsigned level, uint64_t index,
		     struct digest_value *hash)
{
	const struct tile_edge *edge = container_of(source, const struct edge_source, source)->edge;
	*hash = edge->hashes[level][index % TILE_WIDTH];
	return 0;
}

struct digest_value tile_edge_root(const struct tile_edge *edge)
{
	struct edge_source source = {{edge_hash}, edge};
	struct digest_value root = {0};
	int r ATTR_UNUSED = ledger_range_hash(&source.source, 0, edge->size, &root);
	return root;
}
