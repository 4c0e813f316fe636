#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_wall_ms(void)
{
	return read_ns(CLOCK_REALTIME) / 1000000;
}

uint64_t clock_monotonic_ms(void)
{
	return (uint64_t)read_ns(CLOCK_MONOTONIC) / 1000000;
}

uint64_t clock_monotonic_ns(void)
{
	return (uint64_t)read_ns(CLOCK_MONOTONIC);
}

void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
	int64_t seconds = wall_ms / 1000, ms = wall_ms % 1000;
	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	time_t at = (time_t)seconds;
	struct tm parts;
	gmtime_r(&at, &parts);
	char day[32];
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(out, CLOCK_TEXT_SIZE, "%.19s.%03dZ", day, (int)ms);
}

static bool digits(const char *at, int count, int *value)
{
	*value = 0;
	for (int i = 0; i < count; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
		*value = *value * 10 + (at[i] - '0');
	}
	return true;
}

/* The offset part, "Z" or "+hh:mm"; the whole rest of the text must be it. */
static int parse_offset(const char *at, const char *end, int *minutes)
{
	int hour, minute;
	*minutes = 0;
	if (end - at == 1 && (*at == 'Z' || *at == 'z'))
		return 0;
	if (end - at != 6 || (*at != '+' && *at != '-') || at[3] != ':')
		return 1;
	if (!digits(at + 1, 2, &hour) || !digits(at + 4, 2, &minute) || hour > 23 || minute > 59)
		return 1;
	*minutes = (hour * 60 + minute) * (*at == '-' ? -1 : 1);
	return 0;
}

int clock_parse(const char *data, uint64_t size, int64_t *wall_ms)
{
	struct tm parts = {0};
	int year, month, ms = 0, offset;
	const char *end = data + size;
	if (size < 20 || size > 40 || data[4] != '-' || data[7] != '-' || data[13] != ':' ||
	    data[16] != ':' || (data[10] != 'T' && data[10] != 't'))
		return 1;
	if (!digits(data, 4, &year) || !digits(data + 5, 2, &month) ||
	    !digits(data + 8, 2, &parts.tm_mday) || !digits(data + 11, 2, &parts.tm_hour) ||
	    !digits(data + 14, 2, &parts.tm_min) || !digits(data + 17, 2, &parts.tm_sec))
		return 1;
	if (month < 1 || month > 12 || parts.tm_mday < 1 || parts.tm_mday > 31 ||
	    parts.tm_hour > 23 || parts.tm_min > 59 || parts.tm_sec > 60)
		return 1;
	const char *at = data + 19;
	if (*at == '.') {
		int scale = 100;
		for (at++; at < end && *at >= '0' && *at <= '9'; at++, scale /= 10)
			ms += (*at - '0') * scale;
	}
	if (parse_offset(at, end, &offset))
		return 1;
	parts.tm_year = year - 1900;
	parts.tm_mon = month - 1;
	*wall_ms = ((int64_t)timegm(&parts) - (int64_t)offset * 60) * 1000 + ms;
	return 0;
}

/* Not by strftime(), whose names are the locale's. */
void clock_format_http(int64_t wall_ms, char out[CLOCK_HTTP_SIZE])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm parts;
	time_t seconds = (time_t)(wall_ms / 1000);
	gmtime_r(&seconds, &parts);
	snprintf(out, CLOCK_HTTP_SIZE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
		 days + 3 * parts.tm_wday, (unsigned)parts.tm_mday % 100, months + 3 * parts.tm_mon,
		 ((unsigned)parts.tm_year + 1900) % 10000, (unsigned)parts.tm_hour % 100,
		 (unsigned)parts.tm_min % 100, (unsigned)parts.tm_sec % 100);
}
