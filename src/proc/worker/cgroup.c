#include "proc/worker/cgroup.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "proc/worker/cgroup_mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CPU_PERIOD_US = 100000,
	FILE_LIMIT = 4096, /* of what is read from a group's file */
	LEFT_OVER_TRIES = 200,
	LEFT_OVER_WAIT_US = 10000, /* at start-up only: for killed processes to leave */
};

/* One folder per hierarchy. On v2 there is one hierarchy, and all controllers point at it. */
struct cgroups {
	bool v1;
	unsigned slots;
	int folders[CGROUP_CONTROLLERS +
		    1]; /* the last is the unified hierarchy; -1 where there is none */
	int parents[CGROUP_CONTROLLERS + 1]; /* what the folders lie in */
	char name[NAME_MAX];
};

enum { UNIFIED = CGROUP_CONTROLLERS, HIERARCHIES };

static void slot_name(unsigned slot, char out[16])
{
	snprintf(out, 16, "slot-%u", slot);
}

static int write_file(int folder, const char *name, const char *value)
{
	int fd ATTR_DESCRIPTOR = openat(folder, name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static int write_slot(const struct cgroups *cgroups, int hierarchy, unsigned slot, const char *file,
		      const char *value)
{
	char path[96];
	snprintf(path, sizeof(path), "slot-%u/%s", slot, file);
	return write_file(cgroups->folders[hierarchy], path, value);
}

static int write_slot_number(const struct cgroups *cgroups, int hierarchy, unsigned slot,
			     const char *file, int64_t value)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, value);
	return write_slot(cgroups, hierarchy, slot, file, text);
}

static ssize_t read_slot(const struct cgroups *cgroups, int hierarchy, unsigned slot,
			 const char *file, char out[FILE_LIMIT])
{
	char path[96];
	snprintf(path, sizeof(path), "slot-%u/%s", slot, file);
	int fd ATTR_DESCRIPTOR = openat(cgroups->folders[hierarchy], path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, out, FILE_LIMIT - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	return n;
}

/* The number behind `key`, at the start of a line, or of a file that holds nothing else. 0 if it is
 * not there. */
static uint64_t read_number(const struct cgroups *cgroups, int hierarchy, unsigned slot,
			    const char *file, const char *key)
{
	char content[FILE_LIMIT];
	if (read_slot(cgroups, hierarchy, slot, file, content) < 0)
		return 0;
	size_t length = strlen(key);
	for (const char *line = content; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) == 0)
			return strtoull(line + length, NULL, 10);
	}
	return 0;
}

/* ---- opening ---- */

static int open_parents(struct cgroups *cgroups, struct text mount_table)
{
	struct cgroup_mounts mounts;
	cgroup_mounts_find(mount_table, &mounts);
	cgroups->v1 = cgroup_mounts_are_v1(&mounts);
	if (!cgroups->v1 && !mounts.unified.data)
		return error_origin(-ENOTSUP);
	for (int i = 0; i < HIERARCHIES; i++) {
		struct text point = i < UNIFIED && cgroups->v1 ? mounts.v1[i] : mounts.unified;
		char path[PATH_MAX];
		if (!point.data)
			continue;
		snprintf(path, sizeof(path), "%.*s", (int)point.size, point.data);
		cgroups->parents[i] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (cgroups->parents[i] < 0)
			return error_origin(-errno);
	}
	return 0;
}

/* Where there is no cgroup.kill, the processes are ended one by one until none is left. */
static void kill_listed(int folder)
{
	struct buffer list ATTR_BUFFER = {0};
	if (write_file(folder, "cgroup.kill", "1") == 0 ||
	    file_read(folder, "cgroup.procs", &list) < 0)
		return;
	struct text rest = buffer_text(&list), line;
	uint64_t pid;
	while (rest.data) {
		text_split(&rest, '\n', &line);
		if (text_parse_u64(line, INT_MAX, &pid) == 0 && pid > 1)
			kill((pid_t)pid, SIGKILL);
	}
}

