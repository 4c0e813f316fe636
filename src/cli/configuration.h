/* What `croft login` and `croft project use` remember: $XDG_CONFIG_HOME/croft/config.json, mode
 * 0600. */
#pragma once

#include "command.h"

struct configuration {
	char *url, *key, *ca, *workspace, *project;
};

int configuration_load(
    struct configuration *configuration); /* 0, also when there is none; else an exit status */
int configuration_save(const struct configuration *configuration);
void configuration_free(struct configuration *configuration);

/* Fills what options did not set: first from the environment, then from the configuration. */
void configuration_apply(const struct configuration *configuration, struct cli *cli);

/* Replaces one member by a copy of `value`. */
void configuration_set(char **member, const char *value);

/* What `use` does: keeps a project for the commands that follow, or a workspace and with it no
 * project, as the one before was another's. 0 or an exit status. */
int configuration_use(const char *workspace, const char *project);
