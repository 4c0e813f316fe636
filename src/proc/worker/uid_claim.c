#include "proc/worker/uid_claim.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "proc/worker/uid_range.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A byte of the file stands for each id. Nothing is ever written to it: the locks are what counts,
 * and the kernel takes back those of a process that is gone. They are of the process and not of the
 * open file, since the copies from which instances come must not keep them. */
static int lock_ids(int file, int command, struct flock *ids)
{
	int r;
	do {
		r = fcntl(file, command, ids);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static struct flock ids_of(uint64_t base, unsigned slots)
{
	return (struct flock){.l_type = F_WRLCK,
			      .l_whence = SEEK_SET,
			      .l_start = (off_t)base,
			      .l_len = (off_t)slots * UID_RANGE_SIZE};
}

static int claim_from(int file, uint64_t base, unsigned slots, uint64_t *out)
{
	uint32_t first, last;
	for (;;) {
		int r = uid_range_first(base, 0, &first);
		if (r == 0)
			r = uid_range_first(base, slots - 1, &last);
		if (r < 0)
			return error_trace(r);
		struct flock ids = ids_of(base, slots);
		r = lock_ids(file, F_SETLK, &ids);
		if (r == 0) {
			*out = base;
			return 0;
		}
		if (r != -EAGAIN && r != -EACCES)
			return error_origin(r);
		r = lock_ids(file, F_GETLK, &ids);
		if (r < 0)
			return error_origin(r);
		if (ids.l_type != F_UNLCK) /* else it has let go meanwhile */
			base = (uint64_t)(ids.l_start + ids.l_len);
	}
}

int uid_claim(const char *register_file, uint64_t wanted, unsigned slots, uint64_t *base,
	      int *claim)
{
	int file ATTR_DESCRIPTOR =
	    open(register_file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return error_origin(-errno);
	int r = claim_from(file, wanted, slots, base);
	if (r < 0)
		return error_trace(r);
	*claim = descriptor_take(&file);
	return 0;
}
