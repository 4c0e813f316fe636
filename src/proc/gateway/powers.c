#include "proc/gateway/powers.h"

/* No way to open a file, to connect, to bind or to start a process: its root is empty, its user
 * owns nothing, and these are the calls that serving accepted connections needs beyond the set that
 * every role has. */
static const char *const syscalls[] = {
    "accept4",
    "getpeername",
    "getsockname",
    NULL,
};

const struct confine_powers gateway_powers = {
    .role = "gateway",
    .capabilities = 0,
    .core_dumps = false,    /* credentials and tenants' data pass through its memory */
    .open_files = 64 << 10, /* connections, and up to two pipe ends for each transfer */
    .syscalls = syscalls,
};
