#include "proc/gateway/transfer.h"

#include "base/descriptor.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int open_pipe(int *read_end, int *write_end)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_origin(-errno);
	*read_end = fds[0];
	*write_end = fds[1];
	return 0;
}

/* The other end stays blocking or not as its owner likes: O_NONBLOCK belongs to the open file, and
 * the ends are two. */
static int keep_end(int *kept, int *given)
{
	int r = descriptor_set_nonblocking(*kept);
	if (r == 0)
		return 0;
	descriptor_close(kept);
	descriptor_close(given);
	return error_trace(r);
}

/* ---- upload ---- */

static void shut(struct upload *upload)
{
	loop_watch_stop(&upload->watch);
	descriptor_close(&upload->fd);
	buffer_free(&upload->pending);
}

static void refuse(struct upload *upload)
{
	upload->refused = true;
	shut(upload);
}

/* What the pipe took; refused when there is nobody to take it. */
static size_t write_some(struct upload *upload, struct bytes bytes)
{
	size_t taken = 0;
	while (taken < bytes.size) {
		ssize_t n = write(upload->fd, bytes.data + taken, bytes.size - taken);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			refuse(upload);
			return bytes.size;
		}
		taken += (size_t)n;
	}
	return taken;
}

static void finish_if_ended(struct upload *upload)
{
	if (!upload->ended || upload->pending.size > 0)
		return;
	shut(upload);
	upload->events->finished(upload);
}

static void upload_ready(struct loop_watch *watch, unsigned events)
{
	struct upload *upload = container_of(watch, struct upload, watch);
	(void)events;
	size_t taken = write_some(upload, buffer_bytes(&upload->pending));
	if (!upload->refused) {
		buffer_drop_front(&upload->pending, taken);
		if (upload->pending.size > 0)
			return;
		loop_watch_stop(&upload->watch);
	}
	if (upload->ended)
		finish_if_ended(upload);
	else
		upload->events->drained(upload);
}

int upload_open(struct upload *upload, struct loop *loop, const struct upload_events *events,
		int *read_end)
{
	*upload = (struct upload){.events = events, .loop = loop, .fd = -1};
	int r = open_pipe(read_end, &upload->fd);
	if (r == 0)
		r = keep_end(&upload->fd, read_end);
	return error_trace(r);
}

static bool keep_pending(struct upload *upload, struct bytes rest)
{
	bool first = upload->pending.size == 0;
	buffer_append(&upload->pending, rest.data, rest.size);
	if (buffer_check(&upload->pending) == 0 && first)
		fcntl(upload->fd, F_SETPIPE_SZ, TRANSFER_PIPE_SIZE);
	if (buffer_check(&upload->pending) != 0 ||
	    (first && loop_watch_start(&upload->watch, upload->loop, upload->fd, LOOP_WRITABLE,
				       upload_ready) < 0)) {
		refuse(upload);
		return true;
	}
	return false;
}

bool upload_write(struct upload *upload, struct bytes bytes)
{
	upload->size += bytes.size;
	if (upload->refused)
		return true;
	size_t taken = upload->pending.size == 0 ? write_some(upload, bytes) : 0;
	if (upload->refused || taken == bytes.size)
		return true;
	return keep_pending(upload, (struct bytes){bytes.data + taken, bytes.size - taken});
}

void upload_end(struct upload *upload)
{
	upload->ended = true;
	finish_if_ended(upload);
}

void upload_close(struct upload *upload)
{
	if (upload->loop)
		shut(upload);
}

/* ---- download ---- */

static void download_ready(struct loop_watch *watch, unsigned events)
{
	struct download *download = container_of(watch, struct download, watch);
	uint8_t room[TRANSFER_STEP];
	(void)events;
	ssize_t n = read(download->fd, room, sizeof(room));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		download->size += (uint64_t)n;
		download->events->data(download, (struct bytes){room, (size_t)n});
		return;
	}
	download_close(download);
	download->events->ended(download);
}

int download_open(struct download *download, struct loop *loop,
		  const struct download_events *events, int *write_end)
{
	*download = (struct download){.events = events, .loop = loop, .fd = -1};
	int r = open_pipe(&download->fd, write_end);
	if (r == 0)
		r = keep_end(&download->fd, write_end);
	return error_trace(r);
}

void download_expect(struct download *download, uint64_t size)
{
	if (size >= TRANSFER_LARGE)
		fcntl(download->fd, F_SETPIPE_SZ, TRANSFER_PIPE_SIZE);
}

void download_resume(struct download *download)
{
	if (download->fd < 0 || download->watch.handle)
		return;
	if (loop_watch_start(&download->watch, download->loop, download->fd, LOOP_READABLE,
			     download_ready) < 0)
		download_close(download);
}

void download_pause(struct download *download)
{
	loop_watch_stop(&download->watch);
}

void download_close(struct download *download)
{
	if (!download->loop)
		return;
	loop_watch_stop(&download->watch);
	descriptor_close(&download->fd);
}
