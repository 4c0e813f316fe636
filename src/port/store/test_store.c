/* What the contract in store.h promises, over the implementation that is named in open_store(). */
#include "base/clock.h"
#include "port/store/people.h"
#include "port/store/projects.h"
#include "port/store/sqlite.h"
#include "port/store/workspaces.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char folder[64];
	char path[80];
	struct loop *loop;
	struct store *store;
	struct arena arena;
	struct loop_timer idle; /* a loop without anything to watch takes no turns */
};

static void nothing(struct loop_timer *timer ATTR_UNUSED)
{
}

static void open_store(struct fixture *fixture)
{
	assert_int_equal(store_sqlite_open(fixture->path, fixture->loop, &fixture->store), 0);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	strcpy(fixture->folder, "/tmp/croft-store-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->path, sizeof(fixture->path), "%s/croft.db", fixture->folder);
	assert_int_equal(loop_new(&fixture->loop), 0);
	assert_int_equal(loop_timer_start(&fixture->idle, fixture->loop, 3600000, 0, nothing), 0);
	open_store(fixture);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char path[96];
	if (fixture->store)
		fixture->store->base->close(fixture->store);
	loop_timer_stop(&fixture->idle);
	loop_free(fixture->loop);
	arena_free(&fixture->arena);
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		snprintf(path, sizeof(path), "%s%s", fixture->path, suffixes[i]);
		unlink(path);
	}
	rmdir(fixture->folder);
	free(fixture);
	return 0;
}

static void reopen(struct fixture *fixture)
{
	fixture->store->base->close(fixture->store);
	open_store(fixture);
}

/* ---- writes whose end is waited for ---- */

struct told {
	struct store_write write;
	enum store_outcome outcome;
	int times;
};

static void on_written(struct store_write *write, enum store_outcome outcome)
{
	struct told *told = container_of(write, struct told, write);
	told->outcome = outcome;
	told->times++;
}

/* Those that are waited for are static: a failed assertion leaves the function before the end was
 * told. */
static struct store_write *expecting(struct told *told)
{
	*told = (struct told){.write = {.on_written = on_written}, .outcome = STORE_OUTCOMES};
	return &told->write;
}

static enum store_outcome outcome_of(struct fixture *fixture, struct told *told)
{
	assert_int_equal(told->times, 0); /* never from inside the call */
	loop_turn(fixture->loop);
	assert_int_equal(told->times, 1);
	return told->outcome;
}

static struct store_workspace workspace_row(const char *name)
{
	return (struct store_workspace){
	    .id = uuid_new(clock_wall_ms()),
	    .name = text_of(name),
	    .tier = TEXT("standard"),
	    .region = TEXT("local"),
	    .created_ms = 1000,
	    .updated_ms = 1000,
	};
}

static struct uuid add_workspace(struct fixture *fixture, const char *name)
{
	struct store_workspace row = workspace_row(name);
	static struct told told;
	fixture->store->workspaces->insert(fixture->store, &row, NULL, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_DONE);
	return row.id;
}

static bool has_workspace(struct fixture *fixture, struct uuid id)
{
	struct store_workspace row;
	int r = fixture->store->workspaces->get(fixture->store, id, &fixture->arena, &row);
	assert_true(r == 0 || r == STORE_NOT_FOUND);
	return r == 0;
}

/* ---- the contract ---- */

static void what_was_told_is_there_after_a_restart(void **state)
{
	struct fixture *fixture = *state;
	struct uuid id = add_workspace(fixture, "n\xc3\xa4me");
	struct store_workspace row;
	reopen(fixture);
	assert_int_equal(fixture->store->workspaces->get(fixture->store, id, &fixture->arena, &row),
			 0);
	assert_true(uuid_equal(row.id, id));
	assert_true(text_equal(row.name, TEXT("n\xc3\xa4me")));
	assert_int_equal(row.created_ms, 1000);
}

