#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum { ARENA_BLOCK = 4096 };

struct arena_block {
	struct arena_block *older;
	size_t capacity;
	alignas(16) uint8_t data[];
};

static struct arena_block *block_new(size_t capacity)
{
	struct arena_block *block = malloc(sizeof(*block) + capacity);
	if (block)
		*block = (struct arena_block){.capacity = capacity};
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t limit = arena->limit ? arena->limit : ARENA_LIMIT_DEFAULT;
	if (size > limit || arena->total > limit - size)
		return NULL;
	size_t rounded = (size + 15) & ~(size_t)15;
	struct arena_block *block = arena->blocks;
	if (!block || block->capacity - arena->used < rounded) {
		block = block_new(rounded > ARENA_BLOCK ? rounded : ARENA_BLOCK);
		if (!block)
			return NULL;
		block->older = arena->blocks;
		arena->blocks = block;
		arena->used = 0;
	}
	void *piece = block->data + arena->used;
	arena->used += rounded;
	arena->total += size;
	return memset(piece, 0, size);
}

struct text arena_text(struct arena *arena, struct text text)
{
	char *copy = arena_alloc(arena, text.size + 1);
	if (!copy)
		return (struct text){0};
	if (text.size)
		memcpy(copy, text.data, text.size);
	return (struct text){copy, text.size};
}

void arena_reset(struct arena *arena)
{
	while (arena->blocks && (arena->blocks->older || arena->blocks->capacity > ARENA_BLOCK)) {
		struct arena_block *older = arena->blocks->older;
		free(arena->blocks);
		arena->blocks = older;
	}
	arena->used = 0;
	arena->total = 0;
}

void arena_free(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *older = arena->blocks->older;
		free(arena->blocks);
		arena->blocks = older;
	}
	*arena = (struct arena){.limit = arena->limit};
}
