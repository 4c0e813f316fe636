#include "tenant/bucket.h"

enum { TOKEN = 60000 };

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return (a + b - 1) / b;
}

static void refill(struct bucket *bucket, uint64_t per_minute, uint64_t now_ms)
{
	uint64_t elapsed = now_ms > bucket->updated_ms ? now_ms - bucket->updated_ms : 0;
	if (bucket->updated_ms == 0 || elapsed >= TOKEN) /* a minute fills any bucket */
		bucket->missing = 0;
	else
		bucket->missing -=
		    elapsed * per_minute < bucket->missing ? elapsed * per_minute : bucket->missing;
	bucket->updated_ms = now_ms;
}

static uint64_t level(const struct bucket *bucket, uint64_t per_minute)
{
	uint64_t capacity = per_minute * TOKEN;
	return bucket->missing < capacity ? capacity - bucket->missing : 0;
}

bool bucket_take(struct bucket *bucket, uint64_t per_minute, uint64_t now_ms)
{
	refill(bucket, per_minute, now_ms);
	if (level(bucket, per_minute) < TOKEN)
		return false;
	bucket->missing += TOKEN;
	return true;
}

uint64_t bucket_left(const struct bucket *bucket, uint64_t per_minute)
{
	return level(bucket, per_minute) / TOKEN;
}

uint64_t bucket_full_ms(const struct bucket *bucket, uint64_t per_minute)
{
	return divide_up(bucket->missing, per_minute);
}

uint64_t bucket_next_ms(const struct bucket *bucket, uint64_t per_minute)
{
	uint64_t has = level(bucket, per_minute);
	return has >= TOKEN ? 0 : divide_up(TOKEN - has, per_minute);
}
