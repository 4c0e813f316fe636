/* Random bytes for keys and tokens, from the kernel. There is no failure to handle: a process that
 * gets none aborts, because going on with predictable secrets would be worse. */
#pragma once

#include <stddef.h>

void random_fill(void *data, size_t size);
