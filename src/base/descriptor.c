#include "base/descriptor.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

void descriptor_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int descriptor_write_all(int fd, struct bytes bytes)
{
	while (bytes.size > 0) {
		ssize_t n = write(fd, bytes.data, bytes.size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_origin(-errno);
		bytes.data += n;
		bytes.size -= (size_t)n;
	}
	return 0;
}

int descriptor_read_exactly(int fd, void *data, size_t size)
{
	uint8_t *at = data;
	while (size > 0) {
		ssize_t n = read(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_origin(-errno);
		if (n == 0)
			return error_origin(-EPIPE);
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Whether the descriptor is at its end; what else it gives is lost. */
static int expect_end(int fd)
{
	uint8_t probe;
	ssize_t n;
	do
		n = read(fd, &probe, 1);
	while (n < 0 && errno == EINTR);
	return n == 0 ? 0 : error_origin(n < 0 ? -errno : -EMSGSIZE);
}

int descriptor_read_to_end(int fd, struct buffer *out)
{
	enum { STEP = 16384 };
	size_t limit = out->limit ? out->limit : BUFFER_LIMIT_DEFAULT;
	while (out->size < limit) {
		size_t step = limit - out->size < STEP ? limit - out->size : STEP;
		uint8_t *room = buffer_reserve(out, step);
		if (!room)
			return error_origin(buffer_check(out));
		ssize_t n = read(fd, room, step);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_origin(-errno);
		if (n == 0)
			return 0;
		out->size += (size_t)n;
	}
	return expect_end(fd);
}

int descriptor_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return error_origin(-errno);
	return 0;
}

int file_read(int directory, const char *name, struct buffer *out)
{
	int fd ATTR_DESCRIPTOR = openat(directory, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_origin(-errno);
	return error_trace(descriptor_read_to_end(fd, out));
}

static int write_durably(int directory, const char *name, struct bytes content, mode_t mode)
{
	int fd ATTR_DESCRIPTOR =
	    openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return error_origin(-errno);
	int r = descriptor_write_all(fd, content);
	if (r < 0)
		return error_trace(r);
	return fsync(fd) < 0 ? error_origin(-errno) : 0;
}

static int sync_directory_of(int directory, const char *name)
{
	char path[PATH_MAX];
	const char *slash = strrchr(name, '/');
	snprintf(path, sizeof(path), "%.*s", slash ? (int)(slash - name) + 1 : 1,
		 slash ? name : ".");
	int fd ATTR_DESCRIPTOR = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return error_origin(-errno);
	return 0;
}

int file_replace(int directory, const char *name, struct bytes content, mode_t mode)
{
	char temporary[PATH_MAX];
	int size = snprintf(temporary, sizeof(temporary), "%s.new", name);
	if (size < 0 || (size_t)size >= sizeof(temporary))
		return error_origin(-ENAMETOOLONG);
	int r = write_durably(directory, temporary, content, mode);
	if (r < 0) {
		unlinkat(directory, temporary, 0);
		return error_trace(r);
	}
	if (renameat(directory, temporary, directory, name) < 0)
		return error_origin(-errno);
	return error_trace(sync_directory_of(directory, name));
}
