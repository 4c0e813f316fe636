/* Every setting of croft.conf, as one table: the supervisor checks and hands out by it, `croftd
 * --help-config` and the manual page are printed from it, and a role receives only those that its
 * bit is set for. A file line is `name = value`. */
#pragma once

#include "proto/roles.h"

#include <stdbool.h>

enum setting_type {
	SETTING_TEXT,
	SETTING_COUNT,    /* a number */
	SETTING_SIZE,     /* bytes, with k, M, G, T (powers of 1024) */
	SETTING_DURATION, /* milliseconds, with ms, s, m, h, d */
	SETTING_LEVEL,    /* enum log_level */
	SETTING_FILE,     /* a path; the role receives the file's content */
	SETTING_MADE,     /* by croftd itself; no file may set it */
	SETTING_TYPES,
};

struct setting {
	const char *name;
	enum setting_type type;
	const char *fallback; /* what holds when the file is silent; "" for none */
	unsigned roles;       /* ROLE_BIT()s of those who receive it */
	const char *help;
	uint64_t least, most; /* of COUNT, SIZE and DURATION, both ends allowed */
};

extern const struct setting settings[];
extern const size_t n_settings;

const struct setting *setting_find(struct text name); /* or NULL */

extern const char *const setting_forms[SETTING_TYPES]; /* how a value is written, for people */

/* For COUNT, SIZE, DURATION and LEVEL: 0 and the value, 1 if `text` is none or out of range. */
int setting_parse(const struct setting *setting, struct text text, uint64_t *value);

static inline bool setting_has_range(const struct setting *setting)
{
	return setting->type == SETTING_COUNT || setting->type == SETTING_SIZE ||
	       setting->type == SETTING_DURATION;
}

enum { SETTING_SHOWN_SIZE = 32 };

/* A value as a file would have it, in the largest unit that divides it. */
void setting_show(const struct setting *setting, uint64_t value, char out[SETTING_SHOWN_SIZE]);
