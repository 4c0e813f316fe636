/* fs.patch: a unified diff over the files of a folder, all hunks or none.
 *
 * First everything is computed, then every new content is written to a file without a name, and
 * only when all of that has worked do the new files take their places, one rename each; what goes
 * away goes last. A crash or a kill between two renames leaves some files new and some old, each
 * whole: applying the diff again then tells which hunks no longer match. */
#include "base/descriptor.h"
#include "file_replace.h"
#include "operations.h"
#include "patch.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATCHED_BYTES_MAX = 64 << 20 };

/* One file of the diff on its way. */
struct change {
	const struct patch_file *file;
	struct text old_path, new_path; /* in the task's arena, with NUL; empty: none */
	struct stat before;
	char etag[ETAG_SIZE];
	struct buffer after;
	struct file_writer writer;
	bool is_open;
};

struct patching {
	struct task *task;
	struct patch patch;
	struct change *changes;
	size_t bytes;
};

static struct text path_of(struct patching *patching, struct text name)
{
	struct text base = patching->task->input.path;
	if (name.size == 0)
		return (struct text){0};
	char *path = arena_alloc(&patching->task->arena, base.size + name.size + 2);
	if (!path)
		return (struct text){0};
	memcpy(path, base.data, base.size);
	path[base.size] = '/';
	memcpy(path + base.size + 1, name.data, name.size);
	return (struct text){path, base.size + name.size + 1};
}

static enum outcome read_before(struct patching *patching, struct change *change,
				struct buffer *content)
{
	struct task *task = patching->task;
	enum outcome outcome;
	task->input.path = change->old_path;
	int fd = file_open_regular(task, change->old_path.data, &change->before, &outcome);
	if (fd < 0)
		return outcome;
	int r = descriptor_read_to_end(fd, content);
	close(fd);
	if (r < 0)
		return failure_of(task, -r, "read", change->old_path);
	file_etag(&change->before, change->etag);
	patching->bytes += content->size;
	return OUTCOME_COMPLETED;
}

static enum outcome compute(struct patching *patching, struct change *change)
{
	struct task *task = patching->task;
	struct buffer before ATTR_BUFFER = {.limit = PATCHED_BYTES_MAX};
	size_t failed = 0;
	enum outcome outcome = OUTCOME_COMPLETED;
	if (change->old_path.size > 0)
		outcome = read_before(patching, change, &before);
	if (outcome != OUTCOME_COMPLETED)
		return outcome;
	change->after.limit = PATCHED_BYTES_MAX;
	int r = patch_apply(&patching->patch, change->file, buffer_text(&before), &change->after,
			    &failed);
	struct text shown = change->old_path.size ? change->old_path : change->new_path;
	patching->bytes += change->after.size;
	if (r == 1)
		return failure_say(task, OUTCOME_PRECONDITION_FAILED,
				   "%s: hunk %zu matches nowhere; nothing was changed",
				   failure_path(shown).data, failed);
	if (r < 0 || patching->bytes > PATCHED_BYTES_MAX)
		return failure_say(task, OUTCOME_INVALID_INPUT,
				   "%s: the files are too large for one patch",
				   failure_path(shown).data);
	if (change->new_path.size == 0 && change->after.size > 0)
		return failure_say(task, OUTCOME_PRECONDITION_FAILED,
				   "%s is to be deleted but holds more than the patch removes; "
				   "nothing was changed",
				   failure_path(shown).data);
	return OUTCOME_COMPLETED;
}

/* What the writer reads of the task: where, under which conditions and with which mode. */
static void aim_writer(struct task *task, const struct change *change)
{
	bool in_place = text_equal(change->old_path, change->new_path);
	task->input.path = change->new_path;
	task->input.if_match = in_place ? text_of(change->etag) : (struct text){0};
	task->input.if_none_match = in_place ? (struct text){0} : TEXT("*");
	task->input.has_mode = change->file->has_mode || (!in_place && change->old_path.size > 0);
	task->input.mode =
	    change->file->has_mode ? change->file->mode : change->before.st_mode & 0777;
}

static enum outcome prepare(struct task *task, struct change *change)
{
	if (change->new_path.size == 0)
		return OUTCOME_COMPLETED;
	aim_writer(task, change);
	int error = change->old_path.size ? 0 : fs_make_parents(change->new_path.data);
	if (!error && change->file->is_git)
		error = fs_make_parents(change->new_path.data);
	if (error)
		return failure_of(task, error, "make the folder of", change->new_path);
	enum outcome outcome = file_writer_open(&change->writer, task, change->new_path.data);
	change->is_open = true;
	if (outcome != OUTCOME_COMPLETED)
		return outcome;
	int r = descriptor_write_all(file_writer_fd(&change->writer), buffer_bytes(&change->after));
	return r < 0 ? failure_of(task, -r, "write", change->new_path) : OUTCOME_COMPLETED;
}

