/* The file system that an instance sees: a read-only root made of the host's /usr and a small /etc
 * of our own, private folders in memory, and the project. Made by the instance's first process
 * while it still is root, in a mount namespace that the tenant's capabilities never reach: it
 * belongs to the host's user namespace. */
#pragma once

#include "base/attributes.h"

#include <limits.h>
#include <stdint.h>

/* Paths, not descriptors: a descriptor names a folder in the mount namespace in which it was
 * opened, and nothing can be mounted on it or from it in another. */
struct root_template {
	char etc[PATH_MAX];   /* folder with what instances see as /etc */
	char point[PATH_MAX]; /* empty folder that roots are built on */
};

/* Writes the template's files below DIR/worker. */
int root_template_open(struct root_template *root, int directory) ATTR_MUST_CHECK;

/* A detached mount of the project's folder on which the owner on disk is shown as the instance's
 * user. -EINVAL where the file system cannot. */
int root_map_project(int project, int map, int *mount) ATTR_MUST_CHECK;

/* In the child: builds the root, without the project. `user` is the host's id of the instance's
 * user. errno says why. */
int root_build(const struct root_template *root, uint32_t user) ATTR_MUST_CHECK;

/* Then moves into it, with the project; the working directory must be as root_build() left it. */
int root_enter(int project) ATTR_MUST_CHECK;
