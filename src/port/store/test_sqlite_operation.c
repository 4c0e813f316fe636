/* Operations in a real database, opened again to see what was durable. */
#include "base/unit_test.h"
#include "port/store/operations.h"
#include "port/store/workspaces.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
	char folder[64];
	char path[96];
	struct loop *loop;
	struct store *store;
	struct arena arena;
	struct uuid workspace, project;
};

struct waiting {
	struct store_write write;
	enum store_outcome outcome;
	bool told;
};

static void on_written(struct store_write *write, enum store_outcome outcome)
{
	struct waiting *waiting = container_of(write, struct waiting, write);
	assert_false(waiting->told);
	waiting->told = true;
	waiting->outcome = outcome;
}

#define WAITING                                                                                    \
	{                                                                                          \
		.write = {.on_written = on_written }                                               \
	}

static enum store_outcome settle(struct fixture *f, const struct waiting *waiting)
{
	assert_int_equal(f->store->base->flush(f->store), STORE_DONE);
	assert_true(waiting->told);
	return waiting->outcome;
}

static int open_store(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	strcpy(f->folder, "/tmp/croft-store-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/db", f->folder);
	assert_int_equal(loop_new(&f->loop), 0);
	assert_int_equal(store_sqlite_open(f->path, f->loop, &f->store), 0);
	f->workspace = uuid_new(1);
	f->project = uuid_new(2);
	struct store_workspace row = {.id = f->workspace, .name = TEXT("w")};
	f->store->workspaces->insert(f->store, &row, NULL, NULL);
	*state = f;
	return 0;
}

static void reopen(struct fixture *f)
{
	f->store->base->close(f->store);
	assert_int_equal(store_sqlite_open(f->path, f->loop, &f->store), 0);
}

static int close_store(void **state)
{
	struct fixture *f = *state;
	f->store->base->close(f->store);
	loop_free(f->loop);
	arena_free(&f->arena);
	static const char *const endings[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		char name[128];
		snprintf(name, sizeof(name), "%s%s", f->path, endings[i]);
		unlink(name);
	}
	int r = rmdir(f->folder);
	free(f);
	return r;
}

static struct store_operation row_of(const struct fixture *f, int64_t created_ms)
{
	return (struct store_operation){
	    .id = uuid_new(created_ms),
	    .workspace = f->workspace,
	    .project = f->project,
	    .kind = OPERATION_COMMAND_RUN,
	    .correlation = TEXT("c"),
	    .actor_type = TEXT("key"),
	    .actor = TEXT("key_x"),
	    .input = TEXT("{\"argv\":[\"true\"]}"),
	    .timeout_ms = 5000,
	    .created_ms = created_ms,
	};
}

static struct store_replay replay_of(const char *key, struct uuid object)
{
	return (struct store_replay){
	    .caller = TEXT("p:a"), .key = text_of(key), .object = object, .created_ms = 1};
}

static enum store_outcome insert(struct fixture *f, const struct store_operation *row,
				 const char *key)
{
	struct waiting waiting = WAITING;
	struct store_replay replay = replay_of(key, row->id);
	f->store->operations->insert(f->store, row, &replay, &waiting.write);
	return settle(f, &waiting);
}

static enum store_outcome end(struct fixture *f, struct store_operation *row)
{
	struct waiting waiting = WAITING;
	struct store_usage used = {.operations = 1, .cpu_us = 70};
	row->started_ms = row->created_ms + 1;
	row->ended_ms = row->created_ms + 2;
	row->outcome = OUTCOME_TIMEOUT;
	row->detail = TEXT("too long");
	row->result = TEXT("{\"exitCode\":0}");
	row->usage.output_bytes = 9;
	f->store->operations->end(f->store, row, &used, &waiting.write);
	return settle(f, &waiting);
}

static struct store_operation get(struct fixture *f, struct uuid id)
{
	struct store_operation row;
	assert_int_equal(f->store->operations->get(f->store, id, &f->arena, &row), 0);
	return row;
}

static void test_a_row_comes_back_whole(void **state)
{
	struct fixture *f = *state;
	struct store_operation row = row_of(f, 1000);
	assert_int_equal(insert(f, &row, "k1"), STORE_DONE);
	reopen(f);
	struct store_operation found = get(f, row.id);
	assert_int_equal(found.state, STORE_OPERATION_OPEN);
	assert_int_equal(found.kind, OPERATION_COMMAND_RUN);
	assert_true(text_equal(found.input, row.input) && text_equal(found.actor, row.actor));
	assert_true(uuid_is_zero(found.worker));
	assert_int_equal(end(f, &row), STORE_DONE);
	reopen(f);
	found = get(f, row.id);
	assert_int_equal(found.state, STORE_OPERATION_ENDED);
	assert_int_equal(found.outcome, OUTCOME_TIMEOUT);
	assert_true(text_equal(found.result, row.result) && text_equal(found.detail, row.detail));
	assert_int_equal(found.usage.output_bytes, 9);
}

static void test_an_operation_ends_once(void **state)
{
	struct fixture *f = *state;
	struct store_operation row = row_of(f, 1000);
	struct store_usage usage;
	assert_int_equal(insert(f, &row, "k1"), STORE_DONE);
	assert_int_equal(end(f, &row), STORE_DONE);
	assert_int_equal(end(f, &row), STORE_CONFLICT);
	assert_int_equal(f->store->workspaces->usage(f->store, f->workspace, &usage), 0);
	assert_int_equal(usage.operations, 1);
	assert_int_equal(usage.cpu_us, 70);
}

