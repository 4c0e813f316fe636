/* A connection of HTTP/2, as frames: for each a type, flags, a stream, a length and its body. A
 * head may begin with one that is well-formed, since few inputs would ever become one. */
#include "http/fuzz_connection.h"

enum { HEADERS = 1, SETTINGS = 4, TYPES = 12, STREAMS = 8, FRAME_SPEC = 5, WELL_FORMED = 0x40 };

static void append_frame(struct buffer *out, const uint8_t spec[4], uint32_t stream,
			 struct bytes body)
{
	const uint8_t head[] = {(uint8_t)(body.size >> 16),
				(uint8_t)(body.size >> 8),
				(uint8_t)body.size,
				spec[0] % TYPES,
				spec[1],
				0,
				0,
				0,
				(uint8_t)stream};
	buffer_append(out, head, sizeof(head));
	buffer_append(out, body.data, body.size);
}

static void append_body(struct buffer *out, const uint8_t spec[FRAME_SPEC], struct bytes body)
{
	/* GET, POST (by index), http, `/`, and the authority `h`. */
	static const uint8_t get[] = {0x82, 0x86, 0x84, 0x01, 1, 'h'};
	static const uint8_t post[] = {0x83, 0x86, 0x84, 0x01, 1, 'h'};
	if (spec[0] % TYPES == HEADERS && spec[1] & WELL_FORMED)
		buffer_append(out, spec[4] & 1 ? post : get, sizeof(get));
	buffer_append(out, body.data, body.size);
}

static void append_frames(struct buffer *out, struct bytes rest)
{
	while (rest.size >= FRAME_SPEC) {
		struct buffer body ATTR_BUFFER = {0};
		const uint8_t *spec = rest.data;
		rest = (struct bytes){rest.data + FRAME_SPEC, rest.size - FRAME_SPEC};
		size_t size = spec[3] < rest.size ? spec[3] : rest.size;
		append_body(&body, spec, (struct bytes){rest.data, size});
		append_frame(out, spec, spec[2] % STREAMS, buffer_bytes(&body));
		rest = (struct bytes){rest.data + size, rest.size - size};
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct text preface = TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	static const uint8_t settings[4] = {SETTINGS};
	struct buffer opening ATTR_BUFFER = {0}, frames ATTR_BUFFER = {0};
	if (size == 0)
		return 0;
	buffer_append_text(&opening, preface);
	append_frame(&opening, settings, 0, (struct bytes){0});
	append_frames(&frames, (struct bytes){data + 1, size - 1});
	fuzz_connection(buffer_bytes(&opening), buffer_bytes(&frames), (size_t)data[0] * 16);
	return 0;
}
