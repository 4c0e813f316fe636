/* fs.watch: changes below a folder, as lines of results, until cancelled or the folder goes away.
 *
 * {"change":"created"|"modified"|"deleted"|"attributes","path",["folder"]}, first
 * {"change":"watching"} when all is in place. A rename is a deletion and a creation.
 * {"change":"overflow"} says that changes were lost and the client should look afresh; it also
 * comes where there are more folders than may be watched. */
#include "base/descriptor.h"
#include "file_info.h"
#include "operations.h"
#include "result_lines.h"
#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
	WATCH_FOLDERS_MAX = 8192,
	WATCH_DEPTH_MAX = 64,
	WATCH_EVENTS = IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB |
		       IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
		       IN_DONT_FOLLOW | IN_EXCL_UNLINK,
};

struct watching {
	struct task *task;
	struct result_lines lines;
	int inotify;
	int root;
	char **folders; /* by watch descriptor: the path below the root, "" for the root itself */
	bool gone;
};

static int tell(struct watching *watching, const char *change, struct text path, bool is_folder)
{
	struct json json = result_lines_begin(&watching->lines);
	json_key(&json, "change");
	json_cstring(&json, change);
	if (path.size > 0)
		result_lines_text(&json, "path", path);
	if (is_folder) {
		json_key(&json, "folder");
		json_bool(&json, true);
	}
	return result_lines_end(&watching->lines, &json);
}

static int keep_folder(struct watching *watching, int wd, const char *path)
{
	if (wd >= WATCH_FOLDERS_MAX)
		return -ENOSPC;
	char *kept = strdup(path);
	if (!kept)
		return -ENOMEM;
	free(watching->folders[wd]);
	watching->folders[wd] = kept;
	return 0;
}

/* By way of /proc, so that the folder watched is the one opened. */
static int add_watch(struct watching *watching, int folder, const char *path)
{
	char self[64];
	snprintf(self, sizeof(self), "/proc/self/fd/%d/.", folder);
	int wd = inotify_add_watch(watching->inotify, self, WATCH_EVENTS);
	return wd < 0 ? -errno : keep_folder(watching, wd, path);
}

static int add_below(struct watching *watching, int parent, const char *name, const char *path,
		     int depth);

static int add_entries(struct watching *watching, DIR *entries, const char *path, int depth)
{
	int r = 0;
	for (struct dirent *entry; r == 0 && (entry = readdir(entries));) {
		char below[PATH_MAX];
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		int size =
		    snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "", entry->d_name);
		if (size < PATH_MAX)
			r = add_below(watching, dirfd(entries), entry->d_name, below, depth + 1);
	}
	return r;
}

/* Folders that went away meanwhile are none; past the limits the client is told that it does not
 * see all. */
static int add_below(struct watching *watching, int parent, const char *name, const char *path,
		     int depth)
{
	int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return 0;
	int r = depth > WATCH_DEPTH_MAX ? -ENOSPC : add_watch(watching, folder, path);
	if (r == -ENOSPC && depth > 0)
		r = tell(watching, "overflow", text_of(path), true);
	else if (r == -ENOENT)
		r = 0;
	DIR *entries = r == 0 && watching->task->input.recursive && depth <= WATCH_DEPTH_MAX
			   ? fdopendir(folder)
			   : NULL;
	if (!entries) {
		close(folder);
		return r;
	}
	r = add_entries(watching, entries, path, depth);
	closedir(entries);
	return r;
}

struct change_name {
	uint32_t mask;
	const char *name;
};

static const struct change_name change_names[] = {
    {IN_CREATE | IN_MOVED_TO, "created"},
    {IN_DELETE | IN_MOVED_FROM, "deleted"},
    {IN_CLOSE_WRITE | IN_MODIFY, "modified"},
    {IN_ATTRIB, "attributes"},
};

static int tell_event(struct watching *watching, const struct inotify_event *event)
{
	char path[PATH_MAX];
	const char *folder = watching->folders[event->wd];
	bool is_folder = event->mask & IN_ISDIR;
	int r = 0;
	if (event->len == 0)
		return 0;
	int size = snprintf(path, sizeof(path), "%s%s%s", folder, *folder ? "/" : "", event->name);
	if (size >= PATH_MAX)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(change_names); i++) {
		if (event->mask & change_names[i].mask) {
			r = tell(watching, change_names[i].name, text_of(path), is_folder);
			break;
		}
	}
	if (r == 0 && is_folder && (event->mask & (IN_CREATE | IN_MOVED_TO)) &&
	    watching->task->input.recursive)
		r = add_below(watching, watching->root, path, path, 1);
	return r;
}

static int take_event(struct watching *watching, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW)
		return tell(watching, "overflow", (struct text){0}, false);
	if (event->wd < 0 || event->wd >= WATCH_FOLDERS_MAX || !watching->folders[event->wd])
		return 0;
	bool is_root = watching->folders[event->wd][0] == '\0';
	if (is_root && (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)))
		watching->gone = true;
	return tell_event(watching, event);
}

static int take_events(struct watching *watching)
{
	_Alignas(struct inotify_event) char raw[16 << 10];
	ssize_t size = read(watching->inotify, raw, sizeof(raw));
	int r = size < 0 && errno != EINTR ? -errno : 0;
	for (ssize_t at = 0; r == 0 && at < size;) {
		const struct inotify_event *event = (const void *)(raw + at);
		r = take_event(watching, event);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	return r < 0 ? r : result_lines_flush(&watching->lines);
}

static int begin(struct watching *watching, const char *path)
{
	watching->inotify = inotify_init1(IN_CLOEXEC);
	watching->folders = calloc(WATCH_FOLDERS_MAX, sizeof(*watching->folders));
	watching->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (watching->inotify < 0 || !watching->folders || watching->root < 0)
		return errno ? -errno : -ENOMEM;
	int r = add_below(watching, watching->root, ".", "", 0);
	if (r == 0)
		r = tell(watching, "watching", (struct text){0}, false);
	return r < 0 ? r : result_lines_flush(&watching->lines);
}

static void end(struct watching *watching)
{
	for (size_t i = 0; watching->folders && i < WATCH_FOLDERS_MAX; i++)
		free(watching->folders[i]);
	free(watching->folders);
	buffer_free(&watching->lines.pending);
	descriptor_close(&watching->inotify);
	descriptor_close(&watching->root);
}

static enum outcome run_watch(struct task *task)
{
	struct watching watching = {
	    .task = task, .lines = {.task = task}, .inotify = -1, .root = -1};
	if (task->input.path.size == 0)
		task->input.path = TEXT(".");
	const char *path = file_path(task, task->input.path);
	if (!path)
		return OUTCOME_INVALID_INPUT;
	int r = begin(&watching, path);
	while (r == 0 && !watching.gone)
		r = take_events(&watching);
	end(&watching);
	if (r < 0)
		return failure_of(task, -r, "watch", task->input.path);
	buffer_append_text(&task->result, TEXT("{\"reason\":\"the folder is gone\"}"));
	return OUTCOME_COMPLETED;
}

static bool watch_is_long(struct task *task ATTR_UNUSED)
{
	return true;
}

const struct agent_operation fs_watch_operation = {.run = run_watch, .is_long = watch_is_long};
