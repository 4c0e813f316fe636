#include "proc/control/powers.h"

/* SQLite on files below the role's own directory. */
static const char *const syscalls[] = {
    "access",    "faccessat", "faccessat2", "fchmod",   "fchown",   "fdatasync", "fsync",
    "ftruncate", "getcwd",    "geteuid",    "lseek",    "lstat",    "mremap",    "newfstatat",
    "open",      "openat",    "pread64",    "pwrite64", "readlink", "stat",      "fstat",
    "umask",     "unlink",    "mkdir",      "rmdir",    "utimes",   "fallocate", NULL,
};

const struct confine_powers control_powers = {
    .role = "control",
    .open_files = 4096,
    .syscalls = syscalls,
};
