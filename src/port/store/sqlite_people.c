#include "base/error.h"
#include "port/store/people.h"
#include "port/store/sqlite.h"
#include "port/store/sqlite_key.h"

#include <errno.h>

/* ---- users ---- */

static int user_by(struct sqlite_store *db, const char *sql, struct text name, struct uuid *user)
{
	struct sqlite_statement *statement = sqlite_use(db, sql);
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_text(statement, name);
	int r = sqlite_row(db, statement);
	if (r == 0) {
		*user = sqlite_take_uuid(statement);
		sqlite_finish(statement);
	}
	return r;
}

static int user_by_subject(struct store *store, struct text subject, struct uuid *user)
{
	return user_by(sqlite_of(store), "SELECT id FROM users WHERE subject = ?", subject, user);
}

static int user_by_email(struct store *store, struct text email, struct uuid *user)
{
	return user_by(sqlite_of(store), "SELECT id FROM users WHERE email = ?", email, user);
}

static int user_invited(struct store *store, struct text email, struct uuid *user)
{
	return user_by(sqlite_of(store), "SELECT id FROM users WHERE email = ? AND subject IS NULL",
		       email, user);
}

static enum store_outcome bind_row(struct sqlite_store *db, struct uuid user, struct text subject)
{
	struct sqlite_statement *statement =
	    sqlite_use(db, "UPDATE users SET subject = ? WHERE id = ? AND subject IS NULL");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_text(statement, subject);
	sqlite_put_uuid(statement, user);
	enum store_outcome outcome = sqlite_execute_on_row(db, statement);
	return outcome == STORE_NOT_FOUND || outcome == STORE_EXISTS ? STORE_CONFLICT : outcome;
}

static void user_bind(struct store *store, struct uuid user, struct text subject,
		      struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, bind_row(db, user, subject));
}

static enum store_outcome insert_user(struct sqlite_store *db, const struct store_member *row)
{
	struct sqlite_statement *statement = sqlite_use(
	    db, "INSERT INTO users (id, subject, email, created_ms) VALUES (?, ?, ?, ?)");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, row->user);
	sqlite_put_text_or_null(statement, row->subject);
	sqlite_put_text_or_null(statement, row->email);
	sqlite_put_i64(statement, row->created_ms);
	return sqlite_execute(db, statement);
}

/* The id of the user of that subject, else of that e-mail; makes the user where there is none. */
static enum store_outcome user_of(struct sqlite_store *db, const struct store_member *row,
				  struct uuid *user)
{
	int r = STORE_NOT_FOUND;
	if (row->subject.size > 0)
		r = user_by(db, "SELECT id FROM users WHERE subject = ?", row->subject, user);
	if (r == STORE_NOT_FOUND && row->email.size > 0)
		r = user_by(db, "SELECT id FROM users WHERE email = ?", row->email, user);
	if (r != STORE_NOT_FOUND)
		return (enum store_outcome)r;
	*user = row->user;
	return insert_user(db, row);
}

/* ---- members ---- */

#define MEMBER_COLUMNS "u.id, m.workspace, u.subject, u.email, m.role, m.created_ms"
#define MEMBER_TABLES  " FROM members m JOIN users u ON u.id = m.user "

static int take_member(struct sqlite_statement *statement, struct arena *arena,
		       struct store_member *row)
{
	int r = 0;
	*row = (struct store_member){
	    .user = sqlite_take_uuid(statement),
	    .workspace = sqlite_take_uuid(statement),
	    .subject = sqlite_take_text(statement, arena, &r),
	    .email = sqlite_take_text(statement, arena, &r),
	    .role = (enum tenant_role)sqlite_take_i64(statement),
	    .created_ms = sqlite_take_i64(statement),
	};
	return r;
}

static enum store_outcome insert_membership(struct sqlite_store *db, const struct store_member *row)
{
	struct uuid user;
	enum store_outcome outcome = user_of(db, row, &user);
	if (outcome != STORE_DONE)
		return outcome;
	struct sqlite_statement *statement = sqlite_use(
	    db, "INSERT INTO members (workspace, user, role, created_ms) VALUES (?, ?, ?, ?)");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, row->workspace);
	sqlite_put_uuid(statement, user);
	sqlite_put_i64(statement, row->role);
	sqlite_put_i64(statement, row->created_ms);
	return sqlite_execute(db, statement);
}

static void member_insert(struct store *store, const struct store_member *row,
			  const struct store_replay *replay, struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (!sqlite_write_begin(db, write))
		return;
	enum store_outcome outcome = sqlite_replay_insert(db, replay);
	if (outcome == STORE_DONE)
		outcome = insert_membership(db, row);
	sqlite_write_end(db, write, outcome);
}

