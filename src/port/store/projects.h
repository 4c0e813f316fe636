/* Projects in the store. */
#pragma once

#include "port/store/store.h"

enum store_project_state {
	STORE_PROJECT_ACTIVE,
	STORE_PROJECT_DELETING, /* refuses all work; its row goes when the worker has removed its
				   files */
};

struct store_project {
	struct uuid id;
	struct uuid workspace;
	enum store_project_state state;
	struct text name;
	struct text template;
	struct text runtime_class;
	struct text tier;
	struct text region;
	struct text env;    /* JSON: an object of strings */
	struct text policy; /* JSON: an object */
	int64_t created_ms;
	int64_t updated_ms;
};

struct store_projects {
	/* NOT_FOUND if the workspace is gone, EXISTS if the replay's key was used. */
	void (*insert)(struct store *store, const struct store_project *row,
		       const struct store_replay *replay, struct store_write *write);
	int (*get)(struct store *store, struct uuid id, struct arena *arena,
		   struct store_project *row);
	/* Active ones, in order of id, from behind `after`. */
	int (*list)(struct store *store, struct uuid workspace, struct uuid after, size_t limit,
		    struct arena *arena, struct store_project **rows, size_t *count);
	/* Everything but id, workspace, state and creation. CONFLICT if it is not active. */
	void (*update)(struct store *store, const struct store_project *row,
		       struct store_write *write);
	/* ACTIVE to DELETING: from here on the deletion is finished, also after a crash. CONFLICT
	 * if it is not active. */
	void (*retire)(struct store *store, struct uuid id, int64_t now_ms,
		       struct store_write *write);
	int (*list_deleting)(struct store *store, struct arena *arena, struct uuid **ids,
			     size_t *count);
	void (*remove)(struct store *store, struct uuid id, struct store_write *write);
};
