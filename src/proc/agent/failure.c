#include "failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct errno_outcome {
	int error;
	enum outcome outcome;
};

static const struct errno_outcome outcomes[] = {
    {ENOENT, OUTCOME_NOT_FOUND},          {EEXIST, OUTCOME_ALREADY_EXISTS},
    {ENOTEMPTY, OUTCOME_ALREADY_EXISTS},  {EACCES, OUTCOME_PERMISSION_DENIED},
    {EPERM, OUTCOME_PERMISSION_DENIED},   {EROFS, OUTCOME_PERMISSION_DENIED},
    {EBUSY, OUTCOME_PERMISSION_DENIED},   {ENOSPC, OUTCOME_QUOTA_EXCEEDED},
    {EDQUOT, OUTCOME_QUOTA_EXCEEDED},     {EFBIG, OUTCOME_QUOTA_EXCEEDED},
    {EMFILE, OUTCOME_QUOTA_EXCEEDED},     {ENFILE, OUTCOME_QUOTA_EXCEEDED},
    {EAGAIN, OUTCOME_QUOTA_EXCEEDED},     {ENOMEM, OUTCOME_QUOTA_EXCEEDED},
    {ELOOP, OUTCOME_INVALID_INPUT},       {ENAMETOOLONG, OUTCOME_INVALID_INPUT},
    {ENOTDIR, OUTCOME_INVALID_INPUT},     {EISDIR, OUTCOME_INVALID_INPUT},
    {EINVAL, OUTCOME_INVALID_INPUT},      {EXDEV, OUTCOME_INVALID_INPUT},
    {ENXIO, OUTCOME_INVALID_INPUT},       {ENODEV, OUTCOME_INVALID_INPUT},
    {ETXTBSY, OUTCOME_PERMISSION_DENIED},
};

struct failure_path failure_path(struct text path)
{
	struct failure_path shown;
	size_t at = 0;
	for (size_t i = 0; i < path.size && at + 1 < sizeof(shown.data); i++) {
		unsigned char c = (unsigned char)path.data[i];
		shown.data[at++] = (char)(c < 0x20 || c >= 0x7f ? '?' : c);
	}
	shown.data[at] = '\0';
	return shown;
}

enum outcome failure_say(struct task *task, enum outcome outcome, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(task->detail, sizeof(task->detail), format, args);
	va_end(args);
	return outcome;
}

enum outcome failure_of(struct task *task, int error, const char *what, struct text path)
{
	enum outcome outcome = OUTCOME_INTERNAL;
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
		if (outcomes[i].error == error)
			outcome = outcomes[i].outcome;
	return failure_say(task, outcome, "cannot %s %s: %s", what, failure_path(path).data,
			   strerror(error));
}
