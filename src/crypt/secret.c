#include "crypt/secret.h"

#include "base/error.h"

#include <errno.h>
#include <sys/mman.h>

/* munmap() rounds up to whole pages as mmap() did. */
int secret_new(struct secret *secret, size_t size)
{
	if (size == 0 || size > SECRET_SIZE_MAX)
		return error_origin(-EINVAL);
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return error_origin(-errno);
	if (madvise(pages, size, MADV_DONTDUMP) < 0 || madvise(pages, size, MADV_WIPEONFORK) < 0) {
		int error = -errno;
		munmap(pages, size);
		return error_origin(error);
	}
	/* Without the limit for it the secret may be swapped: that is the operator's choice, and no
	 * reason not to serve. */
	int locked ATTR_UNUSED = mlock(pages, size);
	*secret = (struct secret){pages, size};
	return 0;
}

void secret_wipe(void *data, size_t size)
{
	explicit_bzero(data, size);
}

void secret_free(struct secret *secret)
{
	if (secret->data) {
		secret_wipe(secret->data, secret->size);
		munmap(secret->data, secret->size);
	}
	*secret = (struct secret){0};
}
