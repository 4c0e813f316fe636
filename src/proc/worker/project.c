/* The folders of projects on disk.
 *
 * A project goes by one rename into the trash; after that it is gone for everybody, and a crash
 * changes nothing. What lies in the trash is removed by a child process, which may take its time
 * and may be interrupted at any point: the next one goes on. */
#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "uid_range.h"
#include "worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	DEPTH_MAX = 64, /* folders below this are first moved up, so that descriptors and stack have
			   a limit */
	LOWEST_PRIORITY = 19,
};

int project_open(struct worker *worker, struct uuid project, int *out, bool *made)
{
	struct id_text name = id_format(ID_PROJECT, project);
	*made = mkdirat(worker->projects, name.data, 0700) == 0;
	if (!*made && errno != EEXIST)
		return error_origin(-errno);
	int folder ATTR_DESCRIPTOR = openat(worker->projects, name.data, FOLDER);
	if (folder < 0 || fchown(folder, PROJECT_OWNER, PROJECT_OWNER) < 0)
		return error_origin(-errno);
	*out = descriptor_take(&folder);
	return 0;
}

int project_settle(struct worker *worker)
{
	return fsync(worker->projects) < 0 ? error_origin(-errno) : 0;
}

/* ---- removing, in the child: by descriptors, never through a link, since the tenant chose every
 * name ---- */

struct removal {
	int trash;
	unsigned moved; /* folders moved up, for their names */
	bool failed;
};

static bool is_itself(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void move_up(struct removal *removal, int parent, const char *name)
{
	char to[64];
	snprintf(to, sizeof(to), "deep-%d-%u", (int)getpid(), removal->moved++);
	if (renameat(parent, name, removal->trash, to) < 0)
		removal->failed = true;
}

static void remove_entry(struct removal *removal, int parent, const char *name, int depth)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return;
	if (depth == DEPTH_MAX) {
		move_up(removal, parent, name);
		return;
	}
	int fd = openat(parent, name, FOLDER);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	while (entries && (entry = readdir(entries)))
		if (!is_itself(entry->d_name))
			remove_entry(removal, fd, entry->d_name, depth + 1);
	if (entries)
		closedir(entries);
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		removal->failed = true;
}

static size_t remove_all(struct removal *removal)
{
	size_t count = 0;
	int fd = openat(removal->trash, ".", FOLDER);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	while (entries && (entry = readdir(entries))) {
		if (is_itself(entry->d_name))
			continue;
		count++;
		remove_entry(removal, fd, entry->d_name, 0);
	}
	if (entries)
		closedir(entries);
	return count;
}

ATTR_NORETURN static void empty_trash(int trash)
{
	struct removal removal = {.trash = trash};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
	while (remove_all(&removal) > 0 && !removal.failed) {
	}
	_exit(removal.failed);
}

void project_empty_trash(struct worker *worker)
{
	worker->trash_is_full = worker->remover > 0;
	if (worker->remover > 0)
		return; /* it may have passed by already: once more when it has ended */
	pid_t pid = fork();
	if (pid == 0)
		empty_trash(worker->trash);
	worker->remover = pid > 0 ? pid : 0;
}

bool project_remover_ended(struct worker *worker, pid_t pid, int status)
{
	if (pid != worker->remover)
		return false;
	worker->remover = 0;
	if (status != 0)
		log_warning(
		    "files of a deleted project are still there; the next removal tries again");
	if (worker->trash_is_full)
		project_empty_trash(worker);
	return true;
}

static int move_to_trash(struct worker *worker, struct uuid project)
{
	struct id_text name = id_format(ID_PROJECT, project);
	struct id_text in_trash = id_format(ID_RUNTIME, uuid_new(loop_wall_ms(worker->loop)));
	if (renameat(worker->projects, name.data, worker->trash, in_trash.data) < 0)
		return errno == ENOENT ? 0 : error_origin(-errno);
	if (fsync(worker->projects) < 0)
		return error_origin(-errno);
	project_empty_trash(worker);
	return 0;
}

int project_remove(struct worker *worker, struct uuid project)
{
	int r = move_to_trash(worker, project);
	struct control_worker_project deleted = {project, r < 0};
	if (r < 0)
		log_error("cannot remove a project's folder: %s", strerror(-r));
	if (worker->control)
		channel_send(worker->control, CONTROL_WORKER_PROJECT_DELETED, &deleted);
	return 0;
}
