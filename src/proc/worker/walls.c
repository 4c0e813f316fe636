#include "walls.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "tenant_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct walls {
	struct sock_fprog program;
	struct buffer code;
};

/* ---- the filter ---- */

/* Asked for by programs that take a refusal better than an unknown call. */
static const char *const refused[] = {
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "unshare",
    "setns",
    "ptrace",
    "bpf",
    "perf_event_open",
    "keyctl",
    "add_key",
    "request_key",
    "syslog",
    "acct",
    "reboot",
    "swapon",
    "swapoff",
    "quotactl",
    "settimeofday",
    "clock_settime",
    "adjtimex",
    "clock_adjtime",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "iopl",
    "ioperm",
    "open_by_handle_at",
    "name_to_handle_at",
    "sethostname",
    "setdomainname",
    "userfaultfd",
    "process_vm_readv",
    "process_vm_writev",
    "kcmp",
    "pidfd_getfd",
    "vhangup",
};

static int add_names(scmp_filter_ctx filter, uint32_t action, const char *const *names,
		     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);
		int r = number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, action, number, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

static const int socket_families[] = {AF_UNIX, AF_INET, AF_INET6};
static const uint64_t personalities[] = {0,       0x0008,     0x20000,
					 0x20008, 0xffffffff, ADDR_NO_RANDOMIZE};

/* Calls that are fine with some arguments. clone3 hides its flags from a filter: it is unknown
 * here, and the C library falls back to clone, whose flags may name no namespace. Input is put into
 * a terminal (TIOCSTI) by nobody. */
static int add_by_argument(scmp_filter_ctx filter)
{
	const uint64_t namespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
				    CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP |
				    0x80 /* CLONE_NEWTIME */;
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				 SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces, 0));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(socket_families); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, (uint64_t)socket_families[i]));
	/* Netlink alone for what getifaddrs(3) asks: routing information of the instance's own
	 * network. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				     SCMP_A0(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2(SCMP_CMP_EQ, 0));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(personalities); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
				     SCMP_A0(SCMP_CMP_EQ, personalities[i]));
	/* Every request that differs from TIOCSTI in some bit of the 32 that the kernel reads: a
	 * comparison of the whole argument would let it through with other bits above. */
	for (unsigned bit = 0; r == 0 && bit < 32; bit++) {
		const uint64_t mask = UINT64_C(1) << bit;
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_MASKED_EQ, mask, ~(uint64_t)TIOCSTI & mask));
	}
	return r;
}

static int compile(scmp_filter_ctx filter, struct buffer *code)
{
	int memory ATTR_DESCRIPTOR = memfd_create("filter", MFD_CLOEXEC);
	if (memory < 0)
		return -errno;
	int r = seccomp_export_bpf(filter, memory);
	if (r == 0 && lseek(memory, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? r : descriptor_read_to_end(memory, code);
}

int walls_new(struct walls **out)
{
	struct walls *walls = calloc(1, sizeof(*walls));
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (!walls || !filter) {
		free(walls);
		return error_origin(-ENOMEM);
	}
	int r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = add_names(filter, SCMP_ACT_ALLOW, tenant_calls, n_tenant_calls);
	if (r == 0)
		r = add_names(filter, SCMP_ACT_ERRNO(EPERM), refused, ARRAY_SIZE(refused));
	if (r == 0)
		r = add_by_argument(filter);
	if (r == 0)
		r = compile(filter, &walls->code);
	seccomp_release(filter);
	if (r < 0) {
		walls_free(walls);
		return error_origin(r);
	}
	walls->program =
	    (struct sock_fprog){(unsigned short)(walls->code.size / sizeof(struct sock_filter)),
				(struct sock_filter *)(void *)walls->code.data};
	*out = walls;
	return 0;
}

void walls_free(struct walls *walls)
{
	if (!walls)
		return;
	buffer_free(&walls->code);
	free(walls);
}

/* ---- capabilities ---- */

int walls_drop_bounding_set(void)
{
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		if (prctl(PR_CAPBSET_DROP, capability) < 0)
			return -errno;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ? -errno : 0;
}

int walls_drop_capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0}};
	return capset(&header, none) < 0 ? -errno : 0;
}

/* ---- Landlock ---- */

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

static const uint64_t reading =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
				LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
				LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
				LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM;
static const uint64_t devices =
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK; /* nowhere */

static const char *const writable[] = {"/project", "/tmp", "/run", "/home", "/dev"};

static int allow_below(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access,
						  .parent_fd = open(path, O_PATH | O_CLOEXEC)};
	if (rule.parent_fd < 0)
		return -errno;
	int r = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0
		    ? -errno
		    : 0;
	close(rule.parent_fd);
	return r;
}

static int restrict_files(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t more = abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
	if (abi >= 3)
		more |= LANDLOCK_ACCESS_FS_TRUNCATE;
	struct landlock_ruleset_attr attributes = {.handled_access_fs =
						       reading | writing | devices | more};
	int rules ATTR_DESCRIPTOR =
	    (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (abi < 1 || rules < 0)
		return -errno;
	int r = allow_below(rules, "/", reading);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(writable); i++)
		r = allow_below(rules, writable[i], reading | writing | more);
	if (r == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		r = -errno;
	return r;
}

int walls_close(const struct walls *walls)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	int r = restrict_files();
	if (r == 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &walls->program) < 0)
		r = -errno;
	return r;
}
