/* API keys that were used lately, so that a request costs no read of the database. Holds hashes,
 * never keys. */
#pragma once

#include "port/store/people.h"

enum { KEY_CACHE_MAX = 1024 };

struct key_cache;

int key_cache_new(struct key_cache **cache) ATTR_MUST_CHECK;
void key_cache_free(struct key_cache *cache);

/* 0 and the key, which is the cache's and lives until the next call; STORE_NOT_FOUND or another
 * outcome; negative. What is not there is not remembered: an attacker who guesses fills nothing. */
int key_cache_get(struct key_cache *cache, struct store *store, struct uuid id,
		  const struct store_key **key) ATTR_MUST_CHECK;
void key_cache_forget(struct key_cache *cache, struct uuid id);
void key_cache_clear(struct key_cache *cache);
