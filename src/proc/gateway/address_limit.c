#include "proc/gateway/address_limit.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum {
	KEY_SIZE = 8,
	TOKEN = 60000, /* one token is this many units, so that a refill of N a minute is N units a
			  millisecond */
};

struct address {
	struct map_node node;
	struct list used;
	uint8_t key[KEY_SIZE];
	uint64_t units; /* as of `at_ms` */
	uint64_t at_ms;
};

static void address_key(struct text text, uint8_t key[KEY_SIZE])
{
	char copy[INET6_ADDRSTRLEN] = {0};
	struct in6_addr six;
	struct in_addr four;
	memcpy(copy, text.data, text.size < sizeof(copy) ? text.size : sizeof(copy) - 1);
	memset(key, 0, KEY_SIZE);
	if (inet_pton(AF_INET6, copy, &six) == 1 && !IN6_IS_ADDR_V4MAPPED(&six))
		memcpy(key, &six, KEY_SIZE);
	else if (inet_pton(AF_INET6, copy, &six) == 1)
		memcpy(key, (uint8_t *)&six + 12, 4);
	else if (inet_pton(AF_INET, copy, &four) == 1)
		memcpy(key, &four, 4);
}

static struct address *find(const struct address_limit *limit, const uint8_t key[KEY_SIZE])
{
	return map_object(&limit->addresses, ((struct bytes){key, KEY_SIZE}), struct address, node);
}

static uint64_t units_now(const struct address_limit *limit, const struct address *address,
			  uint64_t now_ms)
{
	uint64_t full = (uint64_t)limit->per_minute * TOKEN;
	uint64_t units = address->units + (now_ms - address->at_ms) * limit->per_minute;
	return units > full ? full : units;
}

void address_limit_init(struct address_limit *limit, uint32_t per_minute)
{
	*limit = (struct address_limit){.per_minute = per_minute};
	list_init(&limit->by_use);
}

static void forget(struct address_limit *limit, struct address *address)
{
	map_remove(&limit->addresses, &address->node);
	list_remove(&address->used);
	free(address);
}

void address_limit_free(struct address_limit *limit)
{
	while (!list_is_empty(&limit->by_use))
		forget(limit, list_first(&limit->by_use, struct address, used));
	map_free(&limit->addresses);
}

uint32_t address_limit_wait(const struct address_limit *limit, struct text text, uint64_t now_ms)
{
	uint8_t key[KEY_SIZE];
	if (limit->per_minute == 0)
		return 0;
	address_key(text, key);
	const struct address *address = find(limit, key);
	if (!address)
		return 0;
	uint64_t units = units_now(limit, address, now_ms);
	if (units >= TOKEN)
		return 0;
	return (uint32_t)((TOKEN - units) / limit->per_minute / 1000 + 1);
}

static struct address *add(struct address_limit *limit, const uint8_t key[KEY_SIZE],
			   uint64_t now_ms)
{
	if (limit->addresses.count >= ADDRESSES_MAX)
		forget(limit, list_first(&limit->by_use, struct address, used));
	struct address *address = calloc(1, sizeof(*address));
	if (!address)
		return NULL;
	memcpy(address->key, key, KEY_SIZE);
	address->units = (uint64_t)limit->per_minute * TOKEN;
	address->at_ms = now_ms;
	list_init(&address->used);
	if (map_insert(&limit->addresses, &address->node, (struct bytes){address->key, KEY_SIZE}) !=
	    0) {
		free(address);
		return NULL;
	}
	return address;
}

void address_limit_failed(struct address_limit *limit, struct text text, uint64_t now_ms)
{
	uint8_t key[KEY_SIZE];
	if (limit->per_minute == 0)
		return;
	address_key(text, key);
	struct address *address = find(limit, key);
	if (!address)
		address = add(limit, key, now_ms);
	if (!address)
		return;
	uint64_t units = units_now(limit, address, now_ms);
	address->units = units > TOKEN ? units - TOKEN : 0;
	address->at_ms = now_ms;
	list_remove(&address->used);
	list_append(&limit->by_use, &address->used);
}

static size_t place_of(const struct digest_value *credential)
{
	uint32_t first;
	memcpy(&first, credential->b, sizeof(first));
	return first % KNOWN_CREDENTIALS_MAX;
}

void address_limit_succeeded(struct address_limit *limit, const struct digest_value *credential)
{
	limit->known[place_of(credential)] = *credential;
}

bool address_limit_knows(const struct address_limit *limit, const struct digest_value *credential)
{
	return digest_equal(&limit->known[place_of(credential)], credential);
}
