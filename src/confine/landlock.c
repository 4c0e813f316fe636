#include "confine/landlock.h"

#include "base/descriptor.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than Debian 12's header. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

enum { ABI_REFER = 2, ABI_TRUNCATE = 3 };

static const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t own_folder = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
				   LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
				   LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
				   LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_TRUNCATE;

/* Name resolution, certificates, and the libraries that the resolver loads late. */
static const char *const system_paths[] = {
    "/etc",        "/usr/lib", "/lib", "/usr/share/ca-certificates", "/usr/share/zoneinfo",
    "/dev/urandom"};

static uint64_t handled_by(int abi)
{
	uint64_t handled = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
			   LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
			   LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
			   LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
			   LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
			   LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
			   LANDLOCK_ACCESS_FS_MAKE_SYM;
	if (abi >= ABI_REFER)
		handled |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= ABI_TRUNCATE)
		handled |= LANDLOCK_ACCESS_FS_TRUNCATE;
	return handled;
}

/* A path that this system does not have needs no rule. */
static int allow(int rules, const char *path, uint64_t access)
{
	int fd ATTR_DESCRIPTOR = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : error_origin(-errno);
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
	long r = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (r < 0 && errno == EINVAL) { /* a file takes no rights of folders */
		rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE;
		r = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	}
	return r < 0 ? error_origin(-errno) : 0;
}

int landlock_confine(bool system_files)
{
	int abi =
	    (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return error_origin(-errno);
	struct landlock_ruleset_attr attributes = {.handled_access_fs = handled_by(abi)};
	int rules ATTR_DESCRIPTOR =
	    (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (rules < 0)
		return error_origin(-errno);
	int r = 0;
	if (!system_files)
		r = allow(rules, "/", own_folder & attributes.handled_access_fs);
	for (size_t i = 0; r == 0 && system_files && i < ARRAY_SIZE(system_paths); i++)
		r = allow(rules, system_paths[i], reading);
	if (r == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		r = error_origin(-errno);
	return error_trace(r);
}
