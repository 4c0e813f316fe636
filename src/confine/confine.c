#include "confine/confine.h"

#include "base/error.h"
#include "confine/filter.h"
#include "confine/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static int set_limits(const struct confine_powers *powers)
{
	struct rlimit files, none = {0, 0};
	if (!powers->core_dumps && setrlimit(RLIMIT_CORE, &none) < 0)
		return error_origin(-errno);
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return error_origin(-errno);
	rlim_t wanted = powers->open_files ? powers->open_files : 1024;
	files.rlim_cur = wanted < files.rlim_max ? wanted : files.rlim_max;
	files.rlim_max = files.rlim_cur;
	return setrlimit(RLIMIT_NOFILE, &files) < 0 ? error_origin(-errno) : 0;
}

/* A role that reads the system's files keeps the root that has them; Landlock limits it to those.
 */
static int enter_root(const struct confine_powers *powers, int root)
{
	if (powers->root_stays || powers->reads_system_files)
		return 0;
	if (fchdir(root) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return error_origin(-errno);
	return 0;
}

/* The bounding set goes while there still is the capability to lower it; and root without
 * capabilities shall not get them back by executing a file. */
static int drop_bounding_set(const struct confine_powers *powers)
{
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		if (!(powers->capabilities & (UINT64_C(1) << capability)) &&
		    prctl(PR_CAPBSET_DROP, capability) < 0)
			return error_origin(-errno);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return error_origin(-errno);
	if (powers->root_stays)
		return 0;
	return prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
					    SECBIT_NO_SETUID_FIXUP_LOCKED |
					    SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
					    SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED) < 0
		   ? error_origin(-errno)
		   : 0;
}

static int become_user(const struct confine_powers *powers, uid_t uid, gid_t gid)
{
	if (powers->root_stays)
		return 0;
	if (uid == 0 || gid == 0)
		return error_origin(-EINVAL);
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return error_origin(-errno);
	return 0;
}

static int set_capabilities(const struct confine_powers *powers)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	uint32_t low = (uint32_t)powers->capabilities,
		 high = (uint32_t)(powers->capabilities >> 32);
	struct __user_cap_data_struct data[2] = {{low, low, 0}, {high, high, 0}};
	return capset(&header, data) < 0 ? error_origin(-errno) : 0;
}

/* Order: limits first, while they may still be raised. The root before the user, since chroot(2) is
 * root's. The bounding set and the securebits before the user too, since the change of user takes
 * the capability for them. Then the capabilities; then no_new_privs, which Landlock and seccomp ask
 * of a process without them; the filter last, so that it need not allow what the steps before it
 * call. Landlock is not for a role that mounts: it forbids every change of the mount table. */
int confine_enter(const struct confine_powers *powers, int root, uid_t uid, gid_t gid)
{
	int r = set_limits(powers);
	if (r == 0)
		r = enter_root(powers, root);
	if (r == 0)
		r = drop_bounding_set(powers);
	if (r == 0)
		r = become_user(powers, uid, gid);
	if (r == 0)
		r = set_capabilities(powers);
	if (r == 0 && prctl(PR_SET_DUMPABLE, powers->core_dumps ? 1 : 0) < 0)
		r = error_origin(-errno);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = error_origin(-errno);
	if (r == 0 && !powers->root_stays)
		r = landlock_confine(powers->reads_system_files);
	if (r == 0)
		r = filter_allow(powers->syscalls, powers->tenant_syscalls);
	return error_trace(r);
}
