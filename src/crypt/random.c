#include "crypt/random.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

void random_fill(void *data, size_t size)
{
	uint8_t *at = data;
	while (size > 0) {
		ssize_t n = getrandom(at, size, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			abort();
		at += n;
		size -= (size_t)n;
	}
}
