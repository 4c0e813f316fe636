/* The segments of one log, oldest first, and which of them have their files open. */
#pragma once

#include "port/log/segment.h"

struct segment_list {
	struct segment **segments; /* owned */
	size_t count;
	size_t capacity;
	uint64_t uses; /* counts up with each use */
};

/* Reads the directory; opens, recovers and joins what is there. */
int segment_list_open(struct segment_list *list, const struct segment_place *place) ATTR_MUST_CHECK;
void segment_list_free(struct segment_list *list);

int segment_list_reserve(struct segment_list *list) ATTR_MUST_CHECK;       /* room for one more */
void segment_list_add(struct segment_list *list, struct segment *segment); /* takes it */
int segment_list_remove_first(struct segment_list *list,
			      const struct segment_place *place) ATTR_MUST_CHECK;
void segment_list_remove_last(struct segment_list *list, const struct segment_place *place);

struct segment *segment_list_last(const struct segment_list *list); /* NULL if there is none */
struct segment *segment_list_find(const struct segment_list *list, uint32_t serial);
size_t segment_list_at(const struct segment_list *list,
		       uint64_t position); /* its number, or the count */
uint64_t segment_list_first_position(const struct segment_list *list);
uint64_t segment_list_bytes(const struct segment_list *list);

/* Before a segment's files are needed: opens them, and closes others that were not used for long.
 */
int segment_list_use(struct segment_list *list, struct segment *segment,
		     const struct segment_place *place) ATTR_MUST_CHECK;
