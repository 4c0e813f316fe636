#include "base/error.h"
#include "port/store/operations.h"
#include "port/store/sqlite.h"
#include "port/store/workspaces.h"

#include <errno.h>

/* Rows that are not told are few and asked for at each start: the partial index holds only them. */
const char sqlite_operation_schema[] =
    "CREATE TABLE operations (id BLOB PRIMARY KEY, workspace BLOB NOT NULL, project BLOB NOT NULL,"
    " state INTEGER NOT NULL, kind INTEGER NOT NULL, ephemeral INTEGER NOT NULL, worker BLOB,"
    " correlation TEXT NOT NULL, actor_type TEXT NOT NULL, actor TEXT NOT NULL, position INTEGER "
    "NOT NULL,"
    " timeout_ms INTEGER NOT NULL, created_ms INTEGER NOT NULL,"
    " started_ms INTEGER NOT NULL DEFAULT 0, ended_ms INTEGER NOT NULL DEFAULT 0, runtime BLOB,"
    " outcome INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT '', cpu_us INTEGER NOT NULL "
    "DEFAULT 0,"
    " memory_peak INTEGER NOT NULL DEFAULT 0, output INTEGER NOT NULL DEFAULT 0,"
    " written INTEGER NOT NULL DEFAULT 0, input TEXT NOT NULL, result TEXT NOT NULL DEFAULT '') "
    "STRICT;"
    "CREATE INDEX operations_project ON operations (project, id);"
    "CREATE INDEX operations_untold ON operations (id) WHERE state < 2;"
    "CREATE INDEX operations_ended ON operations (ended_ms) WHERE state = 2;";

#define SMALL_COLUMNS                                                                              \
	"id, workspace, project, state, kind, ephemeral, worker, correlation, actor_type, actor, " \
	"position, timeout_ms, created_ms, started_ms, ended_ms, runtime, outcome, detail, "       \
	"cpu_us, "                                                                                 \
	"memory_peak, output, written"
#define COLUMNS SMALL_COLUMNS ", input, result"

static bool is_valid(const struct store_operation *row)
{
	return (unsigned)row->kind < OPERATION_KINDS && (unsigned)row->outcome < OUTCOMES &&
	       (unsigned)row->state <= STORE_OPERATION_TOLD;
}

static int take_small(struct sqlite_statement *statement, struct arena *arena,
		      struct store_operation *row)
{
	int r = 0;
	*row = (struct store_operation){
	    .id = sqlite_take_uuid(statement),
	    .workspace = sqlite_take_uuid(statement),
	    .project = sqlite_take_uuid(statement),
	    .state = (enum store_operation_state)sqlite_take_i64(statement),
	    .kind = (enum operation_kind)sqlite_take_i64(statement),
	    .ephemeral = sqlite_take_i64(statement) != 0,
	    .worker = sqlite_take_uuid(statement),
	    .correlation = sqlite_take_text(statement, arena, &r),
	    .actor_type = sqlite_take_text(statement, arena, &r),
	    .actor = sqlite_take_text(statement, arena, &r),
	    .position = (uint32_t)sqlite_take_i64(statement),
	    .timeout_ms = (uint64_t)sqlite_take_i64(statement),
	    .created_ms = sqlite_take_i64(statement),
	    .started_ms = sqlite_take_i64(statement),
	    .ended_ms = sqlite_take_i64(statement),
	    .runtime = sqlite_take_uuid(statement),
	    .outcome = (enum outcome)sqlite_take_i64(statement),
	    .detail = sqlite_take_text(statement, arena, &r),
	    .usage.cpu_us = (uint64_t)sqlite_take_i64(statement),
	    .usage.memory_peak_bytes = (uint64_t)sqlite_take_i64(statement),
	    .usage.output_bytes = (uint64_t)sqlite_take_i64(statement),
	    .usage.written_bytes = (uint64_t)sqlite_take_i64(statement),
	};
	return r == 0 && !is_valid(row) ? error_origin(-EUCLEAN) : r;
}

