#include "base/error.h"
#include "port/store/projects.h"
#include "port/store/sqlite.h"

#include <errno.h>

#define COLUMNS                                                                                    \
	"id, workspace, state, name, template, runtime_class, tier, region, env, policy, "         \
	"created_ms, updated_ms"

static int take(struct sqlite_statement *statement, struct arena *arena, struct store_project *row)
{
	int r = 0;
	*row = (struct store_project){
	    .id = sqlite_take_uuid(statement),
	    .workspace = sqlite_take_uuid(statement),
	    .state = (enum store_project_state)sqlite_take_i64(statement),
	    .name = sqlite_take_text(statement, arena, &r),
	    .template = sqlite_take_text(statement, arena, &r),
	    .runtime_class = sqlite_take_text(statement, arena, &r),
	    .tier = sqlite_take_text(statement, arena, &r),
	    .region = sqlite_take_text(statement, arena, &r),
	    .env = sqlite_take_text(statement, arena, &r),
	    .policy = sqlite_take_text(statement, arena, &r),
	    .created_ms = sqlite_take_i64(statement),
	    .updated_ms = sqlite_take_i64(statement),
	};
	return r;
}

static void put_changeable(struct sqlite_statement *statement, const struct store_project *row)
{
	sqlite_put_text(statement, row->name);
	sqlite_put_text(statement, row->template);
	sqlite_put_text(statement, row->runtime_class);
	sqlite_put_text(statement, row->tier);
	sqlite_put_text(statement, row->region);
	sqlite_put_text(statement, row->env);
	sqlite_put_text(statement, row->policy);
	sqlite_put_i64(statement, row->updated_ms);
}

static enum store_outcome insert_row(struct sqlite_store *db, const struct store_project *row)
{
	struct sqlite_statement *statement = sqlite_use(
	    db, "INSERT INTO projects (name, template, runtime_class, tier, region, env, policy,"
		" updated_ms, id, workspace, state, created_ms)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	if (!statement)
		return STORE_UNAVAILABLE;
	put_changeable(statement, row);
	sqlite_put_uuid(statement, row->id);
	sqlite_put_uuid(statement, row->workspace);
	sqlite_put_i64(statement, STORE_PROJECT_ACTIVE);
	sqlite_put_i64(statement, row->created_ms);
	return sqlite_execute(db, statement);
}

static void insert(struct store *store, const struct store_project *row,
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

static int get(struct store *store, struct uuid id, struct arena *arena, struct store_project *row)
{
	struct sqlite_store *db = sqlite_of(store);
	struct sqlite_statement *statement =
	    sqlite_use(db, "SELECT " COLUMNS " FROM projects WHERE id = ?");
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

static int list(struct store *store, struct uuid workspace, struct uuid after, size_t limit,
		struct arena *arena, struct store_project **rows, size_t *count)
{
	struct sqlite_store *db = sqlite_of(store);
	struct store_project *found = sqlite_rows(arena, limit, sizeof(*found));
	if (!found)
		return error_origin(-ENOMEM);
	struct sqlite_statement *statement = sqlite_use(
	    db, "SELECT " COLUMNS " FROM projects WHERE workspace = ? AND id > ? AND state = 0"
		" ORDER BY id LIMIT ?");
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

/* A project that is not active is there and refuses; one that is not there is not found. */
static enum store_outcome why_not_changed(struct sqlite_store *db, struct uuid id)
{
	struct sqlite_statement *statement = sqlite_use(db, "SELECT 1 FROM projects WHERE id = ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, id);
	int r = sqlite_row(db, statement);
	if (r == 0)
		sqlite_finish(statement);
	return r == 0 ? STORE_CONFLICT : (enum store_outcome)r;
}

static enum store_outcome update_row(struct sqlite_store *db, const struct store_project *row)
{
	struct sqlite_statement *statement = sqlite_use(
	    db,
	    "UPDATE projects SET name = ?, template = ?, runtime_class = ?, tier = ?, region = ?,"
	    " env = ?, policy = ?, updated_ms = ? WHERE id = ? AND state = 0");
	if (!statement)
		return STORE_UNAVAILABLE;
	put_changeable(statement, row);
	sqlite_put_uuid(statement, row->id);
	enum store_outcome outcome = sqlite_execute_on_row(db, statement);
	return outcome == STORE_NOT_FOUND ? why_not_changed(db, row->id) : outcome;
}

static void update(struct store *store, const struct store_project *row, struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, update_row(db, row));
}

static enum store_outcome retire_row(struct sqlite_store *db, struct uuid id, int64_t now_ms)
{
	struct sqlite_statement *statement = sqlite_use(
	    db, "UPDATE projects SET state = 1, updated_ms = ? WHERE id = ? AND state = 0");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_i64(statement, now_ms);
	sqlite_put_uuid(statement, id);
	enum store_outcome outcome = sqlite_execute_on_row(db, statement);
	return outcome == STORE_NOT_FOUND ? why_not_changed(db, id) : outcome;
}

static void retire(struct store *store, struct uuid id, int64_t now_ms, struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, retire_row(db, id, now_ms));
}

static int list_deleting(struct store *store, struct arena *arena, struct uuid **ids, size_t *count)
{
	struct sqlite_store *db = sqlite_of(store);
	struct uuid *found = sqlite_rows(arena, STORE_PAGE_LIMIT, sizeof(*found));
	if (!found)
		return error_origin(-ENOMEM);
	struct sqlite_statement *statement =
	    sqlite_use(db, "SELECT id FROM projects WHERE state = 1 ORDER BY id LIMIT ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_i64(statement, STORE_PAGE_LIMIT);
	size_t n = 0;
	int r = 0;
	while (n < STORE_PAGE_LIMIT && (r = sqlite_row(db, statement)) == 0)
		found[n++] = sqlite_take_uuid(statement);
	sqlite_finish(statement);
	if (r != 0 && r != STORE_NOT_FOUND)
		return r;
	*ids = found;
	*count = n;
	return 0;
}

static enum store_outcome remove_row(struct sqlite_store *db, struct uuid id)
{
	struct sqlite_statement *statement =
	    sqlite_use(db, "DELETE FROM projects WHERE id = ? AND state = 1");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, id);
	return sqlite_execute_on_row(db, statement);
}

static void remove_project(struct store *store, struct uuid id, struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, remove_row(db, id));
}

const struct store_projects sqlite_projects = {
    .insert = insert,
    .get = get,
    .list = list,
    .update = update,
    .retire = retire,
    .list_deleting = list_deleting,
    .remove = remove_project,
};
