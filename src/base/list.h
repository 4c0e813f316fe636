/* Doubly linked list, intrusive: the node lies in the object. An empty list points at itself. */
#pragma once

#include "base/attributes.h"

#include <stdbool.h>

struct list {
	struct list *next;
	struct list *previous;
};

#define LIST_EMPTY(name)                                                                           \
	{                                                                                          \
		&(name), &(name)                                                                   \
	}

static inline void list_init(struct list *list)
{
	list->next = list->previous = list;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->next == list;
}

static inline void list_insert_before(struct list *place, struct list *node)
{
	node->next = place;
	node->previous = place->previous;
	place->previous->next = node;
	place->previous = node;
}

static inline void list_append(struct list *list, struct list *node)
{
	list_insert_before(list, node);
}

static inline void list_prepend(struct list *list, struct list *node)
{
	list_insert_before(list->next, node);
}

/* Leaves the node empty, so that removing twice is harmless. */
static inline void list_remove(struct list *node)
{
	node->previous->next = node->next;
	node->next->previous = node->previous;
	list_init(node);
}

#define list_first(list, type, member) container_of((list)->next, type, member)

/* `item` may be removed in the body. */
#define list_for_each(item, head, member)                                                          \
	for (struct list *item##_at = (head)->next, *item##_next = item##_at->next;                \
	     item##_at != (head) &&                                                                \
	     ((item) = container_of(item##_at, __typeof__(*(item)), member), true);                \
	     item##_at = item##_next, item##_next = item##_at->next)
