/* fs.read: into the result, inline, or through the pipe. */
#include "file_info.h"
#include "operations.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { INLINE_MAX = 64 << 10, READ_MAX = INLINE_CONTENT_LIMIT, SEND_STEP = 1 << 20 };

struct part {
	uint64_t offset, length;
};

/* What of the file was asked for; past its end there is nothing. */
static struct part part_of(const struct task *task, const struct stat *status)
{
	uint64_t size = (uint64_t)status->st_size;
	uint64_t offset = task->input.offset < size ? task->input.offset : size;
	if (task->input.offset == OFFSET_FROM_END)
		offset = task->input.length < size ? size - task->input.length : 0;
	uint64_t length = size - offset;
	if (task->input.length && task->input.length < length)
		length = task->input.length;
	return (struct part){offset, length};
}

static int read_part(int fd, struct part part, struct buffer *out)
{
	while (part.length > 0) {
		uint8_t *room = buffer_reserve(out, part.length);
		if (!room)
			return -ENOMEM;
		ssize_t n = pread(fd, room, part.length, (off_t)part.offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0; /* cut off meanwhile */
		out->size += (size_t)n;
		part.offset += (uint64_t)n;
		part.length -= (uint64_t)n;
	}
	return 0;
}

static void write_result(struct task *task, struct part part, const struct stat *status,
			 struct text content)
{
	struct json json = json_to(&task->result);
	json_object(&json);
	json_key(&json, "path");
	json_text(&json, task->input.path);
	file_describe(&json, (struct text){0}, status);
	json_key(&json, "offset");
	json_u64(&json, part.offset);
	json_key(&json, "length");
	json_u64(&json, content.size);
	if (text_is_utf8(content)) {
		json_key(&json, "content");
		json_text(&json, content);
	} else {
		json_key(&json, "contentBase64");
		json_base64(&json, text_bytes(content));
	}
	json_object_end(&json);
}

static enum outcome read_into_result(struct task *task, int fd, const struct stat *status)
{
	struct buffer content ATTR_BUFFER = {.limit = READ_MAX + 1};
	struct part part = part_of(task, status);
	if (part.length > READ_MAX)
		return failure_say(
		    task, OUTCOME_INVALID_INPUT,
		    "the file is larger than 1 MiB: ask for a part, or use the files call");
	int r = read_part(fd, part, &content);
	if (r < 0)
		return failure_of(task, -r, "read", task->input.path);
	write_result(task, part, status, buffer_text(&content));
	return OUTCOME_COMPLETED;
}

static void describe(struct task *task, const struct stat *status, struct part part,
		     const char *etag, struct worker_agent_opened *opened)
{
	*opened = (struct worker_agent_opened){.operation = task->id,
					       .has_size = true,
					       .size = (uint64_t)status->st_size,
					       .offset = part.offset,
					       .length = part.length,
					       .etag = text_of(etag),
					       .modified_ms = file_modified_ms(status),
					       .mode = status->st_mode & 07777};
}

static enum outcome stream(struct task *task, int fd, const struct stat *status)
{
	char etag[ETAG_SIZE];
	struct worker_agent_opened opened;
	struct part part = part_of(task, status);
	off_t at = (off_t)part.offset;
	file_etag(status, etag);
	describe(task, status, part, etag, &opened);
	task_opened(task, &opened);
	if (link_flush(task->up) < 0)
		return OUTCOME_INTERNAL;
	while (part.length > 0) {
		ssize_t n = sendfile(task->body, fd, &at,
				     part.length < SEND_STEP ? part.length : SEND_STEP);
		if (n < 0 && errno == EPIPE)
			return failure_say(task, OUTCOME_CANCELLED, "the client is gone");
		if (n < 0)
			return failure_of(task, errno, "read", task->input.path);
		if (n == 0)
			return failure_say(task, OUTCOME_INTERNAL,
					   "the file was cut while it was read");
		part.length -= (uint64_t)n;
	}
	return OUTCOME_COMPLETED;
}

static enum outcome send_inline(struct task *task, int fd, const struct stat *status)
{
	char etag[ETAG_SIZE];
	struct worker_agent_opened opened;
	struct buffer content ATTR_BUFFER = {0};
	struct part part = part_of(task, status);
	int r = read_part(fd, part, &content);
	if (r < 0)
		return failure_of(task, -r, "read", task->input.path);
	part.length = content.size;
	file_etag(status, etag);
	describe(task, status, part, etag, &opened);
	opened.inline_content = true;
	opened.content = buffer_bytes(&content);
	task_opened(task, &opened);
	return OUTCOME_COMPLETED;
}

static enum outcome deliver(struct task *task, int fd, const struct stat *status)
{
	enum outcome outcome = file_check_match(task, status);
	if (outcome != OUTCOME_COMPLETED)
		return outcome;
	if (task->direction != BODY_OUT)
		return read_into_result(task, fd, status);
	return part_of(task, status).length <= INLINE_MAX ? send_inline(task, fd, status)
							  : stream(task, fd, status);
}

static enum outcome run_read(struct task *task)
{
	struct stat status;
	enum outcome outcome = OUTCOME_INVALID_INPUT;
	const char *path = file_path(task, task->input.path);
	int fd = path ? file_open_regular(task, path, &status, &outcome) : -1;
	if (fd < 0)
		return outcome;
	outcome = deliver(task, fd, &status);
	close(fd);
	return outcome;
}

/* Whoever streams waits for the client. */
static bool read_is_long(struct task *task)
{
	struct stat status;
	const char *path = task->direction == BODY_OUT ? file_path(task, task->input.path) : NULL;
	return path && stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
	       part_of(task, &status).length > INLINE_MAX;
}

const struct agent_operation fs_read_operation = {.run = run_read, .is_long = read_is_long};
