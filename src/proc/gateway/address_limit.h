/* How often an address may fail to authenticate: a bucket of tokens per address, in a table of
 * bounded size that forgets the address that has been quiet for longest. IPv6 addresses count by
 * their /64, which is what one customer gets.
 *
 * Whoever shares an address with an attacker (NAT, a proxy) is not locked out: a credential that
 * was good lately passes (address_limit_knows()); of those only digests are kept. Decides, does no
 * I/O; time is passed in. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "crypt/digest.h"

enum { ADDRESSES_MAX = 8192, KNOWN_CREDENTIALS_MAX = 4096 };

struct address_limit {
	uint32_t per_minute; /* 0: no limit */
	struct map addresses;
	struct list by_use;                               /* the longest quiet first */
	struct digest_value known[KNOWN_CREDENTIALS_MAX]; /* place by digest: a newer one takes the
							     place of an older */
};

void address_limit_init(struct address_limit *limit, uint32_t per_minute);
void address_limit_free(struct address_limit *limit);

/* Seconds until the address may try again, 0 if it may now. */
uint32_t address_limit_wait(const struct address_limit *limit, struct text address,
			    uint64_t now_ms);
void address_limit_failed(struct address_limit *limit, struct text address, uint64_t now_ms);

void address_limit_succeeded(struct address_limit *limit, const struct digest_value *credential);
bool address_limit_knows(const struct address_limit *limit, const struct digest_value *credential);
