/* Workspaces in the store, and what was used in them. */
#pragma once

#include "port/store/store.h"

struct store_workspace {
	struct uuid id;
	struct text name;
	struct text tier;
	struct text region;
	int64_t created_ms;
	int64_t updated_ms;
};

/* Sums since the workspace was created. */
struct store_usage {
	uint64_t operations;
	uint64_t cpu_us;
	uint64_t memory_byte_seconds; /* peak memory × duration, summed */
	uint64_t stored_bytes;        /* written into projects */
	uint64_t sent_bytes;          /* output and downloads */
};

struct store_workspaces {
	/* `replay` may be NULL. EXISTS if its key was used. */
	void (*insert)(struct store *store, const struct store_workspace *row,
		       const struct store_replay *replay, struct store_write *write);
	int (*get)(struct store *store, struct uuid id, struct arena *arena,
		   struct store_workspace *row);
	/* In order of id, from behind `after`; with a `user` only those that the user is a member
	 * of. */
	int (*list)(struct store *store, struct uuid user, struct uuid after, size_t limit,
		    struct arena *arena, struct store_workspace **rows, size_t *count);
	void (*update)(struct store *store, const struct store_workspace *row,
		       struct store_write *write);
	/* With its members and keys. CONFLICT while it has projects. */
	void (*remove)(struct store *store, struct uuid id, struct store_write *write);

	int (*usage)(struct store *store, struct uuid id, struct store_usage *usage);
	void (*usage_add)(struct store *store, struct uuid id, const struct store_usage *more,
			  struct store_write *write);

	/* 0 and the replay of this caller and key, its texts left out; STORE_NOT_FOUND. */
	int (*replay)(struct store *store, struct text caller, struct text key,
		      struct store_replay *replay);
	/* Forgets replays from before then. */
	void (*replay_expire)(struct store *store, int64_t before_ms, struct store_write *write);
};