/* A child process writes, tells the end through a pipe, and is killed at once. */
static void what_was_told_survives_a_kill(void **state)
{
	struct fixture *fixture = *state;
	struct store_workspace row = workspace_row("survivor");
	int pipe_fds[2];
	fixture->store->base->close(fixture->store);
	fixture->store = NULL;
	assert_int_equal(pipe(pipe_fds), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct loop_timer idle = {0};
		struct loop *loop;
		struct store *store;
		static struct told told;
		if (loop_new(&loop) != 0 ||
		    loop_timer_start(&idle, loop, 3600000, 0, nothing) != 0 ||
		    store_sqlite_open(fixture->path, loop, &store) != 0)
			_exit(1);
		store->workspaces->insert(store, &row, NULL, expecting(&told));
		loop_turn(loop);
		if (told.times == 1 && told.outcome == STORE_DONE &&
		    write(pipe_fds[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	char byte;
	close(pipe_fds[1]);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(pipe_fds[0]);
	open_store(fixture);
	assert_true(has_workspace(fixture, row.id));
}

static void one_refused_write_takes_nothing_down(void **state)
{
	struct fixture *fixture = *state;
	const struct store_workspaces *workspaces = fixture->store->workspaces;
	struct store_workspace first = workspace_row("first"), last = workspace_row("last");
	static struct told told[3];
	workspaces->insert(fixture->store, &first, NULL, expecting(&told[0]));
	workspaces->insert(fixture->store, &first, NULL, expecting(&told[1]));
	workspaces->insert(fixture->store, &last, NULL, expecting(&told[2]));
	assert_int_equal(outcome_of(fixture, &told[0]), STORE_DONE);
	assert_int_equal(told[1].outcome, STORE_EXISTS);
	assert_int_equal(told[2].outcome, STORE_DONE);
	reopen(fixture);
	assert_true(has_workspace(fixture, first.id) && has_workspace(fixture, last.id));
}

static void a_detached_write_is_made_and_not_told(void **state)
{
	struct fixture *fixture = *state;
	struct store_workspace row = workspace_row("detached");
	static struct told told;
	fixture->store->workspaces->insert(fixture->store, &row, NULL, expecting(&told));
	store_write_detach(&told.write);
	loop_turn(fixture->loop);
	assert_int_equal(told.times, 0);
	assert_true(has_workspace(fixture, row.id));
}

static void a_replay_is_stored_with_its_creation_or_not_at_all(void **state)
{
	struct fixture *fixture = *state;
	const struct store_workspaces *workspaces = fixture->store->workspaces;
	struct store_workspace row = workspace_row("one"), other = workspace_row("two");
	struct store_replay replay = {TEXT("admin"), TEXT("key"), {1, 2, 3}, row.id, 1000}, found;
	static struct told told;
	workspaces->insert(fixture->store, &row, &replay, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_DONE);
	replay.object = other.id;
	workspaces->insert(fixture->store, &other, &replay, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_EXISTS);
	assert_false(has_workspace(fixture, other.id));
	assert_int_equal(workspaces->replay(fixture->store, TEXT("admin"), TEXT("key"), &found), 0);
	assert_true(uuid_equal(found.object, row.id));
	assert_memory_equal(found.digest, replay.digest, sizeof(found.digest));
	assert_int_equal(workspaces->replay(fixture->store, TEXT("other"), TEXT("key"), &found),
			 STORE_NOT_FOUND);

	workspaces->replay_expire(fixture->store, 1001, NULL);
	assert_int_equal(workspaces->replay(fixture->store, TEXT("admin"), TEXT("key"), &found),
			 STORE_NOT_FOUND);
}

static void lists_come_in_pages(void **state)
{
	struct fixture *fixture = *state;
	struct uuid ids[5], after = {0};
	struct store_workspace *rows;
	size_t count, seen = 0;
	for (size_t i = 0; i < 5; i++)
		ids[i] = add_workspace(fixture, "w");
	do {
		assert_int_equal(fixture->store->workspaces->list(fixture->store, (struct uuid){0},
								  after, 2, &fixture->arena, &rows,
								  &count),
				 0);
		for (size_t i = 0; i < count; i++)
			assert_true(uuid_equal(rows[i].id, ids[seen++]));
		if (count > 0)
			after = rows[count - 1].id;
	} while (count == 2);
	assert_int_equal(seen, 5);
}

static void usage_sums_up(void **state)
{
	struct fixture *fixture = *state;
	struct uuid id = add_workspace(fixture, "w");
	struct store_usage more = {1, 20, 300, 4000, 50000}, sum;
	fixture->store->workspaces->usage_add(fixture->store, id, &more, NULL);
	fixture->store->workspaces->usage_add(fixture->store, id, &more, NULL);
	reopen(fixture);
	assert_int_equal(fixture->store->workspaces->usage(fixture->store, id, &sum), 0);
	assert_int_equal(sum.operations, 2);
	assert_int_equal(sum.cpu_us, 40);
	assert_int_equal(sum.memory_byte_seconds, 600);
	assert_int_equal(sum.stored_bytes, 8000);
	assert_int_equal(sum.sent_bytes, 100000);
}

/* ---- projects ---- */

static struct store_project project_row(struct uuid workspace)
{
	return (struct store_project){
	    .id = uuid_new(clock_wall_ms()),
	    .workspace = workspace,
	    .name = TEXT("p"),
	    .template = TEXT("default"),
	    .runtime_class = TEXT("standard"),
	    .tier = TEXT("standard"),
	    .region = TEXT("local"),
	    .env = TEXT("{\"A\":\"b\"}"),
	    .policy = TEXT("{}"),
	    .created_ms = 1,
	    .updated_ms = 1,
	};
}

static void a_workspace_with_projects_stays(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	struct uuid workspace = add_workspace(fixture, "w");
	struct store_project row = project_row(workspace);
	static struct told told;
	store->projects->insert(store, &row, NULL, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_DONE);
	store->workspaces->remove(store, workspace, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_CONFLICT);
	store->projects->retire(store, row.id, 2, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_DONE);
	store->projects->remove(store, row.id, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_DONE);
	store->workspaces->remove(store, workspace, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_DONE);
	store->workspaces->remove(store, workspace, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_NOT_FOUND);
}

static void a_project_being_deleted_is_hidden_and_refuses(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	struct uuid workspace = add_workspace(fixture, "w");
	struct store_project row = project_row(workspace), *rows;
	struct uuid *ids;
	static struct told told;
	size_t count;
	store->projects->insert(store, &row, NULL, NULL);
	store->projects->remove(store, row.id, expecting(&told)); /* an active one is not removed */
	assert_int_equal(outcome_of(fixture, &told), STORE_NOT_FOUND);
	store->projects->retire(store, row.id, 2, NULL);
	reopen(fixture);
	store = fixture->store;
	store->projects->retire(store, row.id, 3, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_CONFLICT);
	store->projects->update(store, &row, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_CONFLICT);
	assert_int_equal(store->projects->list(store, workspace, (struct uuid){0}, 10,
					       &fixture->arena, &rows, &count),
			 0);
	assert_int_equal(count, 0);
	assert_int_equal(store->projects->list_deleting(store, &fixture->arena, &ids, &count), 0);
	assert_int_equal(count, 1);
	assert_true(uuid_equal(ids[0], row.id));
}

static void a_project_needs_its_workspace(void **state)
{
	struct fixture *fixture = *state;
	struct store_project row = project_row(uuid_new(clock_wall_ms()));
	static struct told told;
	fixture->store->projects->insert(fixture->store, &row, NULL, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_NOT_FOUND);
}

/* ---- people ---- */

static struct uuid add_member(struct fixture *fixture, struct uuid workspace, const char *subject,
			      const char *email, enum tenant_role role, enum store_outcome expected)
{
	struct store_member row = {
	    .user = uuid_new(clock_wall_ms()),
	    .workspace = workspace,
	    .subject = text_of(subject),
	    .email = text_of(email),
	    .role = role,
	    .created_ms = 1,
	};
	static struct told told;
	fixture->store->people->member_insert(fixture->store, &row, NULL, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), expected);
	return row.user;
}

static void the_last_owner_stays(void **state)
{
	struct fixture *fixture = *state;
	const struct store_people *people = fixture->store->people;
	struct uuid workspace = add_workspace(fixture, "w");
	struct uuid first = add_member(fixture, workspace, "first", "", TENANT_OWNER, STORE_DONE);
	static struct told told;
	people->member_remove(fixture->store, workspace, first, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_CONFLICT);
	people->member_update(fixture->store, workspace, first, TENANT_VIEWER, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_CONFLICT);
	people->member_update(fixture->store, workspace, first, TENANT_OWNER, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_DONE);

	struct uuid second = add_member(fixture, workspace, "second", "", TENANT_OWNER, STORE_DONE);
	/* Both at once: one of them must stay. */
	static struct told other;
	people->member_remove(fixture->store, workspace, first, expecting(&told));
	people->member_remove(fixture->store, workspace, second, expecting(&other));
	assert_int_equal(outcome_of(fixture, &told), STORE_DONE);
	assert_int_equal(other.outcome, STORE_CONFLICT);
	people->member_remove(fixture->store, workspace, first, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_NOT_FOUND);
}

static void an_invitation_is_taken_once(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	struct uuid workspace = add_workspace(fixture, "w"), found;
	struct uuid user = add_member(fixture, workspace, "", "a@b.c", TENANT_VIEWER, STORE_DONE);
	static struct told told;
	add_member(fixture, workspace, "", "a@b.c", TENANT_VIEWER, STORE_EXISTS);
	assert_int_equal(store->people->user_invited(store, TEXT("a@b.c"), &found), 0);
	assert_true(uuid_equal(found, user));
	store->people->user_bind(store, user, TEXT("subject"), expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_DONE);
	store->people->user_bind(store, user, TEXT("thief"), expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_CONFLICT);
	assert_int_equal(store->people->user_invited(store, TEXT("a@b.c"), &found),
			 STORE_NOT_FOUND);
	assert_int_equal(store->people->user_by_subject(store, TEXT("subject"), &found), 0);
	assert_true(uuid_equal(found, user));
}

static void a_key_is_revoked_once_and_goes_with_its_workspace(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	struct uuid workspace = add_workspace(fixture, "w");
	struct uuid projects[2] = {uuid_new(clock_wall_ms()), uuid_new(clock_wall_ms())};
	struct store_key row = {
	    .id = uuid_new(clock_wall_ms()),
	    .workspace = workspace,
	    .name = TEXT("k"),
	    .role = TENANT_DEVELOPER,
	    .hash = {1, 2, 3},
	    .projects = projects,
	    .n_projects = 2,
	    .created_by = TEXT("admin"),
	    .created_ms = 1,
	    .expires_ms = 99,
	};
	struct store_key found;
	static struct told told;
	store->people->key_insert(store, &row, NULL, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_DONE);
	assert_int_equal(store->people->key_get(store, row.id, &fixture->arena, &found), 0);
	assert_int_equal(found.n_projects, 2);
	assert_true(uuid_equal(found.projects[1], projects[1]));
	assert_memory_equal(found.hash, row.hash, sizeof(found.hash));
	assert_int_equal(found.expires_ms, 99);

	store->people->key_revoke(store, uuid_new(clock_wall_ms()), row.id, 5, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_NOT_FOUND); /* of another workspace */
	store->people->key_revoke(store, workspace, row.id, 5, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_DONE);
	store->people->key_revoke(store, workspace, row.id, 6, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_NOT_FOUND);
	assert_int_equal(store->people->key_get(store, row.id, &fixture->arena, &found), 0);
	assert_int_equal(found.revoked_ms, 5);

	store->workspaces->remove(store, workspace, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_DONE);
	assert_int_equal(store->people->key_get(store, row.id, &fixture->arena, &found),
			 STORE_NOT_FOUND);
}

/* ---- trouble ---- */

static void a_file_that_is_not_ours_is_refused_and_left_alone(void **state)
{
	struct fixture *fixture = *state;
	static const char content[] = "this is no database, but somebody may want it back";
	char path[96], read_back[sizeof(content)] = "";
	struct store *store = NULL;
	snprintf(path, sizeof(path), "%s/other", fixture->folder);
	FILE *file = fopen(path, "w");
	assert_int_equal(fwrite(content, 1, sizeof(content), file), sizeof(content));
	fclose(file);
	assert_int_equal(store_sqlite_open(path, fixture->loop, &store), -EUCLEAN);
	file = fopen(path, "r");
	assert_int_equal(fread(read_back, 1, sizeof(read_back), file), sizeof(content));
	fclose(file);
	assert_memory_equal(read_back, content, sizeof(content));
	unlink(path);
}

static void limit_pages(struct fixture *fixture, int pages)
{
	char pragma[64];
	snprintf(pragma, sizeof(pragma), "PRAGMA max_page_count = %d", pages);
	assert_int_equal(
	    sqlite3_exec(sqlite_of(fixture->store)->connection, pragma, NULL, NULL, NULL),
	    SQLITE_OK);
}

/* The database gets no more room than it has, so that writes meet a full disk; with room again they
 * work without a restart. */
static void a_full_disk_is_told_and_recovers(void **state)
{
	struct fixture *fixture = *state;
	const struct store_workspaces *workspaces = fixture->store->workspaces;
	static char long_name[200000];
	static struct told told, other;
	memset(long_name, 'n', sizeof(long_name) - 1);
	struct uuid before = add_workspace(fixture, "before");
	limit_pages(fixture, 1);
	struct store_workspace small = workspace_row("small"), large = workspace_row(long_name);
	workspaces->insert(fixture->store, &small, NULL, expecting(&other));
	workspaces->insert(fixture->store, &large, NULL, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_NO_SPACE);
	assert_true(other.outcome == STORE_DONE || other.outcome == STORE_NO_SPACE);
	assert_int_equal(has_workspace(fixture, small.id), other.outcome == STORE_DONE);
	assert_false(has_workspace(fixture, large.id));
	assert_true(has_workspace(fixture, before));
	limit_pages(fixture, 1 << 20);
	workspaces->insert(fixture->store, &large, NULL, expecting(&told));
	assert_int_equal(outcome_of(fixture, &told), STORE_DONE);
	assert_true(has_workspace(fixture, large.id));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_told_is_there_after_a_restart),
	    TEST(what_was_told_survives_a_kill),
	    TEST(one_refused_write_takes_nothing_down),
	    TEST(a_detached_write_is_made_and_not_told),
	    TEST(a_replay_is_stored_with_its_creation_or_not_at_all),
	    TEST(lists_come_in_pages),
	    TEST(usage_sums_up),
	    TEST(a_workspace_with_projects_stays),
	    TEST(a_project_being_deleted_is_hidden_and_refuses),
	    TEST(a_project_needs_its_workspace),
	    TEST(the_last_owner_stays),
	    TEST(an_invitation_is_taken_once),
	    TEST(a_key_is_revoked_once_and_goes_with_its_workspace),
	    TEST(a_file_that_is_not_ours_is_refused_and_left_alone),
	    TEST(a_full_disk_is_told_and_recovers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
