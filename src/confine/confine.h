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
	const char *const
	    *syscalls; /* names, NULL-terminated, beyond the set that every role has (confine.c) */
};

/* Order matters and is explained in confine.c: limits, root, user, capabilities, no_new_privs,
 * Landlock, seccomp. `root` is the role's own directory: it becomes "/". A power that the kernel
 * cannot take away is an error, not a warning; CROFT has no switch to run without. */
int confine_enter(const struct confine_powers *powers, int root, uid_t uid,
		  gid_t gid) ATTR_MUST_CHECK;

/* What this process really has, one `name value` a line, for tests and `croftd --powers`: uids,
 * capability sets, no_new_privs, seccomp mode, root, open descriptors. */
int confine_describe(int out);
