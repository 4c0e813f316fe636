#include "base/map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

enum { MAP_FIRST = 16 };

/* Hash flooding needs the seed, which never leaves the process. */
static uint64_t seed_of_process(void)
{
	static uint64_t seed;
	while (!seed)
		if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
			abort();
	return seed;
}

static uint64_t hash_of(struct bytes key)
{
	uint64_t hash = seed_of_process();
	while (key.size >= 8) {
		uint64_t word;
		memcpy(&word, key.data, 8);
		hash = (hash ^ word) * 0x9fb21c651e98df25u;
		hash ^= hash >> 32;
		key.data += 8;
		key.size -= 8;
	}
	for (size_t i = 0; i < key.size; i++)
		hash = (hash ^ key.data[i]) * 0x100000001b3u;
	hash ^= hash >> 29;
	hash *= 0x94d049bb133111ebu;
	return hash ^ hash >> 31;
}

void map_free(struct map *map)
{
	free(map->buckets);
	*map = (struct map){0};
}

static int grow(struct map *map)
{
	size_t n = map->n_buckets ? map->n_buckets * 2 : MAP_FIRST;
	struct map_node **buckets = calloc(n, sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	for (size_t i = 0; i < map->n_buckets; i++) {
		for (struct map_node *node = map->buckets[i], *next; node; node = next) {
			next = node->next;
			struct map_node **bucket = &buckets[node->hash & (n - 1)];
			node->next = *bucket;
			*bucket = node;
		}
	}
	free(map->buckets);
	map->buckets = buckets;
	map->n_buckets = n;
	return 0;
}

static struct map_node *find_hashed(const struct map *map, struct bytes key, uint64_t hash)
{
	if (!map->n_buckets)
		return NULL;
	for (struct map_node *node = map->buckets[hash & (map->n_buckets - 1)]; node;
	     node = node->next)
		if (node->hash == hash && text_equal(bytes_text(node->key), bytes_text(key)))
			return node;
	return NULL;
}

int map_insert(struct map *map, struct map_node *node, struct bytes key)
{
	uint64_t hash = hash_of(key);
	if (find_hashed(map, key, hash))
		return 1;
	if (map->count >= map->n_buckets && grow(map) < 0)
		return -ENOMEM;
	struct map_node **bucket = &map->buckets[hash & (map->n_buckets - 1)];
	*node = (struct map_node){.next = *bucket, .hash = hash, .key = key};
	*bucket = node;
	map->count++;
	return 0;
}

struct map_node *map_find(const struct map *map, struct bytes key)
{
	return find_hashed(map, key, hash_of(key));
}

void map_remove(struct map *map, struct map_node *node)
{
	struct map_node **link = &map->buckets[node->hash & (map->n_buckets - 1)];
	while (*link != node) {
		assert(*link);
		link = &(*link)->next;
	}
	*link = node->next;
	node->next = NULL;
	map->count--;
}

struct map_node *map_next(const struct map *map, const struct map_node *node)
{
	size_t bucket = 0;
	if (node) {
		if (node->next)
			return node->next;
		bucket = (node->hash & (map->n_buckets - 1)) + 1;
	}
	for (; bucket < map->n_buckets; bucket++)
		if (map->buckets[bucket])
			return map->buckets[bucket];
	return NULL;
}
