#include "engine/stream/operations.h"

#include <stdlib.h>

struct cached {
	struct map_node node;
	struct list use;
	struct uuid operation;
	struct order order;
};

static struct bytes key_of(const struct uuid *operation)
{
	return (struct bytes){operation->b, sizeof(operation->b)};
}

void operations_init(struct operations *operations)
{
	operations->by_id = (struct map){0};
	list_init(&operations->by_use);
}

static void forget(struct operations *operations, struct cached *cached)
{
	map_remove(&operations->by_id, &cached->node);
	list_remove(&cached->use);
	free(cached);
}

void operations_reset(struct operations *operations)
{
	while (!list_is_empty(&operations->by_use))
		forget(operations, list_first(&operations->by_use, struct cached, use));
	map_free(&operations->by_id);
}

struct order *operations_find(struct operations *operations, struct uuid operation)
{
	struct cached *cached =
	    map_object(&operations->by_id, key_of(&operation), struct cached, node);
	if (!cached)
		return NULL;
	list_remove(&cached->use);
	list_prepend(&operations->by_use, &cached->use);
	return &cached->order;
}

struct order *operations_add(struct operations *operations, struct uuid operation,
			     const struct order *order)
{
	struct cached *cached = calloc(1, sizeof(*cached));
	if (!cached)
		return NULL;
	cached->operation = operation;
	cached->order = *order;
	list_init(&cached->use);
	if (map_insert(&operations->by_id, &cached->node, key_of(&cached->operation)) != 0) {
		free(cached);
		return NULL;
	}
	list_prepend(&operations->by_use, &cached->use);
	return &cached->order;
}

void operations_settle(struct operations *operations)
{
	while (operations->by_id.count > OPERATIONS_CACHED)
		forget(operations, container_of(operations->by_use.previous, struct cached, use));
}
