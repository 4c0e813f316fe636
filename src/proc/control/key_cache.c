#include "proc/control/key_cache.h"

#include "base/error.h"
#include "base/map.h"

#include <errno.h>
#include <stdlib.h>

struct cached_key {
	struct map_node node;
	struct list recent;
	struct store_key key;
	struct arena arena; /* of the key's texts and projects */
};

struct key_cache {
	struct map by_id;
	struct list recent; /* the one used last stands first */
};

static struct bytes key_of(const struct uuid *id)
{
	return (struct bytes){id->b, sizeof(id->b)};
}

static void forget(struct key_cache *cache, struct cached_key *cached)
{
	map_remove(&cache->by_id, &cached->node);
	list_remove(&cached->recent);
	arena_free(&cached->arena);
	free(cached);
}

static int load(struct key_cache *cache, struct store *store, struct uuid id,
		struct cached_key **out)
{
	struct cached_key *cached = calloc(1, sizeof(*cached));
	if (!cached)
		return error_origin(-ENOMEM);
	int r = store->people->key_get(store, id, &cached->arena, &cached->key);
	if (r == 0 && map_insert(&cache->by_id, &cached->node, key_of(&cached->key.id)) != 0)
		r = error_origin(-ENOMEM);
	if (r != 0) {
		arena_free(&cached->arena);
		free(cached);
		return r;
	}
	list_prepend(&cache->recent, &cached->recent);
	if (cache->by_id.count > KEY_CACHE_MAX)
		forget(cache, container_of(cache->recent.previous, struct cached_key, recent));
	*out = cached;
	return 0;
}

int key_cache_get(struct key_cache *cache, struct store *store, struct uuid id,
		  const struct store_key **key)
{
	struct cached_key *cached = map_object(&cache->by_id, key_of(&id), struct cached_key, node);
	if (!cached) {
		int r = load(cache, store, id, &cached);
		if (r != 0)
			return r;
	}
	list_remove(&cached->recent);
	list_prepend(&cache->recent, &cached->recent);
	*key = &cached->key;
	return 0;
}

void key_cache_forget(struct key_cache *cache, struct uuid id)
{
	struct cached_key *cached = map_object(&cache->by_id, key_of(&id), struct cached_key, node);
	if (cached)
		forget(cache, cached);
}

void key_cache_clear(struct key_cache *cache)
{
	while (!list_is_empty(&cache->recent))
		forget(cache, list_first(&cache->recent, struct cached_key, recent));
}

int key_cache_new(struct key_cache **out)
{
	struct key_cache *cache = calloc(1, sizeof(*cache));
	if (!cache)
		return error_origin(-ENOMEM);
	list_init(&cache->recent);
	*out = cache;
	return 0;
}

void key_cache_free(struct key_cache *cache)
{
	if (!cache)
		return;
	key_cache_clear(cache);
	map_free(&cache->by_id);
	free(cache);
}
