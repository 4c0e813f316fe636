/* Writes a file so that at any moment, also after a crash, its path has the old content or the new
 * one, whole: a file without a name, synced, given a temporary name beside the target and renamed
 * over it, and the folder synced. */
#pragma once

#include "file_info.h"

struct file_writer {
	struct task *task;
	const char *path;
	char temporary[PATH_LIMIT + 64];
	int folder;
	int fd;
	bool has_name; /* `temporary` exists */
	bool replaces;
	struct stat before; /* of what is replaced */
};

/* OUTCOME_COMPLETED, or why not. Preconditions are checked here and again at the end. */
enum outcome file_writer_open(struct file_writer *writer, struct task *task, const char *path);
int file_writer_fd(const struct file_writer *writer);

/* Puts it in place; `status` is that of the new file. */
enum outcome file_writer_commit(struct file_writer *writer, struct stat *status);

/* Harmless after a commit; before one nothing remains of it. */
void file_writer_close(struct file_writer *writer);
