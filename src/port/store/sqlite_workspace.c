#include "base/error.h"
#include "port/store/sqlite.h"
#include "port/store/workspaces.h"

#include <errno.h>

#define COLUMNS "w.id, w.name, w.tier, w.region, w.created_ms, w.updated_ms"

static int take(struct sqlite_statement *statement, struct arena *arena,
		struct store_workspace *row)
{
	int r = 0;
	*row = (struct store_workspace){
	    .id = sqlite_take_uuid(statement),
	    .name = sqlite_take_text(statement, arena, &r),
	    .tier = sqlite_take_text(statement, arena, &r),
	    .region = sqlite_take_text(statement, arena, &r),
	    .created_ms = sqlite_take_i64(statement),
	    .updated_ms = sqlite_take_i64(statement),
	};
	return r;
}

/* ---- replays ---- */

enum store_outcome sqlite_replay_insert(struct sqlite_store *db, const struct store_replay *replay)
{
	if (!replay)
		return STORE_DONE;
	struct sqlite_statement *statement = sqlite_use(
	    db,
	    "INSERT INTO replays (caller, key, digest, object, created_ms) VALUES (?, ?, ?, ?, ?)");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_text(statement, replay->caller);
	sqlite_put_text(statement, replay->key);
	sqlite_put_bytes(statement, (struct bytes){replay->digest, sizeof(replay->digest)});
	sqlite_put_uuid(statement, replay->object);
	sqlite_put_i64(statement, replay->created_ms);
	return sqlite_execute(db, statement);
}

static int replay(struct store *store, struct text caller, struct text key,
		  struct store_replay *out)
{
	struct sqlite_store *db = sqlite_of(store);
	struct arena arena ATTR_ARENA = {0};
	struct store_replay found = {0};
	struct sqlite_statement *statement = sqlite_use(
	    db, "SELECT object, created_ms, digest FROM replays WHERE caller = ? AND key = ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_text(statement, caller);
	sqlite_put_text(statement, key);
	int r = sqlite_row(db, statement);
	if (r != 0)
		return r;
	found.object = sqlite_take_uuid(statement);
	found.created_ms = sqlite_take_i64(statement);
	struct bytes digest = sqlite_take_bytes(statement, &arena, &r);
	sqlite_finish(statement);
	if (r == 0 && digest.size != sizeof(found.digest))
		return STORE_UNAVAILABLE;
	if (r == 0) {
		memcpy(found.digest, digest.data, digest.size);
		*out = found;
	}
	return r;
}

static enum store_outcome expire_replays(struct sqlite_store *db, int64_t before_ms)
{
	struct sqlite_statement *statement =
	    sqlite_use(db, "DELETE FROM replays WHERE created_ms < ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_i64(statement, before_ms);
	return sqlite_execute(db, statement);
}

static void replay_expire(struct store *store, int64_t before_ms, struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, expire_replays(db, before_ms));
}

/* ---- workspaces ---- */

static enum store_outcome insert_row(struct sqlite_store *db, const struct store_workspace *row)
{
	struct sqlite_statement *statement =
	    sqlite_use(db, "INSERT INTO workspaces (id, name, tier, region, created_ms, updated_ms)"
			   " VALUES (?, ?, ?, ?, ?, ?)");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, row->id);
	sqlite_put_text(statement, row->name);
	sqlite_put_text(statement, row->tier);
	sqlite_put_text(statement, row->region);
	sqlite_put_i64(statement, row->created_ms);
	sqlite_put_i64(statement, row->updated_ms);
	return sqlite_execute(db, statement);
}

static void insert(struct store *store, const struct store_workspace *row,
		   const struct store_replay *replayed, struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (!sqlite_write_begin(db, write))
		return;
	enum store_outcome outcome = sqlite_replay_insert(db, replayed);
	if (outcome == STORE_DONE)
		outcome = insert_row(db, row);
	sqlite_write_end(db, write, outcome);
}