static int remove_group(int parent, const char *name)
{
	for (int i = 0; i < LEFT_OVER_TRIES; i++) {
		if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return error_origin(-errno);
		int folder ATTR_DESCRIPTOR =
		    openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (folder >= 0)
			kill_listed(folder);
		usleep(LEFT_OVER_WAIT_US);
	}
	return error_origin(-EBUSY);
}

static int remove_left_over(int folder)
{
	int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = again < 0 ? NULL : fdopendir(again);
	if (!entries)
		return error_origin(-errno);
	int r = 0;
	for (struct dirent *entry; r == 0 && (entry = readdir(entries));)
		if (strncmp(entry->d_name, "slot-", 5) == 0)
			r = remove_group(folder, entry->d_name);
	closedir(entries);
	return error_trace(r);
}

static int open_folder(struct cgroups *cgroups, int hierarchy)
{
	int parent = cgroups->parents[hierarchy];
	if (mkdirat(parent, cgroups->name, 0755) < 0 && errno != EEXIST)
		return error_origin(-errno);
	cgroups->folders[hierarchy] =
	    openat(parent, cgroups->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroups->folders[hierarchy] < 0)
		return error_origin(-errno);
	return error_trace(remove_left_over(cgroups->folders[hierarchy]));
}

/* On v2 a controller works in a group only if every group above hands it down. */
static int hand_down(const struct cgroups *cgroups)
{
	static const char controllers[] = "+memory +cpu +pids";
	int r = write_file(cgroups->parents[UNIFIED], "cgroup.subtree_control", controllers);
	if (r == 0)
		r = write_file(cgroups->folders[UNIFIED], "cgroup.subtree_control", controllers);
	return r < 0 ? error_origin(-ENOTSUP) : 0;
}

int cgroups_open(struct cgroups **out, const char *name, unsigned slots)
{
	struct buffer table ATTR_BUFFER = {0};
	int r = file_read(AT_FDCWD, "/proc/self/mountinfo", &table);
	return r < 0 ? error_trace(r) : cgroups_open_below(out, buffer_text(&table), name, slots);
}

int cgroups_open_below(struct cgroups **out, struct text mount_table, const char *name,
		       unsigned slots)
{
	struct cgroups *cgroups = calloc(1, sizeof(*cgroups));
	if (!cgroups)
		return error_origin(-ENOMEM);
	cgroups->slots = slots;
	snprintf(cgroups->name, sizeof(cgroups->name), "%s", name);
	for (int i = 0; i < HIERARCHIES; i++)
		cgroups->folders[i] = cgroups->parents[i] = -1;
	int r = open_parents(cgroups, mount_table);
	for (int i = HIERARCHIES - 1; r == 0 && i >= 0; i--)
		if (cgroups->parents[i] >= 0)
			r = open_folder(cgroups, i);
	if (r == 0 && !cgroups->v1)
		r = hand_down(cgroups);
	if (r < 0) {
		cgroups_close(cgroups);
		return error_trace(r);
	}
	*out = cgroups;
	return 0;
}

void cgroups_close(struct cgroups *cgroups)
{
	if (!cgroups)
		return;
	for (int i = 0; i < HIERARCHIES; i++) {
		if (cgroups->folders[i] >= 0) {
			remove_left_over(cgroups->folders[i]);
			unlinkat(cgroups->parents[i], cgroups->name, AT_REMOVEDIR);
		}
		descriptor_close(&cgroups->folders[i]);
		descriptor_close(&cgroups->parents[i]);
	}
	free(cgroups);
}

/* ---- slots ---- */

size_t cgroups_descriptors(const struct cgroups *cgroups, int fds[CGROUP_DESCRIPTORS_MAX])
{
	_Static_assert((int)HIERARCHIES <= (int)CGROUP_DESCRIPTORS_MAX, "one for each hierarchy");
	size_t count = 0;
	for (int i = 0; i < HIERARCHIES; i++)
		if (cgroups->folders[i] >= 0)
			fds[count++] = cgroups->folders[i];
	return count;
}

