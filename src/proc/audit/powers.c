#include "proc/audit/powers.h"

static const char *const syscalls[] = {
    "openat",    "mkdirat",   "unlinkat",   "renameat", "fsync",
    "fdatasync", "ftruncate", "getdents64", NULL,
};

const struct confine_powers audit_powers = {
    .role = "audit",
    .open_files = 64,
    .syscalls = syscalls,
};
