/* How a role gives up what it does not need, before it parses anything: the only place that drops
 * or checks privilege.
 *
 * A role's powers are data: proc/ROLE/powers.c holds one `const struct confine_powers`. Everything
 * not named is gone after confine_enter(): the file system outside the role's own directory,
 * capabilities, system calls, new privileges. */
#pragma once

#include "base/attributes.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct confine_powers {
	const char *role;
	bool root_stays;         /* worker alone: no chroot, no change of user */
	uint64_t capabilities;   /* 1 << CAP_… kept, in the bounding set too */
	bool core_dumps;         /* false for all that hold keys or tenants' data */
	unsigned open_files;     /* RLIMIT_NOFILE, where the hard limit allows it */
	bool reads_system_files; /* issuer: may open /etc/resolv.conf, /etc/ssl and such, read-only
				  */
	/* Names, NULL-terminated, beyond the set that every role has (filter.c). */
	const char *const *syscalls;
	/* Worker alone: what those may call whom it starts, since they inherit its filter. What is
	 * in neither list is then an error (ENOSYS), and not the end of the process. */
	const char *const *tenant_syscalls;
};

/* Order matters and is explained in confine.c: limits, root, user, capabilities, no_new_privs,
 * Landlock, seccomp. `root` is the role's own directory: it becomes "/". A power that the kernel
 * cannot take away is an error, not a warning; CROFT has no switch to run without. */
int confine_enter(const struct confine_powers *powers, int root, uid_t uid,
		  gid_t gid) ATTR_MUST_CHECK;
