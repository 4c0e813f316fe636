#include "sealed.h"

#include "base/descriptor.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

int sealed_copy(const char *path, const char *name, int *out)
{
	struct stat status;
	int from ATTR_DESCRIPTOR = open(path, O_RDONLY | O_CLOEXEC);
	int copy ATTR_DESCRIPTOR = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (from < 0 || copy < 0 || fstat(from, &status) < 0)
		return error_origin(-errno);
	for (off_t left = status.st_size; left > 0;) {
		ssize_t n = sendfile(copy, from, NULL, (size_t)left);
		if (n <= 0)
			return error_origin(n < 0 ? -errno : -EIO);
		left -= n;
	}
	if (fchmod(copy, 0555) < 0 ||
	    fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return error_origin(-errno);
	*out = descriptor_take(&copy);
	return 0;
}
