#include "proc/worker/uid_range.h"

#include "base/error.h"

#include <errno.h>

/* (uid_t)-1 is no user, and the last range must end before it. */
static const uint64_t end_of_ids = UINT32_MAX;

int uid_range_first(uint64_t base, unsigned slot, uint32_t *first)
{
	if (base < UID_RANGE_SIZE || base > end_of_ids)
		return error_origin(-ERANGE);
	uint64_t start = base + (uint64_t)slot * UID_RANGE_SIZE;
	if (start + UID_RANGE_SIZE > end_of_ids)
		return error_origin(-ERANGE);
	*first = (uint32_t)start;
	return 0;
}