static int take(struct sqlite_statement *statement, struct arena *arena,
		struct store_operation *row)
{
	int r = take_small(statement, arena, row);
	if (r < 0)
		return r;
	row->input = sqlite_take_text(statement, arena, &r);
	row->result = sqlite_take_text(statement, arena, &r);
	return r;
}

/* ---- writes ---- */

static enum store_outcome insert_row(struct sqlite_store *db, const struct store_operation *row)
{
	struct sqlite_statement *statement = sqlite_use(
	    db, "INSERT INTO operations (id, workspace, project, state, kind, ephemeral, worker,"
		" correlation, actor_type, actor, position, timeout_ms, created_ms, input)"
		" VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, row->id);
	sqlite_put_uuid(statement, row->workspace);
	sqlite_put_uuid(statement, row->project);
	sqlite_put_i64(statement, row->kind);
	sqlite_put_i64(statement, row->ephemeral);
	sqlite_put_uuid_or_null(statement, row->worker);
	sqlite_put_text(statement, row->correlation);
	sqlite_put_text(statement, row->actor_type);
	sqlite_put_text(statement, row->actor);
	sqlite_put_i64(statement, row->position);
	sqlite_put_i64(statement, (int64_t)row->timeout_ms);
	sqlite_put_i64(statement, row->created_ms);
	sqlite_put_text(statement, row->input);
	return sqlite_execute(db, statement);
}

static void insert(struct store *store, const struct store_operation *row,
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

static enum store_outcome mark_row(struct sqlite_store *db, struct uuid id, struct uuid worker)
{
	struct sqlite_statement *statement =
	    sqlite_use(db, "UPDATE operations SET worker = ? WHERE id = ? AND state = 0");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, worker);
	sqlite_put_uuid(statement, id);
	return sqlite_execute_on_row(db, statement);
}

static void mark(struct store *store, struct uuid id, struct uuid worker, struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, mark_row(db, id, worker));
}

static enum store_outcome end_row(struct sqlite_store *db, const struct store_operation *row)
{
	struct sqlite_statement *statement = sqlite_use(
	    db, "UPDATE operations SET state = 1, started_ms = ?, ended_ms = ?, runtime = ?,"
		" outcome = ?, detail = ?, cpu_us = ?, memory_peak = ?, output = ?, written = ?,"
		" result = ? WHERE id = ? AND state = 0");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_i64(statement, row->started_ms);
	sqlite_put_i64(statement, row->ended_ms);
	sqlite_put_uuid_or_null(statement, row->runtime);
	sqlite_put_i64(statement, row->outcome);
	sqlite_put_text(statement, row->detail);
	sqlite_put_i64(statement, (int64_t)row->usage.cpu_us);
	sqlite_put_i64(statement, (int64_t)row->usage.memory_peak_bytes);
	sqlite_put_i64(statement, (int64_t)row->usage.output_bytes);
	sqlite_put_i64(statement, (int64_t)row->usage.written_bytes);
	sqlite_put_text(statement, row->result);
	sqlite_put_uuid(statement, row->id);
	enum store_outcome outcome = sqlite_execute_on_row(db, statement);
	return outcome == STORE_NOT_FOUND ? STORE_CONFLICT : outcome;
}

static void end(struct store *store, const struct store_operation *row,
		const struct store_usage *used, struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (!sqlite_write_begin(db, write))
		return;
	enum store_outcome outcome = end_row(db, row);
	if (outcome == STORE_DONE)
		outcome = sqlite_usage_add(db, row->workspace, used);
	if (outcome == STORE_NOT_FOUND) /* the workspace is gone; its operations still end */
		outcome = STORE_DONE;
	sqlite_write_end(db, write, outcome);
}

