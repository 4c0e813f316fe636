#include "base/log.h"
#include "base/unit_test.h"
#include "confine/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOMEBODY = 64399 };

static const char *const file_calls[] = {"openat",  "mkdir",  "fsync",  "setresuid",
					 "mount",   "chroot", "mknod",  "mknodat",
					 "symlink", "execve", "unlink", NULL};
static const struct confine_powers file_powers = {.role = "test", .syscalls = file_calls};
static const struct confine_powers reader_powers = {
    .role = "test", .reads_system_files = true, .syscalls = file_calls};
static const struct confine_powers no_powers = {.role = "test"};

/* Runs `attempt` in a child that was confined to a fresh folder; returns its wait status. */
static int confined(const struct confine_powers *powers, int (*attempt)(void))
{
	char folder[] = "/tmp/croft-confine-XXXXXX";
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chown(folder, SOMEBODY, SOMEBODY), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		fclose(stderr);
		_exit(confine_enter(powers, root, SOMEBODY, SOMEBODY) < 0 ? 99 : attempt());
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	char made[64];
	snprintf(made, sizeof(made), "%s/mine", folder);
	rmdir(made);
	assert_int_equal(rmdir(folder), 0);
	return status;
}

#define assert_holds(powers, attempt)                                                              \
	do {                                                                                       \
		int wait_status = confined((powers), (attempt));                                   \
		assert_true(WIFEXITED(wait_status));                                               \
		assert_int_equal(WEXITSTATUS(wait_status), 0);                                     \
	} while (0)

static int has_no_privilege(void)
{
	struct rlimit core;
	return getuid() == SOMEBODY && geteuid() == SOMEBODY && getgid() == SOMEBODY &&
		       prctl(PR_CAPBSET_READ, CAP_CHOWN) == 0 &&
		       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_DUMPABLE) == 0 &&
		       prctl(PR_GET_SECCOMP) == 2 && getrlimit(RLIMIT_CORE, &core) == 0 &&
		       core.rlim_max == 0
		   ? 0
		   : 1;
}

static int cannot_come_back(void)
{
	return setresuid(0, 0, 0) < 0 && errno == EPERM && chroot("/") < 0 && errno == EPERM ? 0
											     : 1;
}

static int sees_its_own_root_alone(void)
{
	bool own = mkdir("/mine", 0700) == 0;
	int up = open("/../../../etc/passwd", O_RDONLY | O_CLOEXEC);
	return own && up < 0 && errno == ENOENT ? 0 : 1;
}

/* The calls are allowed here, and the folder is its own: it is Landlock that refuses. */
static int makes_no_more_than_files_and_folders(void)
{
	char *const none[] = {NULL};
	int fd = open("/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	bool made = fd >= 0 && close(fd) == 0;
	bool no_link = symlink("file", "/link") < 0 && errno == EACCES;
	bool no_socket = mknod("/socket", S_IFSOCK | 0600, 0) < 0 && errno == EACCES;
	bool no_fifo = mknod("/fifo", S_IFIFO | 0600, 0) < 0 && errno == EACCES;
	bool no_program = execve("/file", none, none) < 0 && errno == EACCES;
	bool removed = unlink("/file") == 0;
	return made && no_link && no_socket && no_fifo && no_program && removed ? 0 : 1;
}

/* Each of these everybody may read, or write, as far as users and modes are concerned. */
static int reads_what_resolving_needs_and_no_more(void)
{
	static const char *const out[] = {"/proc/self/status", "/usr/bin/env", "/var", "/tmp", "/"};
	for (size_t i = 0; i < ARRAY_SIZE(out); i++)
		if (open(out[i], O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
			return (int)i + 1;
	bool no_file =
	    open("/tmp/croft-confine", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 && errno == EACCES;
	return no_file && open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 99;
}

static int opens_a_file(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0 ? 0 : 1;
}

static int opens_a_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : 1;
}

static int starts_a_process(void)
{
	return syscall(SYS_fork) >= 0 ? 0 : 1;
}

/* As the worker: root, with a filter that others inherit. */
static const char *const mount_calls[] = {"umount2", NULL};
static const char *const tenant_calls[] = {"openat", "fork", "wait4", NULL};
static const struct confine_powers root_powers = {
    .role = "test", .root_stays = true, .syscalls = mount_calls, .tenant_syscalls = tenant_calls};

static int is_refused_and_lives(void)
{
	if (syscall(SYS_chroot, "/") == 0 || errno != ENOSYS)
		return 1;
	if (syscall(SYS_umount2, "", 0) == 0 || errno == ENOSYS)
		return 2;
	pid_t pid = (pid_t)syscall(SYS_fork);
	if (pid == 0) /* and so are those who come from it */
		_exit(syscall(SYS_delete_module, "", 0) < 0 && errno == ENOSYS ? 0 : 1);
	int status;
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 3;
}

static void a_filter_for_others_refuses_and_does_not_end(void **state ATTR_UNUSED)
{
	assert_holds(&root_powers, is_refused_and_lives);
}

static void privileges_are_gone_for_good(void **state ATTR_UNUSED)
{
	assert_holds(&file_powers, has_no_privilege);
	assert_holds(&file_powers, cannot_come_back);
}

static void the_root_is_the_roles_own(void **state ATTR_UNUSED)
{
	assert_holds(&file_powers, sees_its_own_root_alone);
}

static void landlock_refuses_what_user_and_root_would_allow(void **state ATTR_UNUSED)
{
	assert_holds(&file_powers, makes_no_more_than_files_and_folders);
	assert_holds(&reader_powers, reads_what_resolving_needs_and_no_more);
}

static void what_is_not_named_ends_the_process(void **state ATTR_UNUSED)
{
	static int (*const attempts[])(void) = {opens_a_file, opens_a_socket, starts_a_process};
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		int status = confined(&no_powers, attempts[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 128 + SIGSYS);
	}
	assert_holds(&file_powers,
		     opens_a_file); /* the alarm rings for the call, not for the test */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(privileges_are_gone_for_good),
	    cmocka_unit_test(the_root_is_the_roles_own),
	    cmocka_unit_test(landlock_refuses_what_user_and_root_would_allow),
	    cmocka_unit_test(what_is_not_named_ends_the_process),
	    cmocka_unit_test(a_filter_for_others_refuses_and_does_not_end),
	};
	log_open("test", LOG_INFO);
	if (geteuid() != 0) {
		puts("skipped: confinement starts from root");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
