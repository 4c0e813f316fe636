/* fs.stat, fs.list, fs.mkdir, fs.move, fs.chmod, fs.symlink */
#include "file_info.h"
#include "operations.h"
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LIST_DEFAULT = 1000 };

/* ---- stat ---- */

static void add_link_target(struct json *json, const char *path)
{
	char target[PATH_MAX];
	ssize_t size = readlink(path, target, sizeof(target));
	if (size > 0 && text_is_utf8((struct text){target, (size_t)size})) {
		json_key(json, "target");
		json_text(json, (struct text){target, (size_t)size});
	}
}

static enum outcome run_stat(struct task *task)
{
	struct stat status;
	struct json json = json_to(&task->result);
	const char *path = file_path(task, task->input.path);
	if (!path)
		return OUTCOME_INVALID_INPUT;
	if (lstat(path, &status) < 0)
		return failure_of(task, errno, "look at", task->input.path);
	json_object(&json);
	json_key(&json, "path");
	json_text(&json, task->input.path);
	file_describe(&json, (struct text){0}, &status);
	if (S_ISLNK(status.st_mode))
		add_link_target(&json, path);
	json_object_end(&json);
	return OUTCOME_COMPLETED;
}

/* ---- list ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* From the first name behind `after`, no more than the limit. */
static void write_entries(struct task *task, int folder, struct walk_names *names)
{
	struct json json = json_to(&task->result);
	size_t limit = task->input.limit ? task->input.limit : LIST_DEFAULT, written = 0;
	bool more = false;
	json_object(&json);
	json_key(&json, "path");
	json_text(&json, task->input.path);
	json_key(&json, "entries");
	json_array(&json);
	for (size_t i = 0; i < names->count; i++) {
		struct stat status;
		struct text name = text_of(names->names[i]);
		if (task->input.after.size &&
		    strcmp(names->names[i], arena_text(&task->arena, task->input.after).data) <= 0)
			continue;
		more = written == limit;
		if (more)
			break;
		if (fstatat(folder, names->names[i], &status, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* gone meanwhile */
		json_object(&json);
		file_describe(&json, name, &status);
		json_object_end(&json);
		written++;
	}
	json_array_end(&json);
	json_key(&json, "more");
	json_bool(&json, more);
	json_object_end(&json);
}

static enum outcome run_list(struct task *task)
{
	struct walk_names names = {0};
	const char *path = file_path(task, task->input.path);
	if (!path)
		return OUTCOME_INVALID_INPUT;
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return failure_of(task, errno, "list", task->input.path);
	int r = walk_gather(folder, task->input.recursive, &names);
	if (r == 0) {
		qsort(names.names, names.count, sizeof(*names.names), compare_names);
		write_entries(task, folder, &names);
	}
	walk_names_free(&names);
	close(folder);
	return r < 0 ? failure_of(task, -r, "list", task->input.path) : OUTCOME_COMPLETED;
}

static bool list_is_long(struct task *task)
{
	return task->input.recursive;
}

/* ---- mkdir ---- */

static int make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int r = mkdir(path, 0777) < 0 && errno != EEXIST ? errno : 0;
		*slash = '/';
		if (r)
			return r;
	}
	return 0;
}

int fs_make_parents(const char *path)
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof(copy), "%s", path);
	return make_parents(copy);
}

/* The result of what leaves a path changed: the path, described anew. */
static enum outcome describe(struct task *task, const char *path, struct text shown)
{
	struct stat status;
	struct json json = json_to(&task->result);
	if (lstat(path, &status) < 0)
		return failure_of(task, errno, "look at", shown);
	json_object(&json);
	json_key(&json, "path");
	json_text(&json, shown);
	file_describe(&json, (struct text){0}, &status);
	json_object_end(&json);
	return OUTCOME_COMPLETED;
}

static enum outcome run_mkdir(struct task *task)
{
	struct stat status;
	mode_t mode = task->input.has_mode ? task->input.mode : 0755;
	const char *path = file_path(task, task->input.path);
	if (!path)
		return OUTCOME_INVALID_INPUT;
	int error = task->input.parents ? fs_make_parents(path) : 0;
	if (!error && mkdir(path, mode) < 0)
		error = errno;
	bool is_there = error == EEXIST && task->input.parents && stat(path, &status) == 0 &&
			S_ISDIR(status.st_mode);
	if (error && !is_there)
		return failure_of(task, error, "make", task->input.path);
	if (!error && task->input.has_mode && chmod(path, mode) < 0)
		return failure_of(task, errno, "set the mode of", task->input.path);
	return describe(task, path, task->input.path);
}

/* ---- move, chmod, symlink ---- */

/* Newer than the C library's wrapper. */
enum { RENAME_NO_REPLACE = 1 };

static int rename_with(const char *from, const char *to, unsigned flags)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static enum outcome run_move(struct task *task)
{
	const char *from = file_path(task, task->input.path), *to = file_path(task, task->input.to);
	if (!from || !to)
		return OUTCOME_INVALID_INPUT;
	if (rename_with(from, to, task->input.overwrite ? 0 : RENAME_NO_REPLACE) < 0)
		return failure_of(task, errno, errno == EEXIST ? "replace" : "move",
				  errno == EEXIST ? task->input.to : task->input.path);
	return describe(task, to, task->input.to);
}

static enum outcome run_chmod(struct task *task)
{
	const char *path = file_path(task, task->input.path);
	if (!path)
		return OUTCOME_INVALID_INPUT;
	if (chmod(path, task->input.mode) < 0)
		return failure_of(task, errno, "set the mode of", task->input.path);
	return describe(task, path, task->input.path);
}

static enum outcome run_symlink(struct task *task)
{
	struct stat status;
	const char *path = file_path(task, task->input.path), *to = file_path(task, task->input.to);
	if (!path || !to)
		return OUTCOME_INVALID_INPUT;
	bool replaces =
	    task->input.overwrite && lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
	if (replaces && unlink(path) < 0)
		return failure_of(task, errno, "replace", task->input.path);
	if (symlink(to, path) < 0)
		return failure_of(task, errno, "make", task->input.path);
	return describe(task, path, task->input.path);
}

const struct agent_operation fs_stat_operation = {.run = run_stat};
const struct agent_operation fs_list_operation = {.run = run_list, .is_long = list_is_long};
const struct agent_operation fs_mkdir_operation = {.run = run_mkdir};
const struct agent_operation fs_move_operation = {.run = run_move};
const struct agent_operation fs_chmod_operation = {.run = run_chmod};
const struct agent_operation fs_symlink_operation = {.run = run_symlink};
