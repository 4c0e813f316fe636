/* The last walls of an instance, closed by the process itself before it becomes the agent:
 * capabilities, no_new_privs, Landlock and the system call filter. docs/seccomp.md holds the reason
 * for each family of calls. */
#pragma once

#include "base/attributes.h"

struct walls;

int walls_new(struct walls **walls) ATTR_MUST_CHECK; /* compiles the filter, once */
void walls_free(struct walls *walls);

/* In the child. */
int walls_drop_bounding_set(void) ATTR_MUST_CHECK;
int walls_drop_capabilities(void) ATTR_MUST_CHECK;
int walls_close(const struct walls *walls)
    ATTR_MUST_CHECK; /* no_new_privs, Landlock, seccomp; errno says why */
