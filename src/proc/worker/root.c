#include "root.h"

#include "base/descriptor.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* sys/mount.h and linux/mount.h do not go together in Debian 12. */
int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *data);
int umount2(const char *target, int flags);
enum { UNMOUNT_DETACH = 2 };

#define TMP_OPTIONS "mode=1777,size=1g,nr_inodes=262144"

/* ---- the template: what instances see as /etc ---- */

struct etc_file {
	const char *name;
	const char *content; /* NULL: a copy of the host's */
};

static const struct etc_file etc_files[] = {
    {"passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\nuser:x:1000:1000:user:/home/user:/bin/sh\n"
	       "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
    {"group", "root:x:0:\ntty:x:5:\nuser:x:1000:\nnogroup:x:65534:\n"},
    {"hosts", "127.0.0.1 localhost croft\n::1 localhost\n"},
    {"hostname", "croft\n"},
    {"nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"},
    {"resolv.conf", ""},
    {"shells", "/bin/sh\n/bin/bash\n"},
    {"ld.so.cache", NULL},
    {"ld.so.conf", NULL},
    {"debian_version", NULL},
    {"os-release", NULL},
    {"profile", "export PATH=/usr/local/bin:/usr/bin:/bin\n"},
};

static int write_etc_file(int etc, const struct etc_file *file)
{
	struct buffer content ATTR_BUFFER = {.limit = 16 << 20};
	char path[128];
	if (file->content) {
		buffer_append_text(&content, text_of(file->content));
	} else {
		snprintf(path, sizeof(path), "/etc/%s", file->name);
		if (file_read(AT_FDCWD, path, &content) < 0)
			return 0; /* the host does not have it either */
	}
	int r = file_replace(etc, file->name, buffer_bytes(&content), 0644);
	return r == 0 && fchmodat(etc, file->name, 0644, 0) < 0 ? -errno : r;
}

static int open_folder(int parent, const char *name, int *fd)
{
	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return error_origin(-errno);
	*fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *fd < 0 ? error_origin(-errno) : 0;
}

static int path_of(int directory, const char *name, char path[PATH_MAX])
{
	char link[64], folder[PATH_MAX];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", directory);
	ssize_t size = readlink(link, folder, sizeof(folder) - 1);
	if (size < 0)
		return error_origin(-errno);
	folder[size] = '\0';
	return snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX
		   ? 0
		   : error_origin(-ENAMETOOLONG);
}

/* Folders of the host that are shown as they are; they are mounted over these. */
static int make_points(int etc)
{
	static const char *const points[] = {"alternatives", "ssl", "ssl/certs"};
	for (size_t i = 0; i < ARRAY_SIZE(points); i++)
		if (mkdirat(etc, points[i], 0755) < 0 && errno != EEXIST)
			return error_origin(-errno);
	return 0;
}

int root_template_open(struct root_template *root, int directory)
{
	int etc ATTR_DESCRIPTOR = -1, point ATTR_DESCRIPTOR = -1;
	int r = open_folder(directory, "etc", &etc);
	if (r == 0)
		r = open_folder(directory, "root", &point);
	if (r == 0)
		r = path_of(directory, "etc", root->etc);
	if (r == 0)
		r = path_of(directory, "root", root->point);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(etc_files); i++)
		r = write_etc_file(etc, &etc_files[i]);
	return r < 0 ? r : make_points(etc);
}

int root_map_project(int project, int map, int *out)
{
	int tree ATTR_DESCRIPTOR = (int)syscall(
	    SYS_open_tree, project, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attributes = {.attr_set =
					    MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
					.userns_fd = (uint64_t)map};
	if (tree < 0 || syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes,
				sizeof(attributes)) < 0)
		return error_origin(-errno);
	*out = descriptor_take(&tree);
	return 0;
}

/* ---- in the child; the current folder is the new root until pivot ---- */

static int bind_read_only(const char *from, const char *to)
{
	const unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV;
	if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
		return errno == ENOENT ? 0 : -1;
	return mount(NULL, to, NULL, flags, NULL);
}

struct folder {
	const char *name;
	mode_t mode;
};

