#include "file_info.h"

#include "proto/etag.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

void file_etag(const struct stat *status, char etag[ETAG_SIZE])
{
	snprintf(etag, ETAG_SIZE, "\"%" PRIx64 ".%" PRIx64 ".%" PRIx64 ".%" PRIx64 "\"",
		 (uint64_t)status->st_mtim.tv_sec, (uint64_t)status->st_mtim.tv_nsec,
		 (uint64_t)status->st_size, (uint64_t)status->st_ino);
}

const char *file_type(const struct stat *status)
{
	if (S_ISREG(status->st_mode))
		return "file";
	if (S_ISDIR(status->st_mode))
		return "directory";
	return S_ISLNK(status->st_mode) ? "symlink" : "other";
}

int64_t file_modified_ms(const struct stat *status)
{
	return (int64_t)status->st_mtim.tv_sec * 1000 + status->st_mtim.tv_nsec / 1000000;
}

void file_describe(struct json *json, struct text name, const struct stat *status)
{
	char mode[16], etag[ETAG_SIZE];
	if (name.size) {
		json_key(json, "name");
		if (text_is_utf8(name)) {
			json_text(json, name);
		} else { /* a name may hold any bytes; JSON may not */
			json_cstring(json, failure_path(name).data);
			json_key(json, "nameBase64");
			json_base64(json, text_bytes(name));
		}
	}
	json_key(json, "type");
	json_cstring(json, file_type(status));
	json_key(json, "sizeBytes");
	json_i64(json, S_ISREG(status->st_mode) || S_ISLNK(status->st_mode) ? status->st_size : 0);
	json_key(json, "mode");
	snprintf(mode, sizeof(mode), "%04o", (unsigned)(status->st_mode & 07777));
	json_cstring(json, mode);
	json_key(json, "modifiedAt");
	json_time(json, file_modified_ms(status));
	if (S_ISREG(status->st_mode)) {
		json_key(json, "etag");
		file_etag(status, etag);
		json_cstring(json, etag);
	}
}

const char *file_path(struct task *task, struct text path)
{
	if (path.size == 0)
		path = TEXT(".");
	if (text_has(path, '\0') || path.size > PATH_LIMIT) {
		failure_say(task, OUTCOME_INVALID_INPUT,
			    "the path holds NUL or is longer than %d bytes", PATH_LIMIT);
		return NULL;
	}
	struct text copy = arena_text(&task->arena, path);
	if (!copy.data)
		failure_say(task, OUTCOME_INTERNAL, "out of memory");
	return copy.data;
}

enum outcome file_check_match(struct task *task, const struct stat *status)
{
	char etag[ETAG_SIZE];
	if (status)
		file_etag(status, etag);
	if (task->input.if_match.size &&
	    (!status || !etag_list_has(task->input.if_match, text_of(etag), false)))
		return failure_say(task, OUTCOME_PRECONDITION_FAILED,
				   "the file is not the one that ifMatch names");
	if (task->input.if_none_match.size && status &&
	    etag_list_has(task->input.if_none_match, text_of(etag), true))
		return failure_say(task, OUTCOME_PRECONDITION_FAILED, "not modified");
	return OUTCOME_COMPLETED;
}

int file_open_regular(struct task *task, const char *path, struct stat *status,
		      enum outcome *outcome)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, status) < 0) {
		*outcome = failure_of(task, errno, "open", text_of(path));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (!S_ISREG(status->st_mode)) {
		*outcome = failure_say(task, OUTCOME_INVALID_INPUT, "%s is a %s, not a file",
				       failure_path(text_of(path)).data, file_type(status));
		close(fd);
		return -1;
	}
	return fd;
}