static enum outcome commit(struct task *task, struct change *change)
{
	struct stat status;
	enum outcome outcome = OUTCOME_COMPLETED;
	if (change->is_open) {
		aim_writer(task, change);
		outcome = file_writer_commit(&change->writer, &status);
		task->written_bytes += change->after.size;
	}
	return outcome;
}

static enum outcome remove_old(struct task *task, const struct change *change)
{
	if (change->old_path.size == 0 || text_equal(change->old_path, change->new_path))
		return OUTCOME_COMPLETED;
	return unlink(change->old_path.data) < 0
		   ? failure_of(task, errno, "remove", change->old_path)
		   : OUTCOME_COMPLETED;
}

/* A file may stand in the diff once: its second part would not see what the first has made of it.
 */
static bool stands_twice(const struct patching *patching, size_t index)
{
	const struct change *change = &patching->changes[index];
	for (size_t i = 0; i < index; i++) {
		const struct change *other = &patching->changes[i];
		bool same_new =
		    change->new_path.size && text_equal(other->new_path, change->new_path);
		bool same_old =
		    change->old_path.size && text_equal(other->old_path, change->old_path);
		if (same_new || same_old)
			return true;
	}
	return false;
}

static enum outcome compute_all(struct patching *patching)
{
	enum outcome outcome = OUTCOME_COMPLETED;
	struct text base = patching->task->input.path;
	for (size_t i = 0; outcome == OUTCOME_COMPLETED && i < patching->patch.n_files; i++) {
		struct change *change = &patching->changes[i];
		patching->task->input.path = base;
		change->file = &patching->patch.files[i];
		change->old_path = path_of(patching, change->file->old_name);
		change->new_path = path_of(patching, change->file->new_name);
		if (stands_twice(patching, i))
			outcome = failure_say(patching->task, OUTCOME_INVALID_INPUT,
					      "a file stands twice in the patch");
		else
			outcome = compute(patching, change);
	}
	return outcome;
}

static enum outcome put_all(struct patching *patching)
{
	enum outcome outcome = OUTCOME_COMPLETED;
	size_t count = patching->patch.n_files;
	for (size_t i = 0; outcome == OUTCOME_COMPLETED && i < count; i++)
		outcome = prepare(patching->task, &patching->changes[i]);
	for (size_t i = 0; outcome == OUTCOME_COMPLETED && i < count; i++)
		outcome = commit(patching->task, &patching->changes[i]);
	for (size_t i = 0; outcome == OUTCOME_COMPLETED && i < count; i++)
		outcome = remove_old(patching->task, &patching->changes[i]);
	return outcome;
}

static const char *change_kind(const struct change *change)
{
	if (change->old_path.size == 0)
		return "created";
	if (change->new_path.size == 0)
		return "deleted";
	return text_equal(change->old_path, change->new_path) ? "modified" : "renamed";
}

static void write_result(const struct patching *patching)
{
	struct json json = json_to(&patching->task->result);
	json_object(&json);
	json_key(&json, "files");
	json_array(&json);
	for (size_t i = 0; i < patching->patch.n_files; i++) {
		const struct change *change = &patching->changes[i];
		struct text name =
		    change->file->new_name.size ? change->file->new_name : change->file->old_name;
		json_object(&json);
		json_key(&json, "path");
		json_text(&json, text_is_utf8(name) ? name : text_of(failure_path(name).data));
		json_key(&json, "change");
		json_cstring(&json, change_kind(change));
		json_key(&json, "hunks");
		json_u64(&json, change->file->n_hunks);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_object_end(&json);
}

static void close_all(struct patching *patching)
{
	for (size_t i = 0; patching->changes && i < patching->patch.n_files; i++) {
		if (patching->changes[i].is_open)
			file_writer_close(&patching->changes[i].writer);
		buffer_free(&patching->changes[i].after);
	}
	free(patching->changes);
	patch_free(&patching->patch);
}

static enum outcome run_patch(struct task *task)
{
	struct patching patching = {.task = task};
	if (task->input.path.size == 0)
		task->input.path = TEXT(".");
	if (!file_path(task, task->input.path))
		return OUTCOME_INVALID_INPUT;
	int r = patch_parse(bytes_text(task->input.content), &patching.patch);
	enum outcome outcome = OUTCOME_COMPLETED;
	if (r == 1)
		outcome = failure_say(task, OUTCOME_INVALID_INPUT, "line %zu of the patch: %s",
				      patching.patch.line, patching.patch.why);
	else if (r < 0 ||
		 !(patching.changes = calloc(patching.patch.n_files, sizeof(*patching.changes))))
		outcome = failure_say(task, OUTCOME_QUOTA_EXCEEDED, "no memory for the patch");
	if (outcome == OUTCOME_COMPLETED)
		outcome = compute_all(&patching);
	if (outcome == OUTCOME_COMPLETED)
		outcome = put_all(&patching);
	if (outcome == OUTCOME_COMPLETED)
		write_result(&patching);
	close_all(&patching);
	return outcome;
}

static bool patch_is_long(struct task *task ATTR_UNUSED)
{
	return true;
}

const struct agent_operation fs_patch_operation = {.run = run_patch, .is_long = patch_is_long};
