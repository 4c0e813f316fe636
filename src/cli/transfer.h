/* Files and folders between here and the project, streamed: memory does not depend on their size.
 */
#pragma once

#include "output.h"

/* A name on the command line that begins with ':' is in the project; the rest is its path there. */
bool transfer_is_remote(const char *name);

int transfer_upload(struct cli *cli, const char *local, const char *remote, const char *if_match);

/* `etag`, if not NULL, gets the file's etag. */
int transfer_download(struct cli *cli, const char *remote, int fd, const char *label,
		      struct buffer *etag);

/* A folder as a tar. `names`, paths relative to `local`, limits what is sent; NULL sends all. */
struct transfer_names {
	char **names;
	size_t count, capacity;
};
void transfer_names_free(struct transfer_names *names);
int transfer_names_add(struct transfer_names *names, struct text name) ATTR_MUST_CHECK;

int transfer_upload_folder(struct cli *cli, const char *local, const char *remote,
			   const struct transfer_names *names);
int transfer_download_folder(struct cli *cli, const char *remote, const char *local);

/* "/v1/projects/PRJ/files/PATH" with the path escaped. 0 or an exit status. */
int transfer_file_path(struct cli *cli, const char *remote, struct buffer *path);
