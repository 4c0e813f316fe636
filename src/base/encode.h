/* Bytes as text: hexadecimal, base64 (RFC 4648 section 4, padded) and Crockford base32 as
 * identifiers use it. */
#pragma once

#include "base/buffer.h"

void encode_hex(struct bytes bytes, char *out); /* 2 × size characters and a NUL */
int decode_hex(struct text text,
	       uint8_t *out); /* text.size / 2 bytes; 1 if it is not hexadecimal */

void encode_base64(struct buffer *out, struct bytes bytes);
int decode_base64(struct buffer *out, struct text text); /* 1 if malformed; -errno */

/* base64url without padding, for tokens (RFC 4648 section 5). */
void encode_base64url(struct buffer *out, struct bytes bytes);
int decode_base64url(struct buffer *out, struct text text); /* 1 if malformed or padded; -errno */

/* 16 bytes as 26 lower-case characters, no NUL added; the first carries the two top bits only. */
enum { BASE32_SIZE = 26 };
void encode_base32(const uint8_t bytes[16], char out[BASE32_SIZE]);
int decode_base32(const char text[BASE32_SIZE], uint8_t bytes[16]); /* 1 if malformed */
