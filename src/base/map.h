/* Hash table from a run of bytes to an object that holds its own node and key (intrusive, chained;
 * the hash has a seed per process, so that a client cannot choose collisions). Sizes are powers of
 * two; it grows, never shrinks. */
#pragma once

#include "base/text.h"

struct map_node {
	struct map_node *next;
	uint64_t hash;
	struct bytes key; /* lies in the object, which outlives its place in the map */
};

struct map {
	struct map_node **buckets;
	size_t n_buckets;
	size_t count;
};

void map_free(struct map *map); /* the table only; the objects belong to others */
int map_insert(struct map *map, struct map_node *node,
	       struct bytes key); /* 0, 1 if there is one, -ENOMEM */
struct map_node *map_find(const struct map *map, struct bytes key); /* or NULL */
void map_remove(struct map *map, struct map_node *node);            /* must be in it */
struct map_node *map_next(const struct map *map,
			  const struct map_node *node); /* NULL starts, NULL ends */

#define map_object(map, key, type, member)                                                         \
	({                                                                                         \
		struct map_node *found_node = map_find((map), (key));                              \
		found_node ? container_of(found_node, type, member) : (type *)NULL;                \
	})

/* `node` may be removed in the body. */
#define map_for_each(node, map)                                                                    \
	for (struct map_node *node = map_next((map), NULL),                                        \
			     *node##_next = node ? map_next((map), node) : NULL;                   \
	     node; node = node##_next, node##_next = node ? map_next((map), node) : NULL)
