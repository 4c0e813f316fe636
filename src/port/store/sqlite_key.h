/* The API keys' part of struct store_people (people.h), in a file of its own. */
#pragma once

#include "port/store/people.h"

void sqlite_key_insert(struct store *store, const struct store_key *row,
		       const struct store_replay *replay, struct store_write *write);
int sqlite_key_get(struct store *store, struct uuid id, struct arena *arena, struct store_key *row);
int sqlite_key_list(struct store *store, struct uuid workspace, struct uuid after, size_t limit,
		    struct arena *arena, struct store_key **rows, size_t *count);
void sqlite_key_revoke(struct store *store, struct uuid workspace, struct uuid id, int64_t now_ms,
		       struct store_write *write);
