#include "port/store/sqlite.h"

#include "base/error.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* WAL with a sync at every commit: what was told as written survives the loss of power. The
 * exclusive lock keeps a second control away and spares the shared-memory file. Memory stays small:
 * control's working set is a handful of pages. */
static const char connection_pragmas[] = "PRAGMA locking_mode = EXCLUSIVE;"
					 "PRAGMA journal_mode = WAL;"
					 "PRAGMA synchronous = FULL;"
					 "PRAGMA foreign_keys = ON;"
					 "PRAGMA trusted_schema = OFF;"
					 "PRAGMA temp_store = MEMORY;"
					 "PRAGMA cache_size = -1024;"
					 "PRAGMA mmap_size = 0;"
					 "PRAGMA journal_size_limit = 4194304;";

static void log_failure(struct sqlite_store *db, const char *what)
{
	char message[200];
	log_error("store failed at=%s code=%d message=\"%s\"", what,
		  sqlite3_extended_errcode(db->connection),
		  log_text(message, sizeof(message), text_of(sqlite3_errmsg(db->connection))));
}

/* ---- the transaction of a turn ---- */

static void tell_writes(struct sqlite_store *db, enum store_outcome outcome)
{
	struct list told = LIST_EMPTY(told);
	while (!list_is_empty(&db->writes)) {
		struct list *node = db->writes.next;
		list_remove(node);
		list_append(&told, node);
	}
	while (!list_is_empty(&told)) {
		struct store_write *write = list_first(&told, struct store_write, node);
		store_write_detach(write);
		write->on_written(write, outcome != STORE_DONE ? outcome : write->outcome);
	}
}

static void roll_back(struct sqlite_store *db)
{
	if (!sqlite3_get_autocommit(db->connection))
		sqlite3_exec(db->connection, "ROLLBACK", NULL, NULL, NULL);
	db->in_transaction = false;
}

/* A commit whose sync failed may lie in the file or not; only the next start can tell. A full disk
 * is certain: nothing was written. */
static enum store_outcome commit(struct sqlite_store *db)
{
	struct sqlite_statement *statement = sqlite_use(db, "COMMIT");
	enum store_outcome outcome = statement ? sqlite_execute(db, statement) : STORE_UNAVAILABLE;
	if (outcome == STORE_UNAVAILABLE &&
	    (sqlite3_errcode(db->connection) & 0xff) == SQLITE_IOERR)
		outcome = STORE_UNCERTAIN;
	if (outcome != STORE_DONE)
		log_failure(db, "commit");
	return outcome;
}

/* The ends are told after the state is clean: what runs there may write again and begin the next
 * transaction. */
static enum store_outcome settle(struct sqlite_store *db)
{
	enum store_outcome outcome = db->doomed;
	loop_deferred_cancel(&db->commit);
	if (db->in_transaction && outcome == STORE_DONE)
		outcome = commit(db);
	roll_back(db);
	db->doomed = STORE_DONE;
	tell_writes(db, outcome);
	return outcome;
}

static void settle_deferred(struct loop_deferred *deferred)
{
	settle(container_of(deferred, struct sqlite_store, commit));
}

static bool doom(struct sqlite_store *db, const char *what, enum store_outcome outcome)
{
	log_failure(db, what);
	roll_back(db);
	db->doomed = outcome == STORE_DONE ? STORE_UNAVAILABLE : outcome;
	return false;
}

static bool begin_transaction(struct sqlite_store *db)
{
	if (db->in_transaction)
		return true;
	struct sqlite_statement *statement = sqlite_use(db, "BEGIN IMMEDIATE");
	enum store_outcome outcome = statement ? sqlite_execute(db, statement) : STORE_UNAVAILABLE;
	if (outcome != STORE_DONE)
		return doom(db, "begin", outcome);
	db->in_transaction = true;
	return true;
}

static bool run_plain(struct sqlite_store *db, const char *sql)
{
	struct sqlite_statement *statement = sqlite_use(db, sql);
	enum store_outcome outcome = statement ? sqlite_execute(db, statement) : STORE_UNAVAILABLE;
	return outcome == STORE_DONE || doom(db, sql, outcome);
}