int cgroups_enter(const struct cgroups *cgroups, unsigned slot)
{
	char name[16];
	slot_name(slot, name);
	for (int i = 0; i < HIERARCHIES; i++) {
		if (cgroups->folders[i] < 0 || (!cgroups->v1 && i != UNIFIED))
			continue;
		if (mkdirat(cgroups->folders[i], name, 0755) < 0 && errno != EEXIST)
			return error_origin(-errno);
		int r = write_slot(cgroups, i, slot, "cgroup.procs", "0");
		if (r < 0)
			return error_origin(r);
	}
	return 0;
}

/* The limit with swap may never be below the one without, so it is lifted first. Kernels without
 * swap accounting do not have it: the instance then has no swap by memory.swappiness alone. */
static int limit_v1(const struct cgroups *cgroups, unsigned slot,
		    const struct cgroup_limits *limits)
{
	int64_t memory = (int64_t)limits->memory_bytes;
	write_slot(cgroups, CGROUP_MEMORY, slot, "memory.memsw.limit_in_bytes", "-1");
	write_slot(cgroups, CGROUP_MEMORY, slot, "memory.swappiness", "0");
	int r = write_slot_number(cgroups, CGROUP_MEMORY, slot, "memory.limit_in_bytes", memory);
	write_slot_number(cgroups, CGROUP_MEMORY, slot, "memory.memsw.limit_in_bytes", memory);
	if (r == 0)
		r = write_slot_number(cgroups, CGROUP_CPU, slot, "cpu.cfs_quota_us",
				      (int64_t)limits->cpu_percent * (CPU_PERIOD_US / 100));
	if (r == 0)
		r = write_slot_number(cgroups, CGROUP_PIDS, slot, "pids.max", limits->pids);
	return r;
}

static int limit_v2(const struct cgroups *cgroups, unsigned slot,
		    const struct cgroup_limits *limits)
{
	char cpu[64];
	snprintf(cpu, sizeof(cpu), "%" PRIu64 " %d",
		 (uint64_t)limits->cpu_percent * (CPU_PERIOD_US / 100), CPU_PERIOD_US);
	int r =
	    write_slot_number(cgroups, UNIFIED, slot, "memory.max", (int64_t)limits->memory_bytes);
	write_slot(cgroups, UNIFIED, slot, "memory.swap.max", "0");
	if (r == 0)
		r = write_slot(cgroups, UNIFIED, slot, "cpu.max", cpu);
	if (r == 0)
		r = write_slot_number(cgroups, UNIFIED, slot, "pids.max", limits->pids);
	return r;
}

int cgroups_limit(const struct cgroups *cgroups, unsigned slot, const struct cgroup_limits *limits)
{
	int r = cgroups->v1 ? limit_v1(cgroups, slot, limits) : limit_v2(cgroups, slot, limits);
	return r < 0 ? error_origin(r) : 0;
}

void cgroups_usage(const struct cgroups *cgroups, unsigned slot, struct cgroup_usage *usage)
{
	if (cgroups->v1)
		*usage = (struct cgroup_usage){
		    .cpu_us =
			read_number(cgroups, CGROUP_CPUACCT, slot, "cpuacct.usage", "") / 1000,
		    .memory_peak_bytes =
			read_number(cgroups, CGROUP_MEMORY, slot, "memory.max_usage_in_bytes", ""),
		    .oom_kills = read_number(cgroups, CGROUP_MEMORY, slot, "memory.oom_control",
					     "oom_kill "),
		};
	else
		*usage = (struct cgroup_usage){
		    .cpu_us = read_number(cgroups, UNIFIED, slot, "cpu.stat", "usage_usec "),
		    .oom_kills = read_number(cgroups, UNIFIED, slot, "memory.events", "oom_kill "),
		};
}

void cgroups_reset_peak(const struct cgroups *cgroups, unsigned slot)
{
	if (cgroups->v1)
		write_slot(cgroups, CGROUP_MEMORY, slot, "memory.max_usage_in_bytes", "0");
}
