#include "transfer.h"

#include "base/descriptor.h"
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER_SIZE = 320 };

struct transfer {
	struct cli *cli;
	struct progress progress;
	int fd;
};

bool transfer_is_remote(const char *name)
{
	return name[0] == ':';
}

void transfer_names_free(struct transfer_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct transfer_names){0};
}

int transfer_names_add(struct transfer_names *names, struct text name)
{
	if (names->count == names->capacity) {
		size_t capacity = names->capacity ? names->capacity * 2 : 64;
		char **grown = reallocarray(names->names, capacity, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		names->names = grown;
		names->capacity = capacity;
	}
	char *copy = text_dup(name);
	if (!copy)
		return -ENOMEM;
	names->names[names->count++] = copy;
	return 0;
}

static int write_piece(void *owner, struct bytes piece)
{
	return descriptor_write_all(((struct transfer *)owner)->fd, piece);
}

static void draw(void *owner, int64_t done, int64_t total)
{
	struct transfer *transfer = owner;
	progress_draw(&transfer->progress, transfer->cli, done, total);
}

/* One request with progress; 0 or an exit status after having said why. */
static int perform(struct transfer *transfer, struct client_request *request,
		   struct client_answer *answer)
{
	int status = cli_connect(transfer->cli);
	if (status)
		return status;
	request->on_progress = draw;
	request->owner = transfer;
	int r = client_call(transfer->cli->client, request, answer);
	progress_end(&transfer->progress);
	if (r < 0)
		return cli_say(EXIT_FAILED, "out of memory");
	/* A refusal may come, and the connection end, before all of the body was sent. */
	if (answer->status >= 300)
		return cli_say_problem(answer);
	if (answer->status == 0 || answer->broken)
		return cli_say(EXIT_UNREACHABLE, "%s", answer->trouble);
	return 0;
}

static int project_path(struct cli *cli, const char *tail, struct buffer *path)
{
	char project[64];
	int status = cli_project(cli, project);
	if (status == 0)
		buffer_append_format(path, "/v1/projects/%s/%s", project, tail);
	return status;
}

int transfer_file_path(struct cli *cli, const char *remote, struct buffer *path)
{
	int status = project_path(cli, "files/", path);
	struct text relative = text_of(remote);
	/* An absolute path keeps its slash, escaped, as the server expects it. */
	if (text_starts(relative, TEXT("/")))
		buffer_append_text(path, TEXT("%2F"));
	while (text_starts(relative, TEXT("/")))
		relative = text_skip(relative, 1);
	client_escape(path, relative, true);
	return status;
}

int transfer_upload(struct cli *cli, const char *local, const char *remote, const char *if_match)
{
	struct buffer path ATTR_BUFFER = {0};
	struct client_answer answer ATTR_ANSWER = {0};
	struct transfer transfer = {.cli = cli, .progress = {.label = local}};
	struct stat file;
	char key[40], headers_text[2][HEADER_SIZE];
	int fd ATTR_DESCRIPTOR = open(local, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &file) < 0)
		return cli_say(EXIT_FAILED, "%s: %s", local, strerror(errno));
	int status = transfer_file_path(cli, remote, &path);
	if (status)
		return status;
	cli_new_key(key);
	snprintf(headers_text[0], HEADER_SIZE, "Idempotency-Key: %s", key);
	snprintf(headers_text[1], HEADER_SIZE, "If-Match: %s", if_match ? if_match : "");
	const char *headers[] = {headers_text[0], if_match ? headers_text[1] : NULL, NULL};
	struct client_request request = {.method = "PUT",
					 .path = buffer_text(&path),
					 .headers = headers,
					 .upload = true,
					 .body_file = fd,
					 .body_file_size =
					     S_ISREG(file.st_mode) ? file.st_size : -1};
	return perform(&transfer, &request, &answer);
}

int transfer_download(struct cli *cli, const char *remote, int fd, const char *label,
		      struct buffer *etag)
{
	struct buffer path ATTR_BUFFER = {0};
	struct client_answer answer ATTR_ANSWER = {0};
	struct transfer transfer = {.cli = cli, .progress = {.label = label}, .fd = fd};
	int status = transfer_file_path(cli, remote, &path);
	if (status)
		return status;
	struct client_request request = {
	    .method = "GET", .path = buffer_text(&path), .on_data = write_piece};
	status = perform(&transfer, &request, &answer);
	if (status == 0 && etag)
		buffer_append_text(etag, client_header(&answer, TEXT("etag")));
	return status;
}

static int archive_path(struct cli *cli, const char *remote, struct buffer *path)
{
	int status = project_path(cli, "archive?format=tar&path=", path);
	client_escape(path, text_of(*remote ? remote : "."), true);
	return status;
}

int transfer_upload_folder(struct cli *cli, const char *local, const char *remote,
			   const struct transfer_names *names)
{
	struct buffer path ATTR_BUFFER = {0};
	struct client_answer answer ATTR_ANSWER = {0};
	struct transfer transfer = {.cli = cli, .progress = {.label = local}};
	int fd ATTR_DESCRIPTOR = -1;
	int status = archive_path(cli, remote, &path);
	if (status)
		return status;
	pid_t pid = pack_start(local, names, &fd);
	if (pid < 0)
		return cli_say(EXIT_FAILED, "%s: %s", local, strerror((int)-pid));
	struct client_request request = {.method = "PUT",
					 .path = buffer_text(&path),
					 .upload = true,
					 .body_file = fd,
					 .body_file_size = -1};
	status = perform(&transfer, &request, &answer);
	descriptor_close(&fd);
	if (pack_finish(pid) && status == 0)
		status =
		    cli_say(EXIT_FAILED,
			    "%s was not read as a whole; what was sent may be incomplete", local);
	return status;
}

int transfer_download_folder(struct cli *cli, const char *remote, const char *local)
{
	struct buffer path ATTR_BUFFER = {0};
	struct client_answer answer ATTR_ANSWER = {0};
	struct transfer transfer = {.cli = cli, .progress = {.label = local}, .fd = -1};
	int status = archive_path(cli, remote, &path);
	if (status)
		return status;
	pid_t pid = unpack_start(local, &transfer.fd);
	if (pid < 0)
		return cli_say(EXIT_FAILED, "%s: %s", local, strerror((int)-pid));
	struct client_request request = {
	    .method = "GET", .path = buffer_text(&path), .on_data = write_piece};
	status = perform(&transfer, &request, &answer);
	if (status)
		kill(pid, SIGKILL); /* half an archive is not unpacked to its end */
	descriptor_close(&transfer.fd);
	if (pack_finish(pid) && status == 0)
		status = cli_say(EXIT_FAILED, "%s was not unpacked as a whole", local);
	return status;
}
