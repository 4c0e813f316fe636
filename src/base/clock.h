/* Time. Engines never call this: time is passed to them. */
#pragma once

#include <stdint.h>

enum {
	CLOCK_TEXT_SIZE = 25, /* "2026-01-31T23:59:59.999Z" and its NUL */
	CLOCK_HTTP_SIZE = 30,
};

int64_t clock_wall_ms(void);
uint64_t clock_monotonic_ms(void);
uint64_t clock_monotonic_ns(void);

/* RFC 3339, UTC, with milliseconds. */
void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);

/* As HTTP writes it (RFC 9110, 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". */
void clock_format_http(int64_t wall_ms, char out[CLOCK_HTTP_SIZE]);

/* Accepts what clock_format() writes and other offsets and precisions of RFC 3339; 1 if it is none.
 */
int clock_parse(const char *data, uint64_t size, int64_t *wall_ms);
