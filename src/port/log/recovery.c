#include "port/log/recovery.h"

#include "base/error.h"
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCAN_STEP = 256 << 10 };

struct scan {
	struct segment *segment;
	uint64_t limit; /* position */
	uint32_t end;   /* of the file */
	struct buffer window;
	uint32_t window_at;
};

static int fill_window(struct scan *scan, uint32_t at, size_t size)
{
	buffer_clear(&scan->window);
	uint8_t *room = buffer_reserve(&scan->window, size);
	if (!room)
		return error_origin(-ENOMEM);
	scan->window_at = at;
	while (scan->window.size < size) {
		ssize_t n = pread(scan->segment->fd, room + scan->window.size,
				  size - scan->window.size, (off_t)at + (off_t)scan->window.size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_origin(-errno);
		if (n == 0)
			break;
		scan->window.size += (size_t)n;
	}
	return 0;
}

/* The bytes at `at`: `size` of them, or as many as the file has. */
static int look(struct scan *scan, uint32_t at, size_t size, struct bytes *bytes)
{
	if (size > scan->end - at)
		size = scan->end - at;
	if (at < scan->window_at || at + size > scan->window_at + scan->window.size) {
		size_t step = size > SCAN_STEP ? size : SCAN_STEP;
		int r = fill_window(scan, at, step < scan->end - at ? step : scan->end - at);
		if (r < 0)
			return error_trace(r);
	}
	size_t skip = at - scan->window_at;
	*bytes = (struct bytes){scan->window.data + skip, scan->window.size - skip};
	return 0;
}

/* The whole record at `at`, if it is one that may stand there: 0 or RECORD_DAMAGED. */
static int record_at(struct scan *scan, uint32_t at, struct record *record)
{
	const struct index_summary *summary = &scan->segment->summary;
	struct bytes bytes;
	int r = look(scan, at, RECORD_HEADER, &bytes);
	if (r == 0)
		r = record_decode(bytes, scan->segment->salt, record);
	if (r == RECORD_SHORT && record->size <= scan->end - at && record->size > bytes.size) {
		r = look(scan, at, record->size, &bytes);
		if (r == 0)
			r = record_decode(bytes, scan->segment->salt, record);
	}
	if (r < 0)
		return error_trace(r);
	if (r)
		return RECORD_DAMAGED;
	uint64_t expected = summary->first + summary->records;
	bool fits = record->position >= expected &&
		    record->position - summary->first < UINT32_MAX &&
		    record->back <= (at - SEGMENT_HEADER) / RECORD_ALIGN;
	return fits ? 0 : RECORD_DAMAGED;
}

/* The next whole record behind `bad`, if there is also one whose batch was begun behind `bad`:
 * which proves that `bad` had been durable, and with it all that stands between. */
static int find_later(struct scan *scan, uint32_t bad, uint32_t *at, struct record *record)
{
	uint32_t found = 0;
	struct record later;
	for (uint32_t try = bad + RECORD_ALIGN; try + RECORD_HEADER <= scan->end;
	     try += RECORD_ALIGN) {
		int r = record_at(scan, try, &later);
		if (r < 0)
			return error_trace(r);
		if (r == 0 && !found)
			found = try;
		if (r == 0 && try - later.back * RECORD_ALIGN > bad) {
			*at = found;
			return error_trace(record_at(scan, found, record));
		}
	}
	return RECORD_DAMAGED;
}

static void note_hole(struct segment *segment, uint32_t start, uint32_t end)
{
	log_error("log damaged segment=%" PRIu32 " position=%" PRIu64 " lost=%" PRIu32,
		  segment->serial, segment->summary.first + start, end - start);
	index_note_hole(&segment->summary, (struct index_hole){start, end});
}

static int take(struct segment *segment, const struct record *record, uint32_t at)
{
	struct index_summary *summary = &segment->summary;
	int r = index_reserve(segment->index, record->n_subjects);
	if (r < 0)
		return error_trace(r);
	index_add(segment->index, record, (uint32_t)(record->position - summary->first), at);
	if (summary->oldest_ms == 0 || record->time_ms < summary->oldest_ms)
		summary->oldest_ms = record->time_ms;
	if (record->time_ms > summary->newest_ms)
		summary->newest_ms = record->time_ms;
	summary->records = (uint32_t)(record->position - summary->first) + 1;
	summary->end = at + (uint32_t)record->size;
	return 0;
}

static int scan_records(struct scan *scan)
{
	struct index_summary *summary = &scan->segment->summary;
	struct record record;
	int r = 0;
	for (uint32_t at = SEGMENT_HEADER; r == 0 && at < scan->end; at = summary->end) {
		uint32_t next = at;
		r = record_at(scan, at, &record);
		if (r == 0 && record.position != summary->first + summary->records)
			r = RECORD_DAMAGED;
		if (r == RECORD_DAMAGED)
			r = find_later(scan, at, &next, &record);
		if (r == 0 && record.position >= scan->limit)
			break;
		if (r == 0 && record.position > summary->first + summary->records)
			note_hole(scan->segment, summary->records,
				  (uint32_t)(record.position - summary->first));
		if (r == 0)
			r = take(scan->segment, &record, next);
	}
	return r < 0 ? error_trace(r) : 0;
}

int recovery_scan(struct segment *segment, uint64_t limit)
{
	struct scan scan = {.segment = segment, .limit = limit};
	struct stat state;
	if (fstat(segment->fd, &state) < 0)
		return error_origin(-errno);
	scan.end = state.st_size < UINT32_MAX ? (uint32_t)state.st_size : UINT32_MAX;
	segment->summary.end = SEGMENT_HEADER;
	int r = scan_records(&scan);
	buffer_free(&scan.window);
	if (r == 0 && scan.end > segment->summary.end)
		log_debug("log recovered segment=%" PRIu32 " records=%" PRIu32 " end=%" PRIu32
			  " of=%" PRIu32,
			  segment->serial, segment->summary.records, segment->summary.end,
			  scan.end);
	return r;
}
