/* Memory that is given out in pieces and taken back all at once: for what one message or one
 * request needs. */
#pragma once

#include "base/text.h"

struct arena_block;

struct arena {
	struct arena_block *blocks;
	size_t used;  /* by the newest block */
	size_t total; /* asked for since the last reset */
	size_t limit; /* 0: ARENA_LIMIT_DEFAULT */
};

enum { ARENA_LIMIT_DEFAULT = 16 << 20 };

void *arena_alloc(struct arena *arena,
		  size_t size); /* zeroed, aligned; NULL past the limit or without memory */
struct text arena_text(struct arena *arena,
		       struct text text); /* a NUL-terminated copy; data NULL on failure */
void arena_reset(struct arena *arena);    /* keeps one block */
void arena_free(struct arena *arena);

#define ATTR_ARENA ATTR_CLEANUP(arena_free)
