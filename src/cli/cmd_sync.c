/* croft sync: makes a folder of the project equal to a local one, sending only what differs in size
 * or time. */
#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "commands.h"
#include "operate.h"
#include "transfer.h"

#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { PAGE = 10000, OPEN_FOLDERS = 32 };

struct remote_entry {
	struct map_node node;
	char *name;
	bool is_folder, is_local_too;
	int64_t size, seconds;
};

struct sync {
	struct cli *cli;
	const char *remote;
	struct map entries; /* what the project has, by name */
	struct transfer_names changed;
	size_t root_size; /* of the local folder's name and its slash */
	int status;
};

static const struct option long_options[] = {
    {"delete", no_argument, NULL, 'd'}, {"dry-run", no_argument, NULL, 'n'}, {0}};

/* ---- what the project has ---- */

static int64_t integer_member(const struct document_value *object, const char *name)
{
	const struct document_value *value = document_member(object, name);
	return value && document_kind(value) == DOCUMENT_IS_INTEGER ? document_integer(value) : -1;
}

static int keep_entry(struct sync *sync, const struct document_value *item)
{
	struct remote_entry *entry = calloc(1, sizeof(*entry));
	int64_t ms = 0;
	struct text modified = cli_member(item, "modifiedAt");
	if (!entry || !(entry->name = text_dup(cli_member(item, "name")))) {
		free(entry);
		return cli_say(EXIT_FAILED, "out of memory");
	}
	entry->is_folder = text_equal(cli_member(item, "type"), TEXT("directory"));
	entry->size = integer_member(item, "sizeBytes");
	if (modified.size && clock_parse(modified.data, modified.size, &ms) == 0)
		entry->seconds = ms / 1000;
	int r = map_insert(&sync->entries, &entry->node, text_bytes(text_of(entry->name)));
	if (r != 0) {
		free(entry->name);
		free(entry);
	}
	return r < 0 ? cli_say(EXIT_FAILED, "out of memory") : 0;
}

static int list_page(struct sync *sync, struct buffer *after, size_t *count)
{
	struct buffer input ATTR_BUFFER = {0};
	struct document *operation ATTR_DOCUMENT = NULL;
	struct json json = json_to(&input);
	json_object(&json);
	json_key(&json, "path");
	json_cstring(&json, sync->remote);
	json_key(&json, "recursive");
	json_bool(&json, true);
	json_key(&json, "limit");
	json_u64(&json, PAGE);
	if (after->size) {
		json_key(&json, "after");
		json_text(&json, buffer_text(after));
	}
	json_object_end(&json);
	int status = operate(sync->cli, "fs.list", buffer_text(&input), &operation);
	if (status)
		return status;
	const struct document_value *result = document_member(document_root(operation), "result");
	const struct document_value *items = result ? document_member(result, "entries") : NULL;
	*count = items && document_kind(items) == DOCUMENT_IS_LIST ? document_count(items) : 0;
	for (size_t i = 0; i < *count && status == 0; i++)
		status = keep_entry(sync, document_element(items, i));
	buffer_clear(after);
	if (*count)
		buffer_append_text(after, cli_member(document_element(items, *count - 1), "name"));
	return status;
}

static int list_remote(struct sync *sync)
{
	struct buffer input ATTR_BUFFER = {0}, after ATTR_BUFFER = {0};
	struct document *made ATTR_DOCUMENT = NULL;
	struct json json = json_to(&input);
	size_t count = PAGE;
	json_object(&json);
	json_key(&json, "path");
	json_cstring(&json, sync->remote);
	json_key(&json, "parents");
	json_bool(&json, true);
	json_object_end(&json);
	int status = operate(sync->cli, "fs.mkdir", buffer_text(&input), &made);
	while (status == 0 && count == PAGE)
		status = list_page(sync, &after, &count);
	return status;
}

/* ---- what is here ---- */

/* nftw() has no place for an owner. */
static struct sync *walking;

static int compare_one(const char *path, const struct stat *file, int kind, struct FTW *place)
{
	struct sync *sync = walking;
	if (place->level == 0)
		return 0;
	if (kind == FTW_DNR || kind == FTW_NS) {
		sync->status = cli_say(EXIT_FAILED, "%s cannot be read", path);
		return 1;
	}
	struct text name = text_of(path + sync->root_size);
	struct remote_entry *entry =
	    map_object(&sync->entries, text_bytes(name), struct remote_entry, node);
	bool is_folder = S_ISDIR(file->st_mode);
	if (entry)
		entry->is_local_too = entry->is_folder == is_folder;
	bool same =
	    entry && entry->is_folder == is_folder &&
	    (is_folder || (entry->size == file->st_size && entry->seconds == file->st_mtim.tv_sec));
	if (!same && transfer_names_add(&sync->changed, name) < 0)
		sync->status = cli_say(EXIT_FAILED, "out of memory");
	return sync->status != 0;
}