static void expect(struct sqlite_store *db, struct store_write *write)
{
	loop_defer(&db->commit, db->loop, settle_deferred);
	if (!write)
		return;
	assert(!write->under_way && write->on_written);
	write->under_way = true;
	write->outcome = STORE_DONE;
	list_append(&db->writes, &write->node);
}

bool sqlite_write_begin(struct sqlite_store *db, struct store_write *write)
{
	expect(db, write);
	return db->doomed == STORE_DONE && begin_transaction(db) && run_plain(db, "SAVEPOINT one");
}

/* Some failures (a full disk, no memory) make SQLite take back the whole transaction, and with it
 * the other writes of the turn. */
void sqlite_write_end(struct sqlite_store *db, struct store_write *write,
		      enum store_outcome outcome)
{
	if (write)
		write->outcome = outcome;
	if (sqlite3_get_autocommit(db->connection)) {
		doom(db, "write", outcome);
		return;
	}
	if (outcome != STORE_DONE && !run_plain(db, "ROLLBACK TO one"))
		return;
	run_plain(db, "RELEASE one");
}

/* ---- values of the installation ---- */

static int value_get(struct store *store, struct text name, struct arena *arena,
		     struct bytes *value)
{
	struct sqlite_store *db = sqlite_of(store);
	struct sqlite_statement *statement =
	    sqlite_use(db, "SELECT value FROM installation WHERE name = ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_text(statement, name);
	int r = sqlite_row(db, statement);
	if (r == 0) {
		struct bytes found = sqlite_take_bytes(statement, arena, &r);
		if (r == 0)
			*value = found;
		sqlite_finish(statement);
	}
	return r;
}

static enum store_outcome value_put(struct sqlite_store *db, struct text name, struct bytes value)
{
	struct sqlite_statement *statement =
	    sqlite_use(db, "INSERT INTO installation (name, value) VALUES (?, ?)"
			   " ON CONFLICT (name) DO UPDATE SET value = excluded.value");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_text(statement, name);
	sqlite_put_bytes(statement, value);
	return sqlite_execute(db, statement);
}

static void value_set(struct store *store, struct text name, struct bytes value,
		      struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, value_put(db, name, value));
}

static int flush(struct store *store)
{
	return (int)settle(sqlite_of(store));
}

/* ---- life ---- */

static void free_statements(struct sqlite_store *db)
{
	map_for_each (node, &db->statements) {
		struct sqlite_statement *statement =
		    container_of(node, struct sqlite_statement, node);
		sqlite3_finalize(statement->prepared);
		free(statement);
	}
	map_free(&db->statements);
}

static void sqlite_close(struct store *store)
{
	struct sqlite_store *db = sqlite_of(store);
	if (db->connection)
		settle(db);
	free_statements(db);
	sqlite3_close(db->connection);
	free(db);
}

static const struct store_base sqlite_base = {
    .close = sqlite_close,
    .value_get = value_get,
    .value_set = value_set,
    .flush = flush,
};

static int connect(struct sqlite_store *db, const char *path)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_EXRESCODE;
	int code = sqlite3_open_v2(path, &db->connection, flags, NULL);
	if (code != SQLITE_OK)
		return error_origin(db->connection ? -sqlite3_system_errno(db->connection)
						   : -ENOMEM);
	sqlite3_db_config(db->connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_limit(db->connection, SQLITE_LIMIT_ATTACHED, 0);
	code = sqlite3_exec(db->connection, connection_pragmas, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return sqlite_migrate(db);
	log_failure(db, "open");
	if ((code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT)
		return error_origin(-EUCLEAN);
	return error_origin((code & 0xff) == SQLITE_FULL ? -ENOSPC : -EIO);
}

int store_sqlite_open(const char *path, struct loop *loop, struct store **store)
{
	struct sqlite_store *db = calloc(1, sizeof(*db));
	if (!db)
		return error_origin(-ENOMEM);
	db->store = (struct store){
	    .base = &sqlite_base,
	    .workspaces = &sqlite_workspaces,
	    .people = &sqlite_people,
	    .projects = &sqlite_projects,
	    .operations = &sqlite_operations,
	};
	db->loop = loop;
	list_init(&db->writes);
	int r = connect(db, path);
	if (r < 0) {
		sqlite_close(&db->store);
		return error_trace(r);
	}
	*store = &db->store;
	return 0;
}
