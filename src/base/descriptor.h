/* File descriptors: scoped closing and whole reads and writes. All are opened close-on-exec. */
#pragma once

#include "base/buffer.h"

#include <sys/types.h>

void descriptor_close(int *fd); /* closes and sets to -1; harmless on -1 */
#define ATTR_DESCRIPTOR ATTR_CLEANUP(descriptor_close)

static inline int descriptor_take(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

int descriptor_write_all(int fd, struct bytes bytes) ATTR_MUST_CHECK; /* 0 or -errno */
int descriptor_read_exactly(int fd, void *data,
			    size_t size) ATTR_MUST_CHECK; /* 0, -errno, -EPIPE at the end */
int descriptor_read_to_end(int fd, struct buffer *out) ATTR_MUST_CHECK;
int descriptor_set_nonblocking(int fd) ATTR_MUST_CHECK;

/* The whole file `name` below `directory` (AT_FDCWD for a path), no more than the buffer's limit.
 */
int file_read(int directory, const char *name, struct buffer *out) ATTR_MUST_CHECK;

/* Replaces the file `name` so that after a crash it holds either the old content or the new:
 * temporary file, fsync, rename, fsync of the directory. */
int file_replace(int directory, const char *name, struct bytes content,
		 mode_t mode) ATTR_MUST_CHECK;
