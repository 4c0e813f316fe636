/* fs.write: from the input, or through the pipe. */
#include "file_replace.h"
#include "operations.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { COPY_STEP = 256 << 10 };

static int write_all(int fd, struct bytes content)
{
	while (content.size > 0) {
		ssize_t n = write(fd, content.data, content.size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		content.data += n;
		content.size -= (size_t)n;
	}
	return 0;
}

/* Pages go from the pipe to the file without passing through us. */
static int take_pipe(struct task *task, int fd, uint64_t *size)
{
	*size = 0;
	for (;;) {
		ssize_t n = splice(task->body, NULL, fd, NULL, COPY_STEP, SPLICE_F_MOVE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		*size += (uint64_t)n;
	}
}

static enum outcome receive(struct task *task, int fd)
{
	uint64_t got, sent;
	int r = take_pipe(task, fd, &got);
	if (r < 0)
		return failure_of(task, -r, "write", task->input.path);
	if (!task_body_is_whole(task, &sent) || sent != got)
		return failure_say(task, OUTCOME_CANCELLED,
				   "the upload was broken off; nothing was changed");
	task->written_bytes = got;
	return OUTCOME_COMPLETED;
}

static enum outcome fill(struct task *task, int fd)
{
	if (task->direction == BODY_IN)
		return receive(task, fd);
	int r = write_all(fd, task->input.content);
	task->written_bytes = task->input.content.size;
	return r < 0 ? failure_of(task, -r, "write", task->input.path) : OUTCOME_COMPLETED;
}

static void write_result(struct task *task, const struct stat *status, bool created)
{
	struct json json = json_to(&task->result);
	json_object(&json);
	json_key(&json, "path");
	json_text(&json, task->input.path);
	file_describe(&json, (struct text){0}, status);
	json_key(&json, "created");
	json_bool(&json, created);
	json_object_end(&json);
}

static enum outcome run_write(struct task *task)
{
	struct stat status;
	struct file_writer writer;
	const char *path = file_path(task, task->input.path);
	if (!path)
		return OUTCOME_INVALID_INPUT;
	int error = task->input.parents ? fs_make_parents(path) : 0;
	if (error)
		return failure_of(task, error, "make the folder of", task->input.path);
	enum outcome outcome = file_writer_open(&writer, task, path);
	bool created = !writer.replaces;
	if (outcome == OUTCOME_COMPLETED)
		outcome = fill(task, file_writer_fd(&writer));
	if (outcome == OUTCOME_COMPLETED)
		outcome = file_writer_commit(&writer, &status);
	file_writer_close(&writer);
	if (outcome == OUTCOME_COMPLETED)
		write_result(task, &status, created);
	return outcome;
}

static bool write_is_long(struct task *task)
{
	return task->direction == BODY_IN;
}

const struct agent_operation fs_write_operation = {.run = run_write, .is_long = write_is_long};
