/* Makes each system call that the table of docs/seccomp.md keeps from a tenant, and says how it was
 * answered: `name errno` a line. It is built and run inside an instance by syscalls.test.mjs. Where
 * a call has arguments they are such that the kernel itself would not answer EPERM or ENOSYS,
 * unless for want of a capability: those answers are the filter's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BAD_FD = 999, FAMILY_NETLINK = 16, NETLINK_AUDIT_KIND = 9, HIGH_BIT = 32 };

struct attempt {
	const char *name;
	long number;
	long arguments[5];
};

#define NEW(flag)                                                                                  \
	{                                                                                          \
		"unshare " #flag, SYS_unshare,                                                     \
		{                                                                                  \
			flag                                                                       \
		}                                                                                  \
	}

static const struct attempt attempts[] = {
    {"getpid", SYS_getpid, {0}}, /* the alarm rings for the call, not for the list */
    {"personality plain", SYS_personality, {0}},
    {"socket AF_INET", SYS_socket, {AF_INET, SOCK_STREAM, 0}},
    {"socket AF_NETLINK route", SYS_socket, {AF_NETLINK, SOCK_RAW, 0}},
    NEW(CLONE_NEWUSER),
    NEW(CLONE_NEWNS),
    NEW(CLONE_NEWPID),
    NEW(CLONE_NEWNET),
    NEW(CLONE_NEWIPC),
    NEW(CLONE_NEWUTS),
    NEW(CLONE_NEWCGROUP),
    {"clone CLONE_NEWUSER", SYS_clone, {CLONE_NEWUSER | SIGCHLD}},
    {"clone CLONE_NEWNS", SYS_clone, {CLONE_NEWNS | SIGCHLD}},
    {"clone3", SYS_clone3, {0, 0}},
    {"setns", SYS_setns, {BAD_FD, 0}},
    {"mount", SYS_mount, {0, 0, 0, 0, 0}},
    {"umount2", SYS_umount2, {(long)"/tmp", 0}},
    {"pivot_root", SYS_pivot_root, {(long)"/tmp", (long)"/tmp"}},
    {"chroot", SYS_chroot, {(long)"/"}},
    {"fsopen", SYS_fsopen, {(long)"tmpfs", 0}},
    {"open_tree", SYS_open_tree, {AT_FDCWD, (long)"/", 1}},
    {"move_mount", SYS_move_mount, {BAD_FD, (long)"", BAD_FD, (long)"", 0}},
    {"mount_setattr", SYS_mount_setattr, {BAD_FD, (long)"", 0, 0, 0}},
    {"ptrace self", SYS_ptrace, {PTRACE_TRACEME, 0, 0, 0}},
    {"ptrace agent", SYS_ptrace, {PTRACE_SEIZE, 1, 0, 0}},
    {"process_vm_readv", SYS_process_vm_readv, {1, 0, 0, 0, 0}},
    {"process_vm_writev", SYS_process_vm_writev, {1, 0, 0, 0, 0}},
    {"kcmp", SYS_kcmp, {1, 1, 0, 0, 0}},
    {"pidfd_getfd", SYS_pidfd_getfd, {BAD_FD, 0, 0}},
    {"bpf", SYS_bpf, {BPF_MAP_CREATE, 0, 0}},
    {"perf_event_open", SYS_perf_event_open, {0, 0, -1, BAD_FD, 0}},
    {"userfaultfd", SYS_userfaultfd, {1}}, /* of user space alone: no capability is asked for */
    {"keyctl", SYS_keyctl, {0, -3, 1}},
    {"add_key", SYS_add_key, {(long)"user", (long)"x", (long)"x", 1, -3}},
    {"request_key", SYS_request_key, {(long)"user", (long)"x", 0, -3}},
    {"io_uring_setup", SYS_io_uring_setup, {1, 0}},
    {"io_uring_enter", SYS_io_uring_enter, {BAD_FD, 0, 0, 0, 0}},
    {"io_uring_register", SYS_io_uring_register, {BAD_FD, 0, 0, 0}},
    {"open_by_handle_at", SYS_open_by_handle_at, {AT_FDCWD, 0, 0}},
    {"name_to_handle_at", SYS_name_to_handle_at, {AT_FDCWD, (long)"/tmp", 0, 0, 0}},
    {"init_module", SYS_init_module, {0, 0, 0}},
    {"finit_module", SYS_finit_module, {BAD_FD, 0, 0}},
    {"delete_module", SYS_delete_module, {(long)"x", 0}},
    {"kexec_load", SYS_kexec_load, {0, 0, 0, 0}},
    {"reboot", SYS_reboot, {0, 0, 0, 0}},
    {"swapon", SYS_swapon, {(long)"/tmp", 0}},
    {"swapoff", SYS_swapoff, {(long)"/tmp"}},
    {"quotactl", SYS_quotactl, {0, 0, 0, 0}},
    {"acct", SYS_acct, {0}},
    {"settimeofday", SYS_settimeofday, {0, 0}},
    {"clock_settime", SYS_clock_settime, {0, 0}},
    {"syslog", SYS_syslog, {3, 0, 0}},
    {"sethostname", SYS_sethostname, {(long)"x", 1}},
    {"personality READ_IMPLIES_EXEC", SYS_personality, {0x0400000}},
    {"ioctl TIOCSTI", SYS_ioctl, {BAD_FD, TIOCSTI, (long)"x"}},
    {"ioctl TIOCSTI with a bit above", SYS_ioctl, {BAD_FD, TIOCSTI | 1L << HIGH_BIT, (long)"x"}},
    {"socket AF_PACKET", SYS_socket, {AF_PACKET, SOCK_RAW, 0}},
    {"socket AF_VSOCK", SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}},
    {"socket AF_ALG", SYS_socket, {AF_ALG, SOCK_SEQPACKET, 0}},
    {"socket AF_KEY", SYS_socket, {AF_KEY, SOCK_RAW, 2}},
    {"socket AF_NETLINK audit", SYS_socket, {FAMILY_NETLINK, SOCK_RAW, NETLINK_AUDIT_KIND}},
    {"a call that nobody has invented", 5000, {0}},
};

static void make(const struct attempt *attempt)
{
	const long *a = attempt->arguments;
	long r = syscall(attempt->number, a[0], a[1], a[2], a[3], a[4]);
	if (r == 0 && attempt->number == SYS_clone)
		_exit(0);
	printf("%s\t%s\n", attempt->name, r >= 0 ? "0" : strerrorname_np(errno));
}

/* Calls of 32-bit programs have other numbers, and would pass by the filter. */
static void call_as_32_bit(void)
{
#ifdef __x86_64__
	int status;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		long result = 20; /* getpid */
		__asm__ volatile("int $0x80" : "+a"(result) : : "memory");
		_exit(0);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid)
		printf("32-bit\t%s\n", WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "0");
#endif
}

int main(void)
{
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++)
		make(&attempts[i]);
	call_as_32_bit();
	return 0;
}
