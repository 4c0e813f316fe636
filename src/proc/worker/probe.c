/* Stands in for the agent in test_launcher.c: tries what must not be possible inside an instance,
 * and what must be. Each check that fails is named on descriptor 3; "done" ends the list. Then it
 * waits, so that the test can look at it from outside. */
#include "base/attributes.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHANNEL = 3, MANY = 200, TOO_MUCH = 256 << 20 };

static bool fails_with(long result, int error)
{
	return result < 0 && errno == error;
}

static bool is_nobody_special(void)
{
	return getuid() == 1000 && geteuid() == 1000 && getgid() == 1000 && getpid() == 1 &&
	       getgroups(0, NULL) == 0 && setuid(0) < 0 && setgid(0) < 0;
}

static bool has_no_capability(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	for (int i = 0; i < 2; i++)
		if (data[i].effective || data[i].permitted || data[i].inheritable)
			return false;
	for (int i = 0; prctl(PR_CAPBSET_READ, i) >= 0; i++)
		if (prctl(PR_CAPBSET_READ, i))
			return false;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_SECCOMP) == 2;
}

static size_t count_entries(const char *path, bool numbers_only)
{
	size_t count = 0;
	DIR *entries = opendir(path);
	for (struct dirent *entry; entries && (entry = readdir(entries));)
		count += entry->d_name[0] != '.' &&
			 (!numbers_only || (entry->d_name[0] >= '0' && entry->d_name[0] <= '9'));
	if (entries)
		closedir(entries);
	return count;
}

static bool holds_no_descriptor(void)
{
	return count_entries("/proc/self/fd", false) == 5; /* 0 to 3 and the listing itself */
}

static bool sees_itself_alone(void)
{
	return count_entries("/proc", true) == 1;
}

static bool sees_loopback_alone(void)
{
	struct if_nameindex *interfaces = if_nameindex();
	bool alone = interfaces && interfaces[0].if_index &&
		     strcmp(interfaces[0].if_name, "lo") == 0 && interfaces[1].if_index == 0;
	if (interfaces)
		if_freenameindex(interfaces);
	return alone;
}

static bool loopback_works(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool works = bind(listener, (struct sockaddr *)&address, size) == 0 &&
		     listen(listener, 1) == 0 &&
		     getsockname(listener, (struct sockaddr *)&address, &size) == 0 &&
		     connect(client, (struct sockaddr *)&address, size) == 0;
	close(listener);
	close(client);
	return works;
}

static bool can_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct stat status;
	bool can =
	    fd >= 0 && fstat(fd, &status) == 0 && status.st_uid == 1000 && write(fd, "x", 1) == 1;
	if (fd >= 0)
		close(fd);
	return can;
}

static bool writes_its_own_places(void)
{
	return can_write("/project/mine") && can_write("/tmp/mine") && can_write("/run/mine") &&
	       can_write("/dev/shm/mine") && can_write("/home/user/mine");
}

static bool writes_nowhere_else(void)
{
	static const char *const places[] = {
	    "/mine",     "/usr/mine",  "/etc/mine", "/dev/mine",  "/proc/mine",  "/bin/mine",
	    "/var/mine", "/root/mine", "/sys/mine", "/home/mine", "/usr/bin/env"};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (open(places[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0)
			return false;
	return open("/proc/sys/kernel/hostname", O_WRONLY | O_CLOEXEC) < 0 &&
	       open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC) < 0;
}

static bool runs_the_hosts_programs(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	int status;
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static bool makes_no_namespace(void)
{
	struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	return fails_with(unshare(CLONE_NEWUSER), EPERM) &&
	       fails_with(unshare(CLONE_NEWNET), EPERM) &&
	       syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) < 0 &&
	       fails_with(syscall(SYS_clone3, &args, sizeof(args)), ENOSYS) &&
	       fails_with(setns(0, 0), EPERM);
}

static bool mounts_nothing(void)
{
	return fails_with(mount("x", "/tmp", "tmpfs", 0, NULL), EPERM) &&
	       fails_with(umount2("/project", MNT_DETACH), EPERM) &&
	       fails_with(chroot("/tmp"), EPERM) && syscall(SYS_open_tree, AT_FDCWD, "/", 1) < 0 &&
	       mknod("/tmp/device", S_IFBLK | 0600, makedev(8, 0)) < 0;
}

static bool reaches_no_kernel_back_door(void)
{
	static const long calls[] = {
	    SYS_bpf,         SYS_keyctl,         SYS_add_key,          SYS_perf_event_open,
	    SYS_userfaultfd, SYS_io_uring_setup, SYS_process_vm_readv, SYS_open_by_handle_at,
	    SYS_syslog,      SYS_kexec_load,     SYS_init_module,      SYS_swapon,
	    SYS_reboot};
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (syscall(calls[i], 0, 0, 0, 0, 0, 0) >= 0 || (errno != EPERM && errno != ENOSYS))
			return false;
	return fails_with(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM);
}

static bool opens_no_odd_socket(void)
{
	static const int families[] = {AF_PACKET, AF_ALG, AF_VSOCK, AF_KEY, AF_BLUETOOTH, AF_XDP};
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (socket(families[i], SOCK_RAW, 0) >= 0)
			return false;
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) < 0 && socket(AF_NETLINK, SOCK_RAW, 12) < 0;
}

/* The kernel reads 32 bits of the request: those above must not hide it from the filter. */
static bool types_into_no_terminal(void)
{
	int terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	char c = 'x';
	bool refused =
	    terminal >= 0 && fails_with(syscall(SYS_ioctl, terminal, TIOCSTI, &c), ENOSYS) &&
	    fails_with(syscall(SYS_ioctl, terminal, TIOCSTI | UINT64_C(1) << 32, &c), ENOSYS);
	close(terminal);
	return refused;
}

static bool has_a_limit_of_processes(void)
{
	int made = 0, error = 0;
	for (; made < MANY; made++) {
		pid_t pid = fork();
		if (pid == 0)
			for (;;)
				pause();
		if (pid < 0) {
			error = errno;
			break;
		}
	}
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0) {
	}
	return made < MANY && error == EAGAIN;
}

static bool has_a_limit_of_memory(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		char *memory = mmap(NULL, TOO_MUCH, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (size_t i = 0; memory != MAP_FAILED && i < TOO_MUCH; i += 4096)
			memory[i] = 1;
		_exit(0);
	}
	int status;
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGKILL;
}

struct check {
	const char *name;
	bool (*holds)(void);
};

#define CHECK(name)                                                                                \
	{                                                                                          \
#name, name                                                                        \
	}

static const struct check checks[] = {
    CHECK(is_nobody_special),     CHECK(has_no_capability),      CHECK(holds_no_descriptor),
    CHECK(sees_itself_alone),     CHECK(sees_loopback_alone),    CHECK(loopback_works),
    CHECK(writes_its_own_places), CHECK(writes_nowhere_else),    CHECK(runs_the_hosts_programs),
    CHECK(makes_no_namespace),    CHECK(mounts_nothing),         CHECK(reaches_no_kernel_back_door),
    CHECK(opens_no_odd_socket),   CHECK(types_into_no_terminal), CHECK(has_a_limit_of_processes),
    CHECK(has_a_limit_of_memory),
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (!checks[i].holds())
			dprintf(CHANNEL, "%s\n", checks[i].name);
	dprintf(CHANNEL, "done\n");
	for (;;)
		pause();
}
