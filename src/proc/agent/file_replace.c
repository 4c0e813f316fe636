#include "file_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEMPORARIES_MAX = 100 };

static int open_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	if (!slash)
		return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* What stands at the path now: a link is followed, so that the file it names is replaced and the
 * link stays. */
static enum outcome look(struct file_writer *writer)
{
	char resolved[PATH_MAX];
	struct stat status;
	if (lstat(writer->path, &status) < 0)
		return errno == ENOENT
			   ? OUTCOME_COMPLETED
			   : failure_of(writer->task, errno, "write", writer->task->input.path);
	if (S_ISLNK(status.st_mode) && realpath(writer->path, resolved)) {
		writer->path = arena_text(&writer->task->arena, text_of(resolved)).data;
		if (!writer->path || lstat(writer->path, &status) < 0)
			return failure_of(writer->task, errno, "write", writer->task->input.path);
	} else if (S_ISLNK(status.st_mode)) {
		return failure_of(writer->task, errno, "follow", writer->task->input.path);
	}
	if (!S_ISREG(status.st_mode))
		return failure_say(writer->task, OUTCOME_INVALID_INPUT, "%s is a %s, not a file",
				   failure_path(writer->task->input.path).data, file_type(&status));
	writer->replaces = true;
	writer->before = status;
	return OUTCOME_COMPLETED;
}

enum outcome file_writer_open(struct file_writer *writer, struct task *task, const char *path)
{
	*writer = (struct file_writer){.task = task, .path = path, .folder = -1, .fd = -1};
	size_t size = strlen(path);
	if (size == 0 || path[size - 1] == '/')
		return failure_say(task, OUTCOME_INVALID_INPUT, "the path names no file");
	enum outcome outcome = look(writer);
	if (outcome == OUTCOME_COMPLETED)
		outcome = file_check_match(task, writer->replaces ? &writer->before : NULL);
	if (outcome != OUTCOME_COMPLETED)
		return outcome;
	writer->folder = open_folder(writer->path);
	if (writer->folder >= 0)
		writer->fd = openat(writer->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (writer->fd < 0)
		return failure_of(task, errno, "write", task->input.path);
	return OUTCOME_COMPLETED;
}

int file_writer_fd(const struct file_writer *writer)
{
	return writer->fd;
}

static mode_t mode_of(const struct file_writer *writer)
{
	if (writer->task->input.has_mode)
		return writer->task->input.mode;
	return writer->replaces ? writer->before.st_mode & 07777 : 0644;
}

static int link_as(const struct file_writer *writer, const char *name)
{
	char self[64];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", writer->fd);
	return linkat(AT_FDCWD, self, writer->folder, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* Linking does not replace: where something stands the file gets a name beside it first, to be
 * renamed. */
static int give_name(struct file_writer *writer)
{
	int r = -EEXIST;
	for (unsigned number = 0; r == -EEXIST && number < TEMPORARIES_MAX; number++) {
		snprintf(writer->temporary, sizeof(writer->temporary), ".croft-%d-%u",
			 (int)getpid(), number);
		r = link_as(writer, writer->temporary);
	}
	writer->has_name = r == 0;
	return r;
}

static enum outcome check_again(struct file_writer *writer)
{
	struct stat now;
	bool is_there = fstatat(writer->folder, name_of(writer->path), &now, 0) == 0;
	return file_check_match(writer->task, is_there ? &now : NULL);
}

enum outcome file_writer_commit(struct file_writer *writer, struct stat *status)
{
	struct task *task = writer->task;
	const char *name = name_of(writer->path);
	/* That the operation has started is on its way to the event log while the disk is at work
	 * here: the operation's end waits for both. */
	if (link_flush(task->up) < 0)
		return failure_say(task, OUTCOME_INTERNAL, "the worker is gone");
	if (fchmod(writer->fd, mode_of(writer)) < 0 || fsync(writer->fd) < 0)
		return failure_of(task, errno, "write", task->input.path);
	enum outcome outcome = check_again(writer);
	if (outcome != OUTCOME_COMPLETED)
		return outcome;
	int r = writer->replaces ? -EEXIST : link_as(writer, name);
	if (r == -EEXIST)
		r = give_name(writer);
	if (r == 0 && writer->has_name &&
	    renameat(writer->folder, writer->temporary, writer->folder, name) < 0)
		r = -errno;
	if (r == 0) {
		writer->has_name = false;
		if (fsync(writer->folder) < 0 || fstat(writer->fd, status) < 0)
			r = -errno;
	}
	return r < 0 ? failure_of(task, -r, "write", task->input.path) : OUTCOME_COMPLETED;
}

void file_writer_close(struct file_writer *writer)
{
	if (writer->has_name)
		unlinkat(writer->folder, writer->temporary, 0);
	if (writer->fd >= 0)
		close(writer->fd);
	if (writer->folder >= 0)
		close(writer->folder);
	writer->fd = writer->folder = -1;
	writer->has_name = false;
}
