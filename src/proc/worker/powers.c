#include "powers.h"

#include "tenant_calls.h"

#include <linux/capability.h>

#define BIT(capability) (UINT64_C(1) << (capability))

/* Beyond those of its tenants: making an instance, and what an instance's own filter lets through
 * with some arguments only. */
static const char *const syscalls[] = {
    "clone",       "clone3",    "unshare",    "setns",         "mount",
    "umount2",     "open_tree", "move_mount", "mount_setattr", "pivot_root",
    "sethostname", "socket",    "ioctl",      "personality",   NULL,
};

/* Root stays, without most of root: */
const struct confine_powers worker_powers = {
    .role = "worker",
    .root_stays = true,
    .open_files = 20000,
    .syscalls = syscalls,
    .tenant_syscalls = tenant_calls,
    .capabilities =
	BIT(CAP_SYS_ADMIN)                  /* namespaces, mounts, id-mapped mounts */
	| BIT(CAP_SYS_CHROOT)               /* entering an instance's root */
	| BIT(CAP_NET_ADMIN)                /* the loopback of an instance's network */
	| BIT(CAP_MKNOD)                    /* null, zero and such in an instance's /dev */
	| BIT(CAP_SETUID) | BIT(CAP_SETGID) /* id maps, and becoming the tenant */
	| BIT(CAP_SETPCAP)                  /* emptying the bounding set of an instance */
	| BIT(CAP_CHOWN) | BIT(CAP_FOWNER) |
	BIT(CAP_DAC_OVERRIDE)  /* project folders, and removing them */
	| BIT(CAP_KILL)        /* ending instances */
	| BIT(CAP_SYS_PTRACE), /* opening the namespaces of a child that runs as another user */
};
