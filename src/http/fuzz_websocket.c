/* A WebSocket's frames: for each its first byte, a length and its body, with a mask of zeros. What
 * is left over comes raw. */
#include "http/fuzz_connection.h"

enum { FRAME_SPEC = 2, SHORT_MAX = 125 };

static void append_frame(struct buffer *out, uint8_t first, struct bytes body)
{
	buffer_append_byte(out, first);
	buffer_append_byte(out, 0x80 | (uint8_t)body.size);
	buffer_append(out, "\0\0\0\0", 4);
	buffer_append(out, body.data, body.size);
}

static void append_frames(struct buffer *out, struct bytes rest)
{
	while (rest.size > FRAME_SPEC && rest.data[1] <= SHORT_MAX) {
		const uint8_t *spec = rest.data;
		rest = (struct bytes){rest.data + FRAME_SPEC, rest.size - FRAME_SPEC};
		size_t size = spec[1] < rest.size ? spec[1] : rest.size;
		append_frame(out, spec[0], (struct bytes){rest.data, size});
		rest = (struct bytes){rest.data + size, rest.size - size};
	}
	buffer_append(out, rest.data, rest.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct text upgrade = TEXT(
	    "GET /s HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	struct buffer frames ATTR_BUFFER = {0};
	if (size == 0)
		return 0;
	append_frames(&frames, (struct bytes){data + 1, size - 1});
	fuzz_connection(text_bytes(upgrade), buffer_bytes(&frames), (size_t)data[0] * 16);
	return 0;
}
