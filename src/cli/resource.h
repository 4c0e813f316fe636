/* What `workspace`, `project`, `keys` and `members` do alike: list, show, create and delete objects
 * of the API. */
#pragma once

#include "output.h"

struct resource {
	const char *singular; /* for messages */
	const struct output_column *columns;
	size_t n_columns;
};

int resource_list(struct cli *cli, const struct resource *resource, const char *path);
int resource_show(struct cli *cli, const struct resource *resource, const char *path);

/* POST of `body`; prints the identifier, or the object with --json. `secret_member` is printed as a
 * line of its own. */
int resource_create(struct cli *cli, const char *path, struct text body, const char *secret_member);
int resource_delete(struct cli *cli, const struct resource *resource, const char *path);