static int member_get(struct store *store, struct uuid workspace, struct uuid user,
		      struct arena *arena, struct store_member *row)
{
	struct sqlite_store *db = sqlite_of(store);
	struct sqlite_statement *statement = sqlite_use(db, "SELECT " MEMBER_COLUMNS MEMBER_TABLES
							    "WHERE m.workspace = ? AND m.user = ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, workspace);
	sqlite_put_uuid(statement, user);
	int r = sqlite_row(db, statement);
	if (r == 0) {
		r = take_member(statement, arena, row);
		sqlite_finish(statement);
	}
	return r;
}

static int member_list(struct store *store, struct uuid workspace, struct uuid after, size_t limit,
		       struct arena *arena, struct store_member **rows, size_t *count)
{
	struct sqlite_store *db = sqlite_of(store);
	struct store_member *found = sqlite_rows(arena, limit, sizeof(*found));
	if (!found)
		return error_origin(-ENOMEM);
	struct sqlite_statement *statement =
	    sqlite_use(db, "SELECT " MEMBER_COLUMNS MEMBER_TABLES
			   "WHERE m.workspace = ? AND m.user > ? ORDER BY m.user LIMIT ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, workspace);
	sqlite_put_uuid(statement, after);
	sqlite_put_i64(statement, (int64_t)limit);
	size_t n = 0;
	int r = 0;
	while (n < limit && (r = sqlite_row(db, statement)) == 0 &&
	       (r = take_member(statement, arena, &found[n])) == 0)
		n++;
	sqlite_finish(statement);
	if (r != 0 && r != STORE_NOT_FOUND)
		return r;
	*rows = found;
	*count = n;
	return 0;
}

/* True if the workspace keeps an owner when this member stops being one. */
#define KEEPS_AN_OWNER                                                                             \
	" (role <> 5 OR EXISTS (SELECT 1 FROM members o WHERE o.workspace = members.workspace"     \
	" AND o.role = 5 AND o.user <> members.user))"
_Static_assert(TENANT_OWNER == 5, "the SQL above names it by number");

static enum store_outcome why_not_changed(struct sqlite_store *db, struct uuid workspace,
					  struct uuid user)
{
	struct sqlite_statement *statement =
	    sqlite_use(db, "SELECT 1 FROM members WHERE workspace = ? AND user = ?");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_uuid(statement, workspace);
	sqlite_put_uuid(statement, user);
	int r = sqlite_row(db, statement);
	if (r == 0)
		sqlite_finish(statement);
	return r == 0 ? STORE_CONFLICT : (enum store_outcome)r;
}

static enum store_outcome run_on_member(struct sqlite_store *db, struct sqlite_statement *statement,
					struct uuid workspace, struct uuid user)
{
	sqlite_put_uuid(statement, workspace);
	sqlite_put_uuid(statement, user);
	enum store_outcome outcome = sqlite_execute_on_row(db, statement);
	return outcome == STORE_NOT_FOUND ? why_not_changed(db, workspace, user) : outcome;
}

static enum store_outcome update_member(struct sqlite_store *db, struct uuid workspace,
					struct uuid user, enum tenant_role role)
{
	struct sqlite_statement *statement =
	    sqlite_use(db, "UPDATE members SET role = ?1 WHERE workspace = ?2 AND user = ?3 AND"
			   " (?1 = 5 OR" KEEPS_AN_OWNER ")");
	if (!statement)
		return STORE_UNAVAILABLE;
	sqlite_put_i64(statement, role);
	return run_on_member(db, statement, workspace, user);
}

static void member_update(struct store *store, struct uuid workspace, struct uuid user,
			  enum tenant_role role, struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, update_member(db, workspace, user, role));
}

static enum store_outcome remove_member(struct sqlite_store *db, struct uuid workspace,
					struct uuid user)
{
	struct sqlite_statement *statement = sqlite_use(
	    db, "DELETE FROM members WHERE workspace = ? AND user = ? AND" KEEPS_AN_OWNER);
	return statement ? run_on_member(db, statement, workspace, user) : STORE_UNAVAILABLE;
}

static void member_remove(struct store *store, struct uuid workspace, struct uuid user,
			  struct store_write *write)
{
	struct sqlite_store *db = sqlite_of(store);
	if (sqlite_write_begin(db, write))
		sqlite_write_end(db, write, remove_member(db, workspace, user));
}

const struct store_people sqlite_people = {
    .user_by_subject = user_by_subject,
    .user_by_email = user_by_email,
    .user_invited = user_invited,
    .user_bind = user_bind,
    .member_insert = member_insert,
    .member_get = member_get,
    .member_list = member_list,
    .member_update = member_update,
    .member_remove = member_remove,
    .key_insert = sqlite_key_insert,
    .key_get = sqlite_key_get,
    .key_list = sqlite_key_list,
    .key_revoke = sqlite_key_revoke,
};
