/* The inside of the SQLite implementation, for its sqlite_*.c files alone: one connection, its
 * transaction, its statements.
 *
 * The first write of a loop turn begins the transaction, a deferred callback commits it, and then
 * the ends of all its writes are told. Each write runs in a savepoint. When a statement fails in a
 * way that takes the transaction down (a full disk), all writes of the turn end with that outcome
 * and the rest of the turn does not try any more. */
#pragma once

#include "base/map.h"
#include "port/store/store.h"

#include <sqlite3.h>

struct sqlite_store {
	struct store store; /* first: what callers hold */
	struct loop *loop;
	sqlite3 *connection;
	struct map statements; /* of struct sqlite_statement by the address of their SQL */
	struct loop_deferred commit;
	struct list writes; /* of struct store_write: told at the next commit */
	bool in_transaction;
	enum store_outcome
	    doomed; /* why nothing of this turn will be written; STORE_DONE: all is well */
};

static inline struct sqlite_store *sqlite_of(struct store *store)
{
	return container_of(store, struct sqlite_store, store);
}

/* ---- schema ---- */

/* Scripts run once each, in order; the number of the last one is the schema's version. Never change
 * one that was released. */
extern const char *const sqlite_migrations[];
extern const size_t n_sqlite_migrations;
extern const char sqlite_tenant_schema[];    /* sqlite_schema.c */
extern const char sqlite_operation_schema[]; /* sqlite_operation.c */
int sqlite_migrate(struct sqlite_store *db) ATTR_MUST_CHECK;

/* ---- statements ---- */

/* A prepared statement in use. `put` functions bind the next parameter, `take` functions read the
 * next column. */
struct sqlite_statement {
	struct map_node node;
	const char *sql;
	sqlite3_stmt *prepared;
	int parameter;
	int column;
};

/* `sql` must be a literal: its address is the key of the cache. NULL if it cannot be prepared
 * (outcome: sqlite_outcome()). */
struct sqlite_statement *sqlite_use(struct sqlite_store *db, const char *sql);
void sqlite_put_uuid(struct sqlite_statement *statement, struct uuid uuid);
void sqlite_put_uuid_or_null(struct sqlite_statement *statement,
			     struct uuid uuid); /* zero is NULL */
void sqlite_put_text(struct sqlite_statement *statement, struct text text);
void sqlite_put_text_or_null(struct sqlite_statement *statement,
			     struct text text); /* empty is NULL */
void sqlite_put_bytes(struct sqlite_statement *statement, struct bytes bytes);
void sqlite_put_i64(struct sqlite_statement *statement, int64_t number);

/* Runs a statement that returns no rows: STORE_DONE or why not. sqlite_changed() tells how many
 * rows it touched. */
enum store_outcome sqlite_execute(struct sqlite_store *db,
				  struct sqlite_statement *statement) ATTR_MUST_CHECK;
/* The same, and NOT_FOUND if no row was touched. */
enum store_outcome sqlite_execute_on_row(struct sqlite_store *db,
					 struct sqlite_statement *statement) ATTR_MUST_CHECK;
size_t sqlite_changed(const struct sqlite_store *db);

/* The next row: 0, STORE_NOT_FOUND after the last, or another outcome. After anything but 0 the
 * statement is free again; a caller that stops earlier calls sqlite_finish(). */
int sqlite_row(struct sqlite_store *db, struct sqlite_statement *statement) ATTR_MUST_CHECK;
void sqlite_finish(struct sqlite_statement *statement);

struct uuid sqlite_take_uuid(struct sqlite_statement *statement); /* zero for NULL */
int64_t sqlite_take_i64(struct sqlite_statement *statement);
/* Copies into the arena; when that is full `*failed` becomes -ENOMEM. NULL becomes empty. */
struct text sqlite_take_text(struct sqlite_statement *statement, struct arena *arena, int *failed);
struct bytes sqlite_take_bytes(struct sqlite_statement *statement, struct arena *arena,
			       int *failed);

/* ---- writes ---- */

/* Around the statements of one write:
 *     if (sqlite_write_begin(db, write))
 *             sqlite_write_end(db, write, insert_all(db, row));
 * begin() answers false when the turn is doomed; the write's end is told all the same. */
bool sqlite_write_begin(struct sqlite_store *db, struct store_write *write) ATTR_MUST_CHECK;
void sqlite_write_end(struct sqlite_store *db, struct store_write *write,
		      enum store_outcome outcome);

/* Stores it inside a write; nothing for NULL. EXISTS if the caller used the key. */
enum store_outcome sqlite_replay_insert(struct sqlite_store *db,
					const struct store_replay *replay) ATTR_MUST_CHECK;
/* Adds to a workspace's sums inside a write. */
struct store_usage;
enum store_outcome sqlite_usage_add(struct sqlite_store *db, struct uuid workspace,
				    const struct store_usage *more) ATTR_MUST_CHECK;

/* A growing array of rows in an arena, for lists of at most `limit`. */
void *sqlite_rows(struct arena *arena, size_t limit, size_t row_size);

extern const struct store_workspaces sqlite_workspaces;
extern const struct store_people sqlite_people;
extern const struct store_projects sqlite_projects;
extern const struct store_operations sqlite_operations;
