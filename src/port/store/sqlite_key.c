#include "port/store/sqlite_key.h"

#include "base/error.h"
#include "port/store/sqlite.h"

#include <errno.h>

#define COLUMNS                                                                                    \
	"id, workspace, name, role, hash, projects, created_by, created_ms, expires_ms, "          \
	"revoked_ms"

/* The projects lie in one value, 16 bytes each: they are only ever read together. */
static int take(struct sqlite_statement *statement, struct arena *arena, struct store_key *row)
{
	int r = 0;
	struct store_key key = {
	    .id = sqlite_take_uuid(statement),
	    .workspace = sqlite_take_uuid(statement),
	    .name = sqlite_take_text(statement, arena, &r),
	    .role = (enum tenant_role)sqlite_take_i64(statement),
	};
	struct bytes hash = sqlite_take_bytes(statement, arena, &r);
	struct bytes projects = sqlite_take_bytes(statement, arena, &r);
	key.created_by = sqlite_take_text(statement, arena, &r);
	key.created_ms = sqlite_take_i64(statement);
	key.expires_ms = sqlite_take_i64(statement);
	key.revoked_ms = sqlite_take_i64(statement);
	if (r < 0)
		return r;
	if (hash.size != sizeof(key.hash) || projects.size % sizeof(struct uuid))
		return error_origin(-EUCLEAN);
	memcpy(key.hash, hash.data, hash.size);
	key.projects = (const struct uuid *)(const void *)projects.data;
	key.n_projects = projects.size / sizeof(struct uuid);
	*row = key;
	return 0;
}

static enum store_outcome insert_row(struct sqlite_store *db, const struct store_key *row)
{
	struct sqlite_statement *statement =
	    sqlite_use(db, "INSERT INTO keys (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, row->id);
	sqlite_put_uuid(statement, row->workspace);
	sqlite_put_text(statement, row->name);
	sqlite_put_i64(statement, row->role);
	sqlite_put_bytes(statement, (struct bytes){row->hash, sizeof(row->hash)});
	sqlite_put_bytes(statement, (struct bytes){(const void *)row->projects,
						   row->n_projects * sizeof(*row->projects)});
	sqlite_put_text(statement, row->created_by);
	sqlite_put_i64(statement, row->created_ms);
	sqlite_put_i64(statement, row->expires_ms);
	return sqlite_execute(db, statement);
}

void sqlite_key_insert(struct store *store, const struct store_key *row,
		       const struct store_replay *replay, struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (!sqlite_write_begin(db, write))
		return;
	enum store_outcome outcome = sqlite_replay_insert(db, replay);
	if (outcome == STORE_DONE)
		outcome = insert_row(db, row);
	sqlite_write_end(db, write, outcome);
}

int sqlite_key_get(struct store *store, struct uuid id, struct arena *arena, struct store_key *row)
{
	struct sqlite_store *db = sqlite_of(store);
	struct sqlite_statement *statement =
	    sqlite_use(db, "SELECT " COLUMNS " FROM keys WHERE id = ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, id);
	int r = sqlite_row(db, statement);
	if (r == 0) {
		r = take(statement, arena, row);
		sqlite_finish(statement);
	}
	return r;
}

int sqlite_key_list(struct store *store, struct uuid workspace, struct uuid after, size_t limit,
		    struct arena *arena, struct store_key **rows, size_t *count)
{
	struct sqlite_store *db = sqlite_of(store);
	struct store_key *found = sqlite_rows(arena, limit, sizeof(*found));
	if (!found)
		return error_origin(-ENOMEM);
	struct sqlite_statement *statement = sqlite_use(
	    db, "SELECT " COLUMNS " FROM keys WHERE workspace = ? AND id > ? ORDER BY id LIMIT ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, workspace);
	sqlite_put_uuid(statement, after);
	sqlite_put_i64(statement, (int64_t)limit);
	size_t n = 0;
	int r = 0;
	while (n < limit && (r = sqlite_row(db, statement)) == 0 &&
	       (r = take(statement, arena, &found[n])) == 0)
		n++;
	sqlite_finish(statement);
	if (r != 0 && r != STORE_NOT_FOUND)
		return r;
	*rows = found;
	*count = n;
	return 0;
}

static enum store_outcome revoke_row(struct sqlite_store *db, struct uuid workspace, struct uuid id,
				     int64_t now_ms)
{
	struct sqlite_statement *statement = sqlite_use(
	    db, "UPDATE keys SET revoked_ms = ? WHERE id = ? AND workspace = ? AND revoked_ms = 0");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_i64(statement, now_ms);
	sqlite_put_uuid(statement, id);
	sqlite_put_uuid(statement, workspace);
	return sqlite_execute_on_row(db, statement);
}

void sqlite_key_revoke(struct store *store, struct uuid workspace, struct uuid id, int64_t now_ms,
		       struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, revoke_row(db, workspace, id, now_ms));
}
