#include "proc/audit/repeats.h"

#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int repeats_init(struct repeats *repeats)
{
	*repeats = (struct repeats){0};
	repeats->items = calloc(REPEATS_MAX, sizeof(*repeats->items));
	return repeats->items ? 0 : error_origin(-ENOMEM);
}

void repeats_free(struct repeats *repeats)
{
	map_free(&repeats->map);
	free(repeats->items);
	*repeats = (struct repeats){0};
}

static void forget(struct repeats *repeats, struct repeats_item *item)
{
	if (item->node.key.data)
		map_remove(&repeats->map, &item->node);
	*item = (struct repeats_item){0};
}

int repeats_add(struct repeats *repeats, struct uuid id, uint64_t seq)
{
	struct repeats_item *item = &repeats->items[repeats->added % REPEATS_MAX];
	if (map_find(&repeats->map, (struct bytes){id.b, sizeof(id.b)}))
		return 1;
	forget(repeats, item);
	item->id = id;
	item->seq = seq;
	int r =
	    map_insert(&repeats->map, &item->node, (struct bytes){item->id.b, sizeof(item->id.b)});
	if (r) {
		*item = (struct repeats_item){0};
		return error_trace(r);
	}
	repeats->added++;
	return 0;
}

bool repeats_find(const struct repeats *repeats, struct uuid id, uint64_t *seq)
{
	const struct repeats_item *item = map_object(
	    &repeats->map, ((struct bytes){id.b, sizeof(id.b)}), struct repeats_item, node);
	if (item)
		*seq = item->seq;
	return item;
}

void repeats_undo(struct repeats *repeats)
{
	assert(repeats->added > 0);
	repeats->added--;
	forget(repeats, &repeats->items[repeats->added % REPEATS_MAX]);
}
