/* The relational store: workspaces, people, keys, projects, operations. A port: contract here and
 * in the headers of its families, implementations beside it (sqlite*.c), chosen where
 * control starts. Lives in control.
 *
 * Writes gather during a turn of the loop and become durable together at its end, as one
 * transaction. A write therefore tells its end later, through its struct store_write, never from
 * inside the call. Each write is whole or not at all, also where it touches several tables; one
 * that is refused (EXISTS, NOT_FOUND, CONFLICT) takes nothing else down with it.
 *
 * Reads answer at once and see the writes of the same turn. Whoever acts outside this process on
 * what a write says waits for its end. Rows' texts lie in the caller's arena.
 *
 * After a crash the store holds every write whose end was told, and of the others each whole or not
 * at all. */
#pragma once

#include "base/arena.h"
#include "base/id.h"
#include "base/list.h"
#include "loop/loop.h"

enum store_outcome {
	STORE_DONE,
	STORE_NOT_FOUND,   /* the row to change or read is not there */
	STORE_EXISTS,      /* a row with this identity is there already */
	STORE_CONFLICT,    /* the row is not in the state that the write asks for */
	STORE_NO_SPACE,    /* nothing was written; it works again when there is room */
	STORE_UNAVAILABLE, /* nothing was written or read; trying again later makes sense */
	STORE_UNCERTAIN,   /* may or may not have happened */
	STORE_OUTCOMES
};
extern const char *const store_outcome_names[STORE_OUTCOMES];

struct store_write;
typedef void store_on_written(struct store_write *write, enum store_outcome outcome);

/* One write under way: embedded in who waits for it; idle when zeroed or told. Calls take NULL
 * where nobody waits. */
struct store_write {
	struct list node; /* linked while under way */
	store_on_written *on_written;
	enum store_outcome outcome; /* so far */
	bool under_way;
};

/* The end will not be told; the write itself goes on. For an owner that goes away. */
void store_write_detach(struct store_write *write);

struct store_base;
struct store_workspaces; /* workspaces.h */
struct store_people;     /* people.h: users, members, keys */
struct store_projects;   /* projects.h */
struct store_operations; /* operations.h */

struct store {
	const struct store_base *base;
	const struct store_workspaces *workspaces;
	const struct store_people *people;
	const struct store_projects *projects;
	const struct store_operations *operations;
};

struct store_base {
	void (*close)(struct store *store); /* writes of the turn are made durable first */
	/* A value of the installation by name, such as a key of this store's own; 0,
	 * STORE_NOT_FOUND, negative. */
	int (*value_get)(struct store *store, struct text name, struct arena *arena,
			 struct bytes *value);
	void (*value_set)(struct store *store, struct text name, struct bytes value,
			  struct store_write *write);
	/* Makes the writes of this turn durable now: for start and stop. 0 or the outcome that they
	 * had. */
	int (*flush)(struct store *store);
};

/* What makes a creation idempotent: stored in its transaction, so that the same key never creates
 * twice. */
struct store_replay {
	struct text caller; /* who may replay it: the id of the key or user */
	struct text key;    /* the client's Idempotency-Key */
	uint8_t digest[32]; /* of call and body */
	struct uuid object; /* what was created */
	int64_t created_ms;
};

enum { STORE_PAGE_LIMIT = 1000 };

/* ---- implementations ---- */

/* Opens or creates the database at `path`; `loop` runs the commits. -EUCLEAN: not ours, corrupt, or
 * of a newer version. */
int store_sqlite_open(const char *path, struct loop *loop, struct store **store) ATTR_MUST_CHECK;
