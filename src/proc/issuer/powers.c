#include "proc/issuer/powers.h"

/* The resolver of the C library runs in a thread of libcurl's. */
static const char *const syscalls[] = {
    "socket",      "connect",
    "bind",        "getsockname",
    "getpeername", "socketpair",
    "sendmmsg",    "openat",
    "open",        "access",
    "stat",        "lstat",
    "statx",       "readlink",
    "getdents64",  "clone",
    "clone3",      "set_tid_address",
    "getcwd",      "faccessat",
    "faccessat2",  "sched_setaffinity",
    NULL,
};

const struct confine_powers issuer_powers = {
    .role = "issuer",
    .open_files = 64,
    .reads_system_files = true,
    .syscalls = syscalls,
};
