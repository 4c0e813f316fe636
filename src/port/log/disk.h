/* The system calls through which segments reach the disk, as a table, so that a test can let each
 * of them fail at each moment. Calls return as the system's do: -1 and errno. */
#pragma once

#include "base/text.h"

#include <sys/types.h>

struct disk {
	ssize_t (*write)(const struct disk *disk, int fd, struct bytes bytes, off_t offset);
	int (*sync)(const struct disk *disk, int fd);                               /* fdatasync */
	int (*allocate)(const struct disk *disk, int fd, off_t offset, off_t size); /* fallocate */
	int (*available)(const struct disk *disk, int fd, uint64_t *bytes);         /* fstatvfs */
};

extern const struct disk disk_real;