static int make_skeleton(void)
{
	static const struct folder folders[] = {{"usr", 0755},  {"etc", 0755},     {"dev", 0755},
						{"proc", 0755}, {"tmp", 0755},     {"run", 0755},
						{"home", 0755}, {"project", 0755}, {"var", 0755},
						{"root", 0755}, {"sys", 0755}};
	static const char *const links[][2] = {{"usr/bin", "bin"},     {"usr/sbin", "sbin"},
					       {"usr/lib", "lib"},     {"usr/lib32", "lib32"},
					       {"usr/lib64", "lib64"}, {"usr/libx32", "libx32"},
					       {"../tmp", "var/tmp"},  {"../run", "var/run"}};
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (mkdir(folders[i].name, folders[i].mode) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlink(links[i][0], links[i][1]) < 0)
			return -1;
	return 0;
}

static int mount_etc(const struct root_template *root)
{
	if (bind_read_only(root->etc, "etc") < 0)
		return -1;
	if (bind_read_only("/etc/alternatives", "etc/alternatives") < 0)
		return -1;
	return bind_read_only("/etc/ssl/certs", "etc/ssl/certs");
}

struct device {
	const char *name;
	unsigned major, minor;
};

static int make_devices(void)
{
	static const struct device devices[] = {{"dev/null", 1, 3},    {"dev/zero", 1, 5},
						{"dev/full", 1, 7},    {"dev/random", 1, 8},
						{"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
	static const char *const links[][2] = {{"pts/ptmx", "dev/ptmx"},
					       {"/proc/self/fd", "dev/fd"},
					       {"/proc/self/fd/0", "dev/stdin"},
					       {"/proc/self/fd/1", "dev/stdout"},
					       {"/proc/self/fd/2", "dev/stderr"}};
	if (mount("dev", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k,nr_inodes=64") <
	    0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (mknod(devices[i].name, S_IFCHR | 0666,
			  makedev(devices[i].major, devices[i].minor)) < 0 ||
		    chmod(devices[i].name, 0666) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlink(links[i][0], links[i][1]) < 0)
			return -1;
	if (mkdir("dev/pts", 0755) < 0 || mkdir("dev/shm", 01777) < 0)
		return -1;
	if (mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=0620") < 0)
		return -1;
	if (mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=1777,size=256m,nr_inodes=16384") < 0)
		return -1;
	return mount(NULL, "dev", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC,
		     NULL);
}

/* What of /proc tells of the host or changes it is covered or read-only. */
static int mount_proc(void)
{
	static const char *const covered[] = {
	    "proc/kcore",    "proc/keys", "proc/key-users", "proc/timer_list",   "proc/sched_debug",
	    "proc/kallsyms", "proc/kmsg", "proc/config.gz", "proc/sysrq-trigger"};
	static const char *const read_only[] = {"proc/sys", "proc/bus", "proc/fs", "proc/irq"};
	if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(covered); i++)
		if (mount("dev/null", covered[i], NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
			return -1;
	for (size_t i = 0; i < ARRAY_SIZE(read_only); i++)
		if (bind_read_only(read_only[i], read_only[i]) < 0)
			return -1;
	return 0;
}

static int mount_private(uint32_t user)
{
	if (mount("tmp", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, TMP_OPTIONS) < 0 ||
	    mount("run", "run", "tmpfs", MS_NOSUID | MS_NODEV,
		  "mode=1777,size=64m,nr_inodes=16384") < 0 ||
	    mount("home", "home", "tmpfs", MS_NOSUID | MS_NODEV,
		  "mode=755,size=512m,nr_inodes=65536") < 0)
		return -1;
	return mkdir("home/user", 0755) < 0 || chown("home/user", user, user) < 0 ? -1 : 0;
}

static int mount_project(int project)
{
	return (int)syscall(SYS_move_mount, project, "", AT_FDCWD, "project",
			    MOVE_MOUNT_F_EMPTY_PATH);
}

static int pivot(void)
{
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", UNMOUNT_DETACH) < 0 ||
	    chdir("/") < 0)
		return -1;
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
		     NULL);
}

static int bring_up_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd ATTR_DESCRIPTOR = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &request);
}

int root_build(const struct root_template *root, uint32_t user)
{
	umask(0);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("root", root->point, "tmpfs", MS_NOSUID, "mode=755,size=256k,nr_inodes=128") < 0)
		return -1;
	if (chdir(root->point) < 0 || make_skeleton() < 0 || bind_read_only("/usr", "usr") < 0 ||
	    mount_etc(root) < 0 || make_devices() < 0 || mount_proc() < 0 ||
	    mount_private(user) < 0)
		return -1;
	umask(022);
	return sethostname("croft", 5) < 0 || bring_up_loopback() < 0 ? -1 : 0;
}

int root_enter(int project)
{
	return mount_project(project) < 0 || pivot() < 0 ? -1 : 0;
}
