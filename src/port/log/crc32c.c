#include "port/log/crc32c.h"

/* Four bits a step: a table of 64 bytes needs no set-up and stays in the cache; it serves only
 * processors without SSE 4.2. */
static const uint32_t nibbles[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c_by_table(uint32_t crc, struct bytes bytes)
{
	crc = ~crc;
	for (size_t i = 0; i < bytes.size; i++) {
		crc ^= bytes.data[i];
		crc = crc >> 4 ^ nibbles[crc & 15];
		crc = crc >> 4 ^ nibbles[crc & 15];
	}
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, struct bytes bytes)
{
	uint64_t state = (uint32_t)~crc;
	for (; bytes.size >= 8; bytes.data += 8, bytes.size -= 8) {
		uint64_t word;
		memcpy(&word, bytes.data, sizeof(word));
		state = __builtin_ia32_crc32di(state, word);
	}
	for (size_t i = 0; i < bytes.size; i++)
		state = __builtin_ia32_crc32qi((uint32_t)state, bytes.data[i]);
	return ~(uint32_t)state;
}

uint32_t crc32c(uint32_t crc, struct bytes bytes)
{
	return __builtin_cpu_supports("sse4.2") ? by_instruction(crc, bytes)
						: crc32c_by_table(crc, bytes);
}
#else
uint32_t crc32c(uint32_t crc, struct bytes bytes)
{
	return crc32c_by_table(crc, bytes);
}
#endif
