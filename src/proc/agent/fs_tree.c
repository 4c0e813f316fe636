/* fs.copy and fs.remove: what may take long, since folders may be deep. */
#include "file_info.h"
#include "operations.h"
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static enum outcome run_copy(struct task *task)
{
	struct stat from, to;
	struct json json = json_to(&task->result);
	const char *path = file_path(task, task->input.path),
		   *target = file_path(task, task->input.to);
	if (!path || !target)
		return OUTCOME_INVALID_INPUT;
	if (lstat(path, &from) < 0)
		return failure_of(task, errno, "copy", task->input.path);
	if (S_ISDIR(from.st_mode) && !task->input.recursive)
		return failure_say(task, OUTCOME_INVALID_INPUT,
				   "%s is a folder: `recursive` copies it",
				   failure_path(task->input.path).data);
	bool is_there = lstat(target, &to) == 0;
	if (is_there && !task->input.overwrite)
		return failure_of(task, EEXIST, "replace", task->input.to);
	if (is_there && from.st_dev == to.st_dev && from.st_ino == to.st_ino)
		return failure_say(task, OUTCOME_INVALID_INPUT, "both paths name the same file");
	int r = is_there ? walk_remove(AT_FDCWD, target) : 0;
	if (r == 0)
		r = walk_copy(AT_FDCWD, path, AT_FDCWD, target, &task->written_bytes);
	if (r < 0)
		return failure_of(task, -r, "copy to", task->input.to);
	json_object(&json);
	json_key(&json, "path");
	json_text(&json, task->input.to);
	json_key(&json, "bytes");
	json_u64(&json, task->written_bytes);
	json_object_end(&json);
	return OUTCOME_COMPLETED;
}

static bool copy_is_long(struct task *task ATTR_UNUSED)
{
	return true;
}

static enum outcome run_remove(struct task *task)
{
	struct stat status;
	struct json json = json_to(&task->result);
	const char *path = file_path(task, task->input.path);
	if (!path)
		return OUTCOME_INVALID_INPUT;
	if (lstat(path, &status) < 0)
		return failure_of(task, errno, "remove", task->input.path);
	enum outcome outcome = file_check_match(task, &status);
	if (outcome != OUTCOME_COMPLETED)
		return outcome;
	int r = 0;
	if (S_ISDIR(status.st_mode) && task->input.recursive)
		r = walk_remove(AT_FDCWD, path);
	else if (unlinkat(AT_FDCWD, path, S_ISDIR(status.st_mode) ? AT_REMOVEDIR : 0) < 0)
		r = -errno;
	if (r < 0)
		return failure_of(task, -r, "remove", task->input.path);
	json_object(&json);
	json_key(&json, "path");
	json_text(&json, task->input.path);
	json_object_end(&json);
	return OUTCOME_COMPLETED;
}

static bool remove_is_long(struct task *task)
{
	return task->input.recursive;
}

const struct agent_operation fs_copy_operation = {.run = run_copy, .is_long = copy_is_long};
const struct agent_operation fs_remove_operation = {.run = run_remove, .is_long = remove_is_long};
