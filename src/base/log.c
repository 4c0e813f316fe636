#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 1024 };

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static const char *process_name = "croft";
static enum log_level lowest = LOG_INFO;

void log_open(const char *name, enum log_level level)
{
	tzset(); /* reads the time zone's file now, while files can still be opened */
	process_name = name;
	lowest = level;
}

bool log_enabled(enum log_level level)
{
	return level >= lowest;
}

int log_level_parse(struct text name, enum log_level *level)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (text_equal(name, text_of(level_names[i]))) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	return 1;
}

void log_write(enum log_level level, const char *format, ...)
{
	if (!log_enabled(level))
		return;

	char line[LOG_LINE_MAX], time[CLOCK_TEXT_SIZE];
	clock_format(clock_wall_ms(), time);
	int used = snprintf(line, sizeof(line), "%s %-7s %s[%d]: ", time, level_names[level],
			    process_name, (int)getpid());
	size_t at = (size_t)used;

	va_list args;
	va_start(args, format);
	int more = vsnprintf(line + at, sizeof(line) - at, format, args);
	va_end(args);
	if (more > 0)
		at += (size_t)more;
	if (at > sizeof(line) - 2)
		at = sizeof(line) - 2;
	line[at++] = '\n';
	/* Nobody is left to tell when standard error is gone. */
	ssize_t written ATTR_UNUSED = write(STDERR_FILENO, line, at);
}

const char *log_text(char *out, size_t size, struct text foreign)
{
	size_t at = 0;
	for (; at < foreign.size && at + 1 < size; at++) {
		char c = foreign.data[at];
		out[at] = (c >= 0x20 && c < 0x7f && c != '"') ? c : '?';
	}
	out[at] = '\0';
	return out;
}
