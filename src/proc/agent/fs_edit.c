/* fs.edit: exact replacements in one file, all or none. */
#include "file_replace.h"
#include "operations.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { EDIT_FILE_LIMIT = 16 << 20 };

static size_t count_of(struct text content, struct text wanted, size_t *first)
{
	size_t count = 0;
	const char *at = content.data, *end = content.data + content.size;
	for (const char *found; (found = memmem(at, (size_t)(end - at), wanted.data, wanted.size));
	     at = found + wanted.size)
		if (count++ == 0)
			*first = (size_t)(found - content.data);
	return count;
}

static void replace_all(struct text content, const struct operation_edit *edit, struct buffer *out)
{
	const char *at = content.data, *end = content.data + content.size;
	for (const char *found;
	     (found = memmem(at, (size_t)(end - at), edit->old.data, edit->old.size));
	     at = found + edit->old.size) {
		buffer_append(out, at, (size_t)(found - at));
		buffer_append_text(out, edit->new);
	}
	buffer_append(out, at, (size_t)(end - at));
}

static enum outcome apply(struct task *task, size_t index, struct buffer *content)
{
	const struct operation_edit *edit =
	    &((const struct operation_edit *)task->input.edits.items)[index];
	struct buffer changed = {.limit = EDIT_FILE_LIMIT};
	size_t first = 0;
	if (edit->old.size == 0)
		return failure_say(task, OUTCOME_INVALID_INPUT, "edit %zu: `old` is empty",
				   index + 1);
	size_t count = count_of(buffer_text(content), edit->old, &first);
	if (count == 0)
		return failure_say(task, OUTCOME_PRECONDITION_FAILED,
				   "edit %zu: `old` is not in the file; nothing was changed",
				   index + 1);
	if (count > 1 && !edit->all)
		return failure_say(task, OUTCOME_PRECONDITION_FAILED,
				   "edit %zu: `old` is in the file %zu times; nothing was changed",
				   index + 1, count);
	replace_all(buffer_text(content), edit, &changed);
	if (buffer_check(&changed) < 0) {
		buffer_free(&changed);
		return failure_say(task, OUTCOME_INVALID_INPUT,
				   "edit %zu: the file would be larger than 16 MiB", index + 1);
	}
	buffer_free(content);
	*content = changed;
	return OUTCOME_COMPLETED;
}

static enum outcome read_content(struct task *task, const char *path, struct buffer *content)
{
	struct stat status;
	enum outcome outcome;
	int fd = file_open_regular(task, path, &status, &outcome);
	if (fd < 0)
		return outcome;
	if (status.st_size > EDIT_FILE_LIMIT) {
		close(fd);
		return failure_say(task, OUTCOME_INVALID_INPUT, "the file is larger than 16 MiB");
	}
	for (ssize_t n = 1; n > 0;) {
		uint8_t *room = buffer_reserve(content, 64 << 10);
		n = room ? read(fd, room, 64 << 10) : -1;
		if (n > 0)
			content->size += (size_t)n;
		if (n < 0) {
			outcome = failure_of(task, room ? errno : ENOMEM, "read", task->input.path);
			close(fd);
			return outcome;
		}
	}
	close(fd);
	return OUTCOME_COMPLETED;
}

/* Reading, changing and writing are one step as far as preconditions can make them: the file read
 * is the one replaced. */
static enum outcome replace(struct task *task, const char *path, const struct buffer *content)
{
	struct file_writer writer;
	struct stat status;
	struct json json = json_to(&task->result);
	enum outcome outcome = file_writer_open(&writer, task, path);
	struct bytes left = buffer_bytes(content);
	while (outcome == OUTCOME_COMPLETED && left.size > 0) {
		ssize_t n = write(file_writer_fd(&writer), left.data, left.size);
		if (n < 0)
			outcome = failure_of(task, errno, "write", task->input.path);
		else
			left = (struct bytes){left.data + n, left.size - (size_t)n};
	}
	if (outcome == OUTCOME_COMPLETED)
		outcome = file_writer_commit(&writer, &status);
	file_writer_close(&writer);
	if (outcome != OUTCOME_COMPLETED)
		return outcome;
	task->written_bytes = content->size;
	json_object(&json);
	json_key(&json, "path");
	json_text(&json, task->input.path);
	file_describe(&json, (struct text){0}, &status);
	json_object_end(&json);
	return OUTCOME_COMPLETED;
}

static enum outcome run_edit(struct task *task)
{
	struct stat before;
	char etag[ETAG_SIZE];
	struct buffer content ATTR_BUFFER = {.limit = EDIT_FILE_LIMIT + (128 << 10)};
	const char *path = file_path(task, task->input.path);
	if (!path)
		return OUTCOME_INVALID_INPUT;
	if (stat(path, &before) < 0)
		return failure_of(task, errno, "open", task->input.path);
	enum outcome outcome = file_check_match(task, &before);
	if (outcome == OUTCOME_COMPLETED)
		outcome = read_content(task, path, &content);
	for (size_t i = 0; outcome == OUTCOME_COMPLETED && i < task->input.edits.count; i++)
		outcome = apply(task, i, &content);
	if (outcome != OUTCOME_COMPLETED)
		return outcome;
	file_etag(&before, etag);
	task->input.if_match = text_of(etag);
	return replace(task, path, &content);
}

const struct agent_operation fs_edit_operation = {.run = run_edit};
