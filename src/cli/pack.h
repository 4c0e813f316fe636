/* Packs a local folder into a tar on a pipe, and unpacks one, each in a child process: the parent
 * is busy with the network. */
#pragma once

#include "transfer.h"

#include <sys/types.h>

/* The child's pid, and in *fd the pipe's end that the parent reads; negative errno. */
pid_t pack_start(const char *folder, const struct transfer_names *names, int *fd);

/* The parent writes a tar to *fd. Entries that would leave `folder` end it. */
pid_t unpack_start(const char *folder, int *fd);

/* 0 if the child did all of it. */
int pack_finish(pid_t pid);
