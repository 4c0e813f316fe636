/* One line per event on standard error: time, level, process, message. Fields are written
 * key=value. Never pass a secret or a tenant's content; client-supplied text goes through
 * log_text(). */
#pragma once

#include "base/attributes.h"
#include "base/text.h"

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* `name` must outlive the process; it stands in every line. */
void log_open(const char *name, enum log_level level);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *format, ...) ATTR_PRINTF(2, 3);

/* 0 and the level, or 1 if `name` is none of debug, info, warning, error. */
int log_level_parse(struct text name, enum log_level *level);

/* Copies foreign text into `out` with everything but printable ASCII replaced; returns `out`. */
const char *log_text(char *out, size_t size, struct text foreign);

#define log_debug(...)   log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)    log_write(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_error(...)   log_write(LOG_ERROR, __VA_ARGS__)