static enum store_outcome tell_row(struct sqlite_store *db, struct uuid id)
{
	struct sqlite_statement *statement =
	    sqlite_use(db, "UPDATE operations SET state = 2 WHERE id = ? AND state = 1");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, id);
	return sqlite_execute(db, statement);
}

static void tell(struct store *store, const struct uuid *ids, size_t count,
		 struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	enum store_outcome outcome = STORE_DONE;
	if (!sqlite_write_begin(db, write))
		return;
	for (size_t i = 0; i < count && outcome == STORE_DONE; i++)
		outcome = tell_row(db, ids[i]);
	sqlite_write_end(db, write, outcome);
}

static enum store_outcome purge_rows(struct sqlite_store *db, int64_t before_ms, size_t limit)
{
	struct sqlite_statement *statement = sqlite_use(
	    db,
	    "DELETE FROM operations WHERE rowid IN (SELECT rowid FROM operations WHERE state = 2"
	    " AND ended_ms < ? ORDER BY ended_ms LIMIT ?)");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_i64(statement, before_ms);
	sqlite_put_i64(statement, (int64_t)limit);
	return sqlite_execute(db, statement);
}

static void purge(struct store *store, int64_t before_ms, size_t limit, struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, purge_rows(db, before_ms, limit));
}

/* ---- reads ---- */

static int get(struct store *store, struct uuid id, struct arena *arena,
	       struct store_operation *row)
{
	struct sqlite_store *db = sqlite_of(store);
	struct sqlite_statement *statement =
	    sqlite_use(db, "SELECT " COLUMNS " FROM operations WHERE id = ?");
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

typedef int take_function(struct sqlite_statement *statement, struct arena *arena,
			  struct store_operation *row);

static int take_all(struct sqlite_store *db, struct sqlite_statement *statement,
		    take_function *take_row, size_t limit, struct arena *arena,
		    struct store_operation *found, size_t *count)
{
	size_t n = 0;
	int r = 0;
	while (n < limit && (r = sqlite_row(db, statement)) == 0 &&
	       (r = take_row(statement, arena, &found[n])) == 0)
		n++;
	sqlite_finish(statement);
	*count = n;
	return r == STORE_NOT_FOUND ? 0 : r;
}

static int list(struct store *store, struct uuid project, struct uuid before, size_t limit,
		struct arena *arena, struct store_operation **rows, size_t *count)
{
	struct sqlite_store *db = sqlite_of(store);
	struct uuid newest;
	memset(newest.b, 0xff, sizeof(newest.b));
	*rows = sqlite_rows(arena, limit, sizeof(**rows));
	if (!*rows)
		return error_origin(-ENOMEM);
	struct sqlite_statement *statement = sqlite_use(
	    db, "SELECT " COLUMNS
		" FROM operations WHERE project = ? AND id < ? ORDER BY id DESC LIMIT ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, project);
	sqlite_put_uuid(statement, uuid_is_zero(before) ? newest : before);
	sqlite_put_i64(statement, (int64_t)limit);
	return take_all(db, statement, take, limit, arena, *rows, count);
}

static int list_untold(struct store *store, struct uuid after, size_t limit, struct arena *arena,
		       struct store_operation **rows, size_t *count)
{
	struct sqlite_store *db = sqlite_of(store);
	*rows = sqlite_rows(arena, limit, sizeof(**rows));
	if (!*rows)
		return error_origin(-ENOMEM);
	struct sqlite_statement *statement =
	    sqlite_use(db, "SELECT " SMALL_COLUMNS
			   " FROM operations WHERE state < 2 AND id > ? ORDER BY id LIMIT ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, after);
	sqlite_put_i64(statement, (int64_t)limit);
	return take_all(db, statement, take_small, limit, arena, *rows, count);
}

const struct store_operations sqlite_operations = {
    .insert = insert,
    .mark = mark,
    .end = end,
    .tell = tell,
    .get = get,
    .list = list,
    .list_untold = list_untold,
    .purge = purge,
};
