/* The command line and the configuration file of croftd. */
#pragma once

#include "base/buffer.h"
#include "proto/settings.h"

enum { SETTINGS_MAX = 64 };

struct options {
	const char *data;   /* --data */
	const char *listen; /* --listen, stronger than the file; or NULL */
	unsigned roles;     /* ROLE_BIT()s to start */
	bool check_only;    /* --check */
	/* As configured, parallel to settings[]: NULL where the fallback holds. A file's content
	 * for SETTING_FILE. */
	struct buffer values[SETTINGS_MAX];
	bool is_set[SETTINGS_MAX];
	/* While a file is read, for what is said about it. */
	const char *file;
	unsigned line;
};

enum options_outcome {
	OPTIONS_RUN = 0,
	OPTIONS_DONE = 1,  /* something was asked that has been answered: exit 0 */
	OPTIONS_WRONG = 2, /* said why on standard error: exit 2 */
};

int options_read(struct options *options, int argc, char **argv);
void options_free(struct options *options);

struct text options_value(const struct options *options, const char *name);
uint64_t options_number(const struct options *options, const char *name);
