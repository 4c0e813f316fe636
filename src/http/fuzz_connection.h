/* For the fuzz targets: one connection of a server over a socket pair, with a user that answers in
 * each of the ways there are. It aborts if the library breaks its promises: a request that is not
 * told to be closed, or twice; a body beyond its size; a connection that outlives its client. */
#pragma once

#include "base/buffer.h"

#include <stddef.h>
#include <stdint.h>

/* The client sends `opening`, then `data` in pieces of at most `step` bytes, reads, and goes. */
void fuzz_connection(struct bytes opening, struct bytes data, size_t step);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