static int compare(struct sync *sync, const char *local)
{
	walking = sync;
	sync->root_size = strlen(local) + 1;
	if (nftw(local, compare_one, OPEN_FOLDERS, FTW_PHYS) < 0)
		return cli_say(EXIT_FAILED, "%s: %s", local, strerror(errno));
	return sync->status;
}

/* ---- the difference ---- */

static int remove_remote(struct sync *sync, const char *name)
{
	struct buffer input ATTR_BUFFER = {0}, path ATTR_BUFFER = {0};
	struct document *operation ATTR_DOCUMENT = NULL;
	struct json json = json_to(&input);
	buffer_append_format(&path, "%s/%s", sync->remote, name);
	json_object(&json);
	json_key(&json, "path");
	json_text(&json, buffer_text(&path));
	json_key(&json, "recursive");
	json_bool(&json, true);
	json_object_end(&json);
	return operate(sync->cli, "fs.remove", buffer_text(&input), &operation);
}

/* A folder that goes takes with it what lies in it. */
static bool goes_with_parent(const struct sync *sync, const char *name)
{
	char *parent ATTR_CLEANUP(text_free) = text_dup(text_of(name));
	for (char *slash; parent && (slash = strrchr(parent, '/'));) {
		*slash = '\0';
		struct remote_entry *entry = map_object(&sync->entries, text_bytes(text_of(parent)),
							struct remote_entry, node);
		if (entry && !entry->is_local_too)
			return true;
	}
	return false;
}

static int remove_extra(struct sync *sync, bool dry_run)
{
	int status = 0;
	map_for_each (node, &sync->entries) {
		struct remote_entry *entry = container_of(node, struct remote_entry, node);
		if (entry->is_local_too || goes_with_parent(sync, entry->name))
			continue;
		if (!sync->cli->quiet)
			printf("- %s\n", entry->name);
		if (!dry_run && status == 0)
			status = remove_remote(sync, entry->name);
	}
	return status;
}

static int send_changed(struct sync *sync, const char *local, bool dry_run)
{
	for (size_t i = 0; i < sync->changed.count && !sync->cli->quiet; i++)
		printf("+ %s\n", sync->changed.names[i]);
	if (dry_run || sync->changed.count == 0)
		return 0;
	return transfer_upload_folder(sync->cli, local, sync->remote, &sync->changed);
}

static void release(struct sync *sync)
{
	map_for_each (node, &sync->entries) {
		struct remote_entry *entry = container_of(node, struct remote_entry, node);
		free(entry->name);
		free(entry);
	}
	map_free(&sync->entries);
	transfer_names_free(&sync->changed);
}

static int run_sync(struct cli *cli, int argc, char **argv)
{
	bool delete_extra = false, dry_run = false;
	int option;
	while ((option = getopt_long(argc, argv, "dn", long_options, NULL)) != -1) {
		if (option == 'd')
			delete_extra = true;
		else if (option == 'n')
			dry_run = true;
		else
			return command_usage(&cmd_sync);
	}
	if (argc - optind < 1 || argc - optind > 2)
		return command_usage(&cmd_sync);
	char *local = argv[optind];
	const char *remote = argc - optind == 2 ? argv[optind + 1] : ":.";
	while (strlen(local) > 1 && local[strlen(local) - 1] == '/')
		local[strlen(local) - 1] = '\0';
	struct sync sync = {.cli = cli, .remote = remote + transfer_is_remote(remote)};
	if (*sync.remote == '\0')
		sync.remote = ".";
	int status = list_remote(&sync);
	if (status == 0)
		status = compare(&sync, local);
	if (status == 0 && delete_extra)
		status = remove_extra(&sync, dry_run);
	if (status == 0)
		status = send_changed(&sync, local, dry_run);
	release(&sync);
	return status;
}

const struct command cmd_sync = {
    .name = "sync",
    .arguments = "[--delete] [--dry-run] FOLDER [:PATH]",
    .summary = "Send what changed in a local folder to the project",
    .help = "  -d, --delete   remove from the project what is not here\n"
	    "  -n, --dry-run  only say what would be done\n"
	    "\n"
	    "Files are compared by size and time of change.\n",
    .run = run_sync,
};
