#include "confine/filter.h"

#include "base/error.h"
#include "base/log.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* Memory, time, signals to itself, and reading and writing of descriptors that it was given: the C
 * library, the event loop and the channels. Opening, making and connecting are powers of the single
 * roles. */
static const char *const common[] = {
    "read",
    "write",
    "readv",
    "writev",
    "pread64",
    "pwrite64",
    "preadv",
    "pwritev",
    "preadv2",
    "pwritev2",
    "close",
    "close_range",
    "fstat",
    "newfstatat",
    "lseek",
    "fcntl",
    "dup",
    "dup2",
    "dup3",
    "ioctl",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "eventfd2",
    "pipe2",
    "recvmsg",
    "sendmsg",
    "recvfrom",
    "sendto",
    "shutdown",
    "getsockopt",
    "setsockopt",
    "mmap",
    "mprotect",
    "munmap",
    "mremap",
    "madvise",
    "brk",
    "mlock",
    "munlock",
    "mlock2",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    "restart_syscall",
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "futex",
    "set_robust_list",
    "rseq",
    "sched_yield",
    "sched_getaffinity",
    "membarrier",
    "getpid",
    "gettid",
    "getppid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getrandom",
    "getrusage",
    "prctl",
    "prlimit64",
    "sysinfo",
    "uname",
    "tgkill",
    "exit",
    "exit_group",
    NULL,
};

static void outside_of_powers(int number ATTR_UNUSED, siginfo_t *info, void *context ATTR_UNUSED)
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
	log_error("system call %s (%d) is outside of this role's powers", name ? name : "?",
		  info->si_syscall);
	_exit(128 + SIGSYS);
}

/* A name that this machine's libseccomp or architecture does not know cannot be called either. */
static int allow(scmp_filter_ctx filter, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);
	if (number == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
}

static int allow_all(scmp_filter_ctx filter, const char *const *names)
{
	int r = 0;
	for (size_t i = 0; r == 0 && names && names[i]; i++)
		r = allow(filter, names[i]);
	return r;
}

int filter_allow(const char *const *names, const char *const *tenants)
{
	struct sigaction action = {.sa_sigaction = outside_of_powers, .sa_flags = SA_SIGINFO};
	if (sigaction(SIGSYS, &action, NULL) < 0)
		return error_origin(-errno);
	scmp_filter_ctx filter = seccomp_init(tenants ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_TRAP);
	if (!filter)
		return error_origin(-ENOMEM);
	int r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = allow_all(filter, common);
	if (r == 0)
		r = allow_all(filter, names);
	if (r == 0)
		r = allow_all(filter, tenants);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r < 0 ? error_origin(r) : 0;
}
