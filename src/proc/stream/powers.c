#include "proc/stream/powers.h"

#include <stddef.h>

/* The log's files, in the role's own directory; it never opens a socket. */
static const char *const syscalls[] = {
    "openat", "unlinkat",  "renameat",  "ftruncate", "getdents64",
    "fsync",  "fdatasync", "fallocate", "fstatfs",   NULL,
};

const struct confine_powers stream_powers = {
    .role = "stream",
    .open_files = 1024,
    .syscalls = syscalls,
};