static void test_a_used_key_leaves_no_row(void **state)
{
	struct fixture *f = *state;
	struct store_operation first = row_of(f, 1000), second = row_of(f, 1001), out;
	assert_int_equal(insert(f, &first, "k1"), STORE_DONE);
	assert_int_equal(insert(f, &second, "k1"), STORE_EXISTS);
	assert_int_equal(f->store->operations->get(f->store, second.id, &f->arena, &out),
			 STORE_NOT_FOUND);
}

/* In the process that dies: it ends by the signal, or with 1 if something else went wrong. */
ATTR_NORETURN static void insert_and_die(struct fixture *f, const struct store_operation *row,
					 bool committed)
{
	struct store *store;
	struct store_replay replay = replay_of("k1", row->id);
	if (loop_new(&f->loop) < 0 || store_sqlite_open(f->path, f->loop, &store) < 0)
		_exit(1);
	store->operations->insert(store, row, &replay, NULL);
	if (committed && store->base->flush(store) != STORE_DONE)
		_exit(1);
	raise(SIGKILL);
	_exit(1);
}

static void insert_in_a_killed_process(struct fixture *f, const struct store_operation *row,
				       bool committed)
{
	int status;
	f->store->base->close(f->store);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		insert_and_die(f, row, committed);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(store_sqlite_open(f->path, f->loop, &f->store), 0);
}

static void test_killed_before_the_commit_neither_row_nor_key_is_there(void **state)
{
	struct fixture *f = *state;
	struct store_operation lost = row_of(f, 1000), again = row_of(f, 1001), out;
	insert_in_a_killed_process(f, &lost, false);
	assert_int_equal(f->store->operations->get(f->store, lost.id, &f->arena, &out),
			 STORE_NOT_FOUND);
	assert_int_equal(insert(f, &again, "k1"), STORE_DONE);
}

static void test_killed_after_the_commit_both_row_and_key_are_there(void **state)
{
	struct fixture *f = *state;
	struct store_operation kept = row_of(f, 1000), again = row_of(f, 1001);
	insert_in_a_killed_process(f, &kept, true);
	assert_int_equal(get(f, kept.id).state, STORE_OPERATION_OPEN);
	assert_int_equal(insert(f, &again, "k1"), STORE_EXISTS);
}

static void test_marks(void **state)
{
	struct fixture *f = *state;
	struct waiting waiting = WAITING;
	struct uuid worker = uuid_new(5);
	struct store_operation row = row_of(f, 1000);
	assert_int_equal(insert(f, &row, "k1"), STORE_DONE);
	f->store->operations->mark(f->store, row.id, worker, &waiting.write);
	assert_int_equal(settle(f, &waiting), STORE_DONE);
	reopen(f);
	assert_true(uuid_equal(get(f, row.id).worker, worker));
}

static size_t count_untold(struct fixture *f)
{
	struct store_operation *rows;
	size_t count;
	struct uuid none = {0};
	assert_int_equal(
	    f->store->operations->list_untold(f->store, none, 10, &f->arena, &rows, &count), 0);
	return count;
}

static void test_what_the_log_was_not_told_is_found_and_kept(void **state)
{
	struct fixture *f = *state;
	struct waiting purged = WAITING, told = WAITING, purged_again = WAITING;
	struct store_operation row = row_of(f, 1000), open = row_of(f, 1001), out;
	assert_int_equal(insert(f, &row, "k1"), STORE_DONE);
	assert_int_equal(insert(f, &open, "k2"), STORE_DONE);
	assert_int_equal(end(f, &row), STORE_DONE);
	assert_int_equal(count_untold(f), 2);
	f->store->operations->purge(f->store, INT64_MAX, 10, &purged.write);
	assert_int_equal(settle(f, &purged), STORE_DONE);
	assert_int_equal(count_untold(f), 2);
	struct uuid both[] = {row.id, open.id};
	f->store->operations->tell(f->store, both, 2, &told.write);
	assert_int_equal(settle(f, &told), STORE_DONE);
	assert_int_equal(count_untold(f), 1); /* what is open is not over, whatever is told */
	f->store->operations->purge(f->store, INT64_MAX, 10, &purged_again.write);
	assert_int_equal(settle(f, &purged_again), STORE_DONE);
	assert_int_equal(f->store->operations->get(f->store, row.id, &f->arena, &out),
			 STORE_NOT_FOUND);
}

static void test_lists_go_back_in_pages(void **state)
{
	struct fixture *f = *state;
	struct store_operation rows[3], *found;
	size_t count;
	const char *const keys[] = {"a", "b", "c"};
	for (int i = 0; i < 3; i++) {
		rows[i] = row_of(f, 1000 + i);
		assert_int_equal(insert(f, &rows[i], keys[i]), STORE_DONE);
	}
	struct uuid before = {0};
	assert_int_equal(
	    f->store->operations->list(f->store, f->project, before, 2, &f->arena, &found, &count),
	    0);
	assert_int_equal(count, 2);
	assert_true(uuid_equal(found[0].id, rows[2].id) && uuid_equal(found[1].id, rows[1].id));
	assert_int_equal(f->store->operations->list(f->store, f->project, rows[1].id, 2, &f->arena,
						    &found, &count),
			 0);
	assert_int_equal(count, 1);
	assert_true(uuid_equal(found[0].id, rows[0].id));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)
	const struct CMUnitTest tests[] = {
	    TEST(test_a_row_comes_back_whole),
	    TEST(test_an_operation_ends_once),
	    TEST(test_a_used_key_leaves_no_row),
	    TEST(test_killed_before_the_commit_neither_row_nor_key_is_there),
	    TEST(test_killed_after_the_commit_both_row_and_key_are_there),
	    TEST(test_marks),
	    TEST(test_what_the_log_was_not_told_is_found_and_kept),
	    TEST(test_lists_go_back_in_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
