/* CRC-32C (Castagnoli, RFC 3720): finds damage, does not resist an attacker. Uses the processor's
 * instruction where there is one. */
#pragma once

#include "base/text.h"

/* Continues from `crc`, which is 0 at the start. */
uint32_t crc32c(uint32_t crc, struct bytes bytes);

/* The portable implementation, for the test that holds both against each other. */
uint32_t crc32c_by_table(uint32_t crc, struct bytes bytes);
