#include "base/encode.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base32_digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void encode_hex(struct bytes bytes, char *out)
{
	for (size_t i = 0; i < bytes.size; i++) {
		*out++ = hex_digits[bytes.data[i] >> 4];
		*out++ = hex_digits[bytes.data[i] & 15];
	}
	*out = '\0';
}

/* The place of `c` among the `count` digits, or -1. */
static int digit_of(const char *digits, size_t count, char c)
{
	const char *found = c ? memchr(digits, c, count) : NULL;
	return found ? (int)(found - digits) : -1;
}

int decode_hex(struct text text, uint8_t *out)
{
	if (text.size % 2)
		return 1;
	for (size_t i = 0; i < text.size; i += 2) {
		int high = digit_of(hex_digits, 16, text.data[i]);
		int low = digit_of(hex_digits, 16, text.data[i + 1]);
		if (high < 0 || low < 0)
			return 1;
		*out++ = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static void base64_with(struct buffer *out, struct bytes bytes, const char *digits, bool pad)
{
	char *room = (char *)buffer_reserve(out, (bytes.size + 2) / 3 * 4);
	if (!room)
		return;
	char *at = room;
	size_t i = 0;
	for (; i + 3 <= bytes.size; i += 3) {
		uint32_t v = (uint32_t)bytes.data[i] << 16 | (uint32_t)bytes.data[i + 1] << 8 |
			     bytes.data[i + 2];
		*at++ = digits[v >> 18];
		*at++ = digits[v >> 12 & 63];
		*at++ = digits[v >> 6 & 63];
		*at++ = digits[v & 63];
	}
	size_t rest = bytes.size - i;
	if (rest > 0) {
		uint32_t v = (uint32_t)bytes.data[i] << 16;
		if (rest == 2)
			v |= (uint32_t)bytes.data[i + 1] << 8;
		*at++ = digits[v >> 18];
		*at++ = digits[v >> 12 & 63];
		if (rest == 2)
			*at++ = digits[v >> 6 & 63];
		for (size_t k = rest; pad && k < 3; k++)
			*at++ = '=';
	}
	out->size += (size_t)(at - room);
}

void encode_base64(struct buffer *out, struct bytes bytes)
{
	base64_with(out, bytes, base64_digits, true);
}

void encode_base64url(struct buffer *out, struct bytes bytes)
{
	base64_with(out, bytes, base64url_digits, false);
}

int decode_base64(struct buffer *out, struct text text)
{
	if (text.size % 4)
		return 1;
	uint8_t *at = buffer_reserve(out, text.size / 4 * 3);
	if (!at && text.size > 0)
		return buffer_check(out);
	for (size_t i = 0; i < text.size; i += 4) {
		bool last = i + 4 == text.size;
		size_t pads = !last ? 0
				    : (size_t)(text.data[i + 3] == '=') +
					  (text.data[i + 2] == '=' && text.data[i + 3] == '=');
		uint32_t v = 0;
		for (size_t k = 0; k < 4; k++) {
			int digit =
			    k >= 4 - pads ? 0 : digit_of(base64_digits, 64, text.data[i + k]);
			if (digit < 0)
				return 1;
			v = v << 6 | (uint32_t)digit;
		}
		if ((pads == 1 && (v & 0xff)) || (pads == 2 && (v & 0xffff)))
			return 1; /* one spelling per value */
		uint8_t three[3] = {(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
		memcpy(at, three, 3 - pads);
		at += 3 - pads;
		out->size += 3 - pads;
	}
	return 0;
}

int decode_base64url(struct buffer *out, struct text text)
{
	size_t rest = text.size % 4;
	if (rest == 1)
		return 1;
	uint8_t *at = buffer_reserve(out, text.size / 4 * 3 + 2);
	if (!at)
		return buffer_check(out);
	uint32_t held = 0;
	unsigned bits = 0;
	size_t written = 0;
	for (size_t i = 0; i < text.size; i++) {
		int digit = digit_of(base64url_digits, 64, text.data[i]);
		if (digit < 0)
			return 1;
		held = held << 6 | (uint32_t)digit;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			at[written++] = (uint8_t)(held >> bits);
		}
	}
	if (held & ((1u << bits) - 1))
		return 1; /* one spelling per value */
	out->size += written;
	return 0;
}

void encode_base32(const uint8_t bytes[16], char out[BASE32_SIZE])
{
	/* 128 bits in 26 digits of 5: two zero bits stand in front. */
	uint32_t held = 0;
	int bits = 2;
	size_t at = 0;
	for (size_t i = 0; i < 16; i++) {
		held = held << 8 | bytes[i];
		for (bits += 8; bits >= 5; bits -= 5)
			out[at++] = base32_digits[held >> (bits - 5) & 31];
	}
}

int decode_base32(const char text[BASE32_SIZE], uint8_t bytes[16])
{
	uint32_t held = 0;
	int bits = -2;
	size_t at = 0;
	for (size_t i = 0; i < BASE32_SIZE; i++) {
		int digit = digit_of(base32_digits, 32, text[i]);
		if (digit < 0 || (i == 0 && digit > 7))
			return 1;
		held = held << 5 | (uint32_t)digit;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			bytes[at++] = (uint8_t)(held >> bits);
		}
	}
	return 0;
}
