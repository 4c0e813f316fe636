/* The bytes of a connection of HTTP/1; the first says in what pieces they come. Those above 0x7f
 * stand for what a request is made of, since few inputs would ever hold it. */
#include "http/fuzz_connection.h"

static const struct text parts[] = {
    TEXT("GET / HTTP/1.1\r\n"),
    TEXT("POST /"),
    TEXT("HEAD /c HTTP/1.1\r\n"),
    TEXT("GET /s HTTP/1.1\r\n"),
    TEXT(" HTTP/1.1\r\n"),
    TEXT(" HTTP/1.0\r\n"),
    TEXT("http://h"),
    TEXT("Host: h\r\n"),
    TEXT("Content-Length: 3\r\n"),
    TEXT("Content-Length: "),
    TEXT("Transfer-Encoding: chunked\r\n"),
    TEXT("Connection: close\r\n"),
    TEXT("Connection: keep-alive\r\n"),
    TEXT("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
    TEXT("Expect: 100-continue\r\n"),
    TEXT("\r\n"),
    TEXT("\r\n\r\n"),
    TEXT("POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"),
    TEXT("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"),
    TEXT("POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"),
    TEXT("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"),
    TEXT("POST /w HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n"),
    TEXT("3\r\nabc\r\n"),
    TEXT("0\r\n\r\n"),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer bytes ATTR_BUFFER = {0};
	for (size_t i = 1; i < size; i++)
		if (data[i] & 0x80)
			buffer_append_text(&bytes, parts[(data[i] & 0x7f) % ARRAY_SIZE(parts)]);
		else
			buffer_append_byte(&bytes, data[i]);
	if (size > 0)
		fuzz_connection((struct bytes){0}, buffer_bytes(&bytes), (size_t)data[0] * 16);
	return 0;
}
