#include "base/error.h"
#include "base/log.h"
#include "port/store/sqlite.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static struct bytes key_of(const char *const *sql)
{
	return (struct bytes){(const uint8_t *)sql, sizeof(*sql)};
}

static struct sqlite_statement *prepare(struct sqlite_store *db, const char *sql)
{
	struct sqlite_statement *statement = calloc(1, sizeof(*statement));
	if (!statement)
		return NULL;
	statement->sql = sql;
	int code = sqlite3_prepare_v3(db->connection, sql, -1, SQLITE_PREPARE_PERSISTENT,
				      &statement->prepared, NULL);
	if (code == SQLITE_OK &&
	    map_insert(&db->statements, &statement->node, key_of(&statement->sql)) == 0)
		return statement;
	log_error("store cannot prepare sql=\"%s\" message=\"%s\"", sql,
		  sqlite3_errmsg(db->connection));
	sqlite3_finalize(statement->prepared);
	free(statement);
	return NULL;
}

struct sqlite_statement *sqlite_use(struct sqlite_store *db, const char *sql)
{
	struct sqlite_statement *statement =
	    map_object(&db->statements, key_of(&sql), struct sqlite_statement, node);
	if (!statement)
		statement = prepare(db, sql);
	if (!statement)
		return NULL;
	assert(!sqlite3_stmt_busy(statement->prepared));
	statement->parameter = 0;
	statement->column = 0;
	return statement;
}

void sqlite_put_bytes(struct sqlite_statement *statement, struct bytes bytes)
{
	sqlite3_bind_blob64(statement->prepared, ++statement->parameter,
			    bytes.size ? (const void *)bytes.data : "", bytes.size, SQLITE_STATIC);
}

void sqlite_put_uuid(struct sqlite_statement *statement, struct uuid uuid)
{
	sqlite3_bind_blob(statement->prepared, ++statement->parameter, uuid.b, sizeof(uuid.b),
			  SQLITE_TRANSIENT);
}

void sqlite_put_uuid_or_null(struct sqlite_statement *statement, struct uuid uuid)
{
	if (uuid_is_zero(uuid))
		sqlite3_bind_null(statement->prepared, ++statement->parameter);
	else
		sqlite_put_uuid(statement, uuid);
}

void sqlite_put_text(struct sqlite_statement *statement, struct text text)
{
	sqlite3_bind_text64(statement->prepared, ++statement->parameter, text.size ? text.data : "",
			    text.size, SQLITE_STATIC, SQLITE_UTF8);
}

void sqlite_put_text_or_null(struct sqlite_statement *statement, struct text text)
{
	if (text.size == 0)
		sqlite3_bind_null(statement->prepared, ++statement->parameter);
	else
		sqlite_put_text(statement, text);
}

void sqlite_put_i64(struct sqlite_statement *statement, int64_t number)
{
	sqlite3_bind_int64(statement->prepared, ++statement->parameter, number);
}

/* What the library says, as an outcome; failures that no caller expects leave a line in the log. */
static enum store_outcome outcome_of_step(struct sqlite_store *db, int code)
{
	switch (code & 0xff) {
	case SQLITE_DONE:
	case SQLITE_ROW:
		return STORE_DONE;
	case SQLITE_CONSTRAINT:
		if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
			return STORE_EXISTS;
		return code == SQLITE_CONSTRAINT_FOREIGNKEY ? STORE_NOT_FOUND : STORE_CONFLICT;
	case SQLITE_FULL:
		return STORE_NO_SPACE;
	default:
		log_error("store failed code=%d message=\"%s\"", code,
			  sqlite3_errmsg(db->connection));
		return STORE_UNAVAILABLE;
	}
}

void sqlite_finish(struct sqlite_statement *statement)
{
	sqlite3_reset(statement->prepared);
	sqlite3_clear_bindings(statement->prepared);
}

int sqlite_row(struct sqlite_store *db, struct sqlite_statement *statement)
{
	statement->column = 0;
	int code = sqlite3_step(statement->prepared);
	if (code == SQLITE_ROW)
		return 0;
	enum store_outcome outcome = outcome_of_step(db, code);
	sqlite_finish(statement);
	return outcome == STORE_DONE ? STORE_NOT_FOUND : (int)outcome;
}

enum store_outcome sqlite_execute(struct sqlite_store *db, struct sqlite_statement *statement)
{
	enum store_outcome outcome = outcome_of_step(db, sqlite3_step(statement->prepared));
	sqlite_finish(statement);
	return outcome;
}

size_t sqlite_changed(const struct sqlite_store *db)
{
	return (size_t)sqlite3_changes64(db->connection);
}

enum store_outcome sqlite_execute_on_row(struct sqlite_store *db,
					 struct sqlite_statement *statement)
{
	enum store_outcome outcome = sqlite_execute(db, statement);
	return outcome == STORE_DONE && sqlite_changed(db) == 0 ? STORE_NOT_FOUND : outcome;
}

struct uuid sqlite_take_uuid(struct sqlite_statement *statement)
{
	struct uuid uuid = {0};
	const void *blob = sqlite3_column_blob(statement->prepared, statement->column);
	if (blob &&
	    sqlite3_column_bytes(statement->prepared, statement->column) == (int)sizeof(uuid.b))
		memcpy(uuid.b, blob, sizeof(uuid.b));
	statement->column++;
	return uuid;
}

int64_t sqlite_take_i64(struct sqlite_statement *statement)
{
	return sqlite3_column_int64(statement->prepared, statement->column++);
}

struct bytes sqlite_take_bytes(struct sqlite_statement *statement, struct arena *arena, int *failed)
{
	const void *blob = sqlite3_column_blob(statement->prepared, statement->column);
	size_t size = (size_t)sqlite3_column_bytes(statement->prepared, statement->column++);
	struct text copy = arena_text(arena, (struct text){blob, blob ? size : 0});
	if (!copy.data)
		*failed = error_origin(-ENOMEM);
	return text_bytes(copy);
}

struct text sqlite_take_text(struct sqlite_statement *statement, struct arena *arena, int *failed)
{
	return bytes_text(sqlite_take_bytes(statement, arena, failed));
}

void *sqlite_rows(struct arena *arena, size_t limit, size_t row_size)
{
	return arena_alloc(arena, limit * row_size);
}