static int get(struct store *store, struct uuid id, struct arena *arena,
	       struct store_workspace *row)
{
	struct sqlite_store *db = sqlite_of(store);
	struct sqlite_statement *statement =
	    sqlite_use(db, "SELECT " COLUMNS " FROM workspaces w WHERE w.id = ?");
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

static struct sqlite_statement *select_list(struct sqlite_store *db, struct uuid user)
{
	struct sqlite_statement *statement;
	if (uuid_is_zero(user))
		return sqlite_use(db, "SELECT " COLUMNS
				      " FROM workspaces w WHERE w.id > ? ORDER BY w.id LIMIT ?");
	statement = sqlite_use(
	    db, "SELECT " COLUMNS " FROM members m JOIN workspaces w ON w.id = m.workspace"
		" WHERE m.user = ? AND m.workspace > ? ORDER BY m.workspace LIMIT ?");
	if (statement)
		sqlite_put_uuid(statement, user);
	return statement;
}

static int list(struct store *store, struct uuid user, struct uuid after, size_t limit,
		struct arena *arena, struct store_workspace **rows, size_t *count)
{
	struct sqlite_store *db = sqlite_of(store);
	struct store_workspace *found = sqlite_rows(arena, limit, sizeof(*found));
	struct sqlite_statement *statement = found ? select_list(db, user) : NULL;
	size_t n = 0;
	int r = 0;
	if (!statement)
		return found ? STORE_UNAVAILABLE : error_origin(-ENOMEM);
	sqlite_put_uuid(statement, after);
	sqlite_put_i64(statement, (int64_t)limit);
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

static enum store_outcome update_row(struct sqlite_store *db, const struct store_workspace *row)
{
	struct sqlite_statement *statement = sqlite_use(
	    db,
	    "UPDATE workspaces SET name = ?, tier = ?, region = ?, updated_ms = ? WHERE id = ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_text(statement, row->name);
	sqlite_put_text(statement, row->tier);
	sqlite_put_text(statement, row->region);
	sqlite_put_i64(statement, row->updated_ms);
	sqlite_put_uuid(statement, row->id);
	return sqlite_execute_on_row(db, statement);
}

static void update(struct store *store, const struct store_workspace *row,
		   struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, update_row(db, row));
}

/* The projects' foreign key refuses while there are any: as "not found", which here means that rows
 * still point at it. */
static enum store_outcome remove_row(struct sqlite_store *db, struct uuid id)
{
	struct sqlite_statement *statement = sqlite_use(db, "DELETE FROM workspaces WHERE id = ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, id);
	enum store_outcome outcome = sqlite_execute(db, statement);
	if (outcome == STORE_NOT_FOUND)
		return STORE_CONFLICT;
	return outcome == STORE_DONE && sqlite_changed(db) == 0 ? STORE_NOT_FOUND : outcome;
}

static void remove_workspace(struct store *store, struct uuid id, struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, remove_row(db, id));
}

/* ---- usage ---- */

static int usage(struct store *store, struct uuid id, struct store_usage *out)
{
	struct sqlite_store *db = sqlite_of(store);
	struct sqlite_statement *statement = sqlite_use(
	    db, "SELECT used_operations, used_cpu_us, used_memory, used_stored, used_sent"
		" FROM workspaces WHERE id = ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, id);
	int r = sqlite_row(db, statement);
	if (r != 0)
		return r;
	*out = (struct store_usage){
	    .operations = (uint64_t)sqlite_take_i64(statement),
	    .cpu_us = (uint64_t)sqlite_take_i64(statement),
	    .memory_byte_seconds = (uint64_t)sqlite_take_i64(statement),
	    .stored_bytes = (uint64_t)sqlite_take_i64(statement),
	    .sent_bytes = (uint64_t)sqlite_take_i64(statement),
	};
	sqlite_finish(statement);
	return 0;
}

enum store_outcome sqlite_usage_add(struct sqlite_store *db, struct uuid workspace,
				    const struct store_usage *more)
{
	struct sqlite_statement *statement = sqlite_use(
	    db, "UPDATE workspaces SET used_operations = used_operations + ?,"
		" used_cpu_us = used_cpu_us + ?, used_memory = used_memory + ?,"
		" used_stored = used_stored + ?, used_sent = used_sent + ? WHERE id = ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_i64(statement, (int64_t)more->operations);
	sqlite_put_i64(statement, (int64_t)more->cpu_us);
	sqlite_put_i64(statement, (int64_t)more->memory_byte_seconds);
	sqlite_put_i64(statement, (int64_t)more->stored_bytes);
	sqlite_put_i64(statement, (int64_t)more->sent_bytes);
	sqlite_put_uuid(statement, workspace);
	return sqlite_execute_on_row(db, statement);
}

static void usage_add(struct store *store, struct uuid id, const struct store_usage *more,
		      struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, sqlite_usage_add(db, id, more));
}

const struct store_workspaces sqlite_workspaces = {
    .insert = insert,
    .get = get,
    .list = list,
    .update = update,
    .remove = remove_workspace,
    .usage = usage,
    .usage_add = usage_add,
    .replay = replay,
    .replay_expire = replay_expire,
};
