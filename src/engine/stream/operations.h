/* Where the operations that are being written stand: a cache of struct order. What is not here is
 * learned from the newest record of the operation, so the cache may forget anything that is
 * durable; what is not durable yet stays until settle or reset. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "engine/stream/order.h"

enum { OPERATIONS_CACHED = 8192 };

struct operations {
	struct map by_id;
	struct list by_use; /* most recent first */
};

void operations_init(struct operations *operations);
void operations_reset(struct operations *operations); /* after a batch that did not become durable;
							 frees everything */

struct order *operations_find(struct operations *operations, struct uuid operation); /* or NULL */
struct order *operations_add(struct operations *operations, struct uuid operation,
			     const struct order *order); /* or NULL without memory */

/* All is durable: the least used beyond the limit are forgotten. */
void operations_settle(struct operations *operations);
