/* The folders of projects on disk. */
#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "uid_range.h"
#include "worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, DEPTH_MAX = 4096 };

int project_open(struct worker *worker, struct uuid project, int *out)
{
	struct id_text name = id_format(ID_PROJECT, project);
	bool made = mkdirat(worker->projects, name.data, 0700) == 0;
	if (!made && errno != EEXIST)
		return error_origin(-errno);
	int folder ATTR_DESCRIPTOR = openat(worker->projects, name.data, FOLDER);
	if (folder < 0 || fchown(folder, PROJECT_OWNER, PROJECT_OWNER) < 0)
		return error_origin(-errno);
	if (made && fsync(worker->projects) < 0)
		return error_origin(-errno);
	*out = descriptor_take(&folder);
	return 0;
}

/* By descriptors, never through a link: the tenant chose every name below. */
static int remove_below(int parent, const char *name, int depth)
{
	int fd = openat(parent, name, FOLDER);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	if (!stream || depth == DEPTH_MAX)
		return -1;
	while ((entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0) < 0 && (errno == EISDIR || errno == EPERM))
			remove_below(fd, entry->d_name, depth + 1);
	}
	closedir(stream);
	return unlinkat(parent, name, AT_REMOVEDIR);
}

/* Out of the way at once; what may take long is done by a child, which the loop does not wait for.
 */
int project_remove(struct worker *worker, struct uuid project)
{
	struct id_text name = id_format(ID_PROJECT, project);
	struct control_worker_project deleted = {project, 0};
	if (renameat(worker->projects, name.data, worker->trash, name.data) < 0 &&
	    errno != ENOENT) {
		log_error("cannot remove a project's folder: %s", strerror(errno));
		deleted.status = 1;
	}
	pid_t pid = fork();
	if (pid == 0) {
		remove_below(worker->trash, name.data, 0);
		_exit(0);
	}
	if (worker->control)
		channel_send(worker->control, CONTROL_WORKER_PROJECT_DELETED, &deleted);
	return 0;
}
