#include "port/log/disk_faulty.h"

#include <errno.h>
#include <unistd.h>

/* The fault, if this call is one that has to fail. */
static const struct disk_fault *strike(const struct disk *disk, enum disk_call call)
{
	struct disk_faulty *faulty = container_of(disk, struct disk_faulty, disk);
	struct disk_fault *fault = &faulty->faults[call];
	faulty->calls[call]++;
	if (fault->after > 0) {
		fault->after--;
		return NULL;
	}
	if (fault->times == 0)
		return NULL;
	fault->times--;
	errno = fault->error;
	return fault;
}

static ssize_t faulty_write(const struct disk *disk, int fd, struct bytes bytes, off_t offset)
{
	const struct disk_fault *fault = strike(disk, DISK_WRITE);
	if (!fault)
		return disk_real.write(&disk_real, fd, bytes, offset);
	struct bytes part = {bytes.data, fault->partial < bytes.size ? fault->partial : bytes.size};
	ssize_t written = part.size ? disk_real.write(&disk_real, fd, part, offset) : 0;
	errno = fault->error;
	return fault->error ? -1 : written;
}

static int faulty_sync(const struct disk *disk, int fd)
{
	return strike(disk, DISK_SYNC) ? -1 : disk_real.sync(&disk_real, fd);
}

static int faulty_allocate(const struct disk *disk, int fd, off_t offset, off_t size)
{
	return strike(disk, DISK_ALLOCATE) ? -1 : disk_real.allocate(&disk_real, fd, offset, size);
}

static int faulty_available(const struct disk *disk, int fd, uint64_t *bytes)
{
	const struct disk_fault *fault = strike(disk, DISK_AVAILABLE);
	if (fault && fault->error)
		return -1;
	*bytes = 0;
	return fault ? 0 : disk_real.available(&disk_real, fd, bytes);
}

void disk_faulty_init(struct disk_faulty *faulty)
{
	*faulty = (struct disk_faulty){
	    .disk = {faulty_write, faulty_sync, faulty_allocate, faulty_available},
	};
}
