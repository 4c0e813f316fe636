#include "base/error.h"
#include "base/log.h"
#include "port/store/sqlite.h"

#include <errno.h>

enum { APPLICATION_ID = 0x43726f66 }; /* "Crof": marks the file as ours */

/* Identifiers are the 16 bytes of a UUIDv7, so rows lie in the order of their making. Times are
 * milliseconds since 1970. */
const char sqlite_tenant_schema[] =
    "CREATE TABLE installation (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"

    "CREATE TABLE workspaces (id BLOB PRIMARY KEY, name TEXT NOT NULL, tier TEXT NOT NULL, region "
    "TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
    " used_operations INTEGER NOT NULL DEFAULT 0, used_cpu_us INTEGER NOT NULL DEFAULT 0,"
    " used_memory INTEGER NOT NULL DEFAULT 0, used_stored INTEGER NOT NULL DEFAULT 0,"
    " used_sent INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"

    "CREATE TABLE users (id BLOB PRIMARY KEY, subject TEXT UNIQUE, email TEXT UNIQUE, created_ms "
    "INTEGER NOT NULL,"
    " CHECK (subject IS NOT NULL OR email IS NOT NULL)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE members (workspace BLOB NOT NULL REFERENCES workspaces ON DELETE CASCADE,"
    " user BLOB NOT NULL REFERENCES users, role INTEGER NOT NULL, created_ms INTEGER NOT NULL,"
    " PRIMARY KEY (workspace, user)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX members_user ON members (user, workspace);"

    "CREATE TABLE keys (id BLOB PRIMARY KEY, workspace BLOB NOT NULL REFERENCES workspaces ON "
    "DELETE CASCADE,"
    " name TEXT NOT NULL, role INTEGER NOT NULL, hash BLOB NOT NULL, projects BLOB NOT NULL,"
    " created_by TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"
    " revoked_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX keys_workspace ON keys (workspace, id);"

    "CREATE TABLE projects (id BLOB PRIMARY KEY, workspace BLOB NOT NULL REFERENCES workspaces,"
    " state INTEGER NOT NULL, name TEXT NOT NULL, template TEXT NOT NULL, runtime_class TEXT NOT "
    "NULL,"
    " tier TEXT NOT NULL, region TEXT NOT NULL, env TEXT NOT NULL, policy TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX projects_workspace ON projects (workspace, id);"
    "CREATE INDEX projects_deleting ON projects (id) WHERE state = 1;"

    "CREATE TABLE replays (caller TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL, object "
    "BLOB NOT NULL,"
    " created_ms INTEGER NOT NULL, PRIMARY KEY (caller, key)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX replays_created ON replays (created_ms);";

const char *const sqlite_migrations[] = {
    sqlite_tenant_schema,
    sqlite_operation_schema,
};
const size_t n_sqlite_migrations = ARRAY_SIZE(sqlite_migrations);

static int read_number(struct sqlite_store *db, const char *pragma, int64_t *number)
{
	struct sqlite_statement *statement = sqlite_use(db, pragma);
	int r = statement ? sqlite_row(db, statement) : STORE_UNAVAILABLE;
	if (r != 0)
		return error_origin(-EIO);
	*number = sqlite_take_i64(statement);
	sqlite_finish(statement);
	return 0;
}

/* One migration and its version number in one transaction: a crash leaves the version before or the
 * version after. */
static int run_migration(struct sqlite_store *db, size_t version)
{
	char number[120];
	sqlite3_snprintf(sizeof(number), number,
			 "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
			 APPLICATION_ID, (int)version);
	const char *const steps[] = {"BEGIN EXCLUSIVE", sqlite_migrations[version - 1], number};
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int code = sqlite3_exec(db->connection, steps[i], NULL, NULL, NULL);
		if (code != SQLITE_OK) {
			log_error("store cannot migrate version=%zu message=\"%s\"", version,
				  sqlite3_errmsg(db->connection));
			sqlite3_exec(db->connection, "ROLLBACK", NULL, NULL, NULL);
			return error_origin((code & 0xff) == SQLITE_FULL ? -ENOSPC : -EIO);
		}
	}
	return 0;
}

int sqlite_migrate(struct sqlite_store *db)
{
	int64_t version, application;
	int r = read_number(db, "PRAGMA user_version", &version);
	if (r == 0)
		r = read_number(db, "PRAGMA application_id", &application);
	if (r < 0)
		return r;
	bool foreign = version > 0 && application != APPLICATION_ID;
	if (foreign || version < 0 || (size_t)version > n_sqlite_migrations) {
		log_error("the database is not of this version of Croft version=%d", (int)version);
		return error_origin(-EUCLEAN);
	}
	for (size_t next = (size_t)version + 1; r == 0 && next <= n_sqlite_migrations; next++)
		r = run_migration(db, next);
	return r;
}
