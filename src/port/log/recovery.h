/* What a segment holds that no index vouches for: the parser of bytes that a crash, or a bad disk,
 * left behind. */
#pragma once

#include "port/log/segment.h"

/* Fills summary and index from the records, up to position `limit`. What is no record and has no
 * later batch behind it is a torn tail: the segment ends before it. What is no record but has one
 * is damage: a hole, told with its position in the process's log. -ENOMEM, or the disk's error. */
int recovery_scan(struct segment *segment, uint64_t limit) ATTR_MUST_CHECK;
