#include "port/log/disk.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

static ssize_t real_write(const struct disk *disk ATTR_UNUSED, int fd, struct bytes bytes,
			  off_t offset)
{
	return pwrite(fd, bytes.data, bytes.size, offset);
}

static int real_sync(const struct disk *disk ATTR_UNUSED, int fd)
{
	return fdatasync(fd);
}

static int real_allocate(const struct disk *disk ATTR_UNUSED, int fd, off_t offset, off_t size)
{
	return fallocate(fd, 0, offset, size);
}

static int real_available(const struct disk *disk ATTR_UNUSED, int fd, uint64_t *bytes)
{
	struct statvfs state;
	if (fstatvfs(fd, &state) < 0)
		return -1;
	*bytes = (uint64_t)state.f_bavail * state.f_frsize;
	return 0;
}

const struct disk disk_real = {real_write, real_sync, real_allocate, real_available};
