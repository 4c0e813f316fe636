/* A token bucket: so many per minute, and a whole minute's worth at once after a rest. Time is
 * passed in. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A zeroed bucket is full. Levels are kept in 1/60000 of a token: what one token a minute brings in
 * a millisecond. */
struct bucket {
	uint64_t missing;
	uint64_t updated_ms;
};

enum { BUCKET_PER_MINUTE_MAX = 1000000000 };

/* Takes one token. False if there is none; then nothing changes but the time. */
bool bucket_take(struct bucket *bucket, uint64_t per_minute, uint64_t now_ms);

uint64_t bucket_left(const struct bucket *bucket,
		     uint64_t per_minute); /* whole tokens, as of the last take */
uint64_t bucket_full_ms(const struct bucket *bucket, uint64_t per_minute); /* until it is full */
uint64_t bucket_next_ms(const struct bucket *bucket,
			uint64_t per_minute); /* until it has one; 0: it has */
