#include "port/log/segment_log.h"

#include "base/error.h"
#include "base/log.h"
#include "port/log/segment_list.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum { WINDOW = 128 << 10, FOUND_MAX = 1024 };

/* Bytes of one segment, as last read: records that lie side by side are read from the disk
 * together. */
struct window {
	struct buffer bytes;
	uint32_t segment;
	uint32_t at;
};

struct segment_log {
	struct log log;
	struct segment_place place;
	uint64_t segment_bytes;
	uint64_t salt;
	struct segment_list list;
	bool writing;           /* the last segment may be appended to */
	struct buffer gathered; /* whole records */
	uint32_t n_gathered;
	struct window window;
};

static struct segment_log *of(const struct log *log)
{
	return container_of(log, struct segment_log, log);
}

static uint64_t end_of(const struct segment_log *log)
{
	const struct segment *last = segment_list_last(&log->list);
	return last ? last->summary.first + last->summary.records : 0;
}

/* ---- appending ---- */

static int gather(struct log *base, const struct log_append *append, uint64_t *position)
{
	struct segment_log *log = of(base);
	uint64_t next = end_of(log) + log->n_gathered;
	int r = record_encode(&log->gathered, log->salt, next, append);
	if (r < 0)
		return error_trace(r);
	log->n_gathered++;
	*position = next;
	return 0;
}

static size_t gathered(const struct log *base)
{
	return of(base)->gathered.size;
}

static void drop_gathered(struct segment_log *log)
{
	enum { KEPT = 256 << 10 };
	log->n_gathered = 0;
	buffer_clear(&log->gathered);
	if (log->gathered.capacity > KEPT)
		buffer_free(&log->gathered);
}

static int begin_segment(struct segment_log *log)
{
	struct segment *last = segment_list_last(&log->list), *next;
	struct segment like = {
	    .serial = last ? last->serial + 1 : 1, .salt = log->salt, .summary.first = end_of(log)};
	int r = segment_list_reserve(&log->list);
	if (r == 0)
		r = segment_create(&log->place, &like, &next);
	if (r)
		return r;
	segment_list_add(&log->list, next);
	log->writing = true;
	return 0;
}

/* Ends the segment that is written. Without its index on disk no further one is begun: indexes in
 * memory stay bounded. */
static int end_segment(struct segment_log *log)
{
	struct segment *last = segment_list_last(&log->list);
	log->writing = false;
	if (!last || !last->index)
		return 0;
	int r = segment_seal(last, log->place.directory);
	return r == -ENOSPC || r == -EDQUOT ? LOG_NO_SPACE : error_trace(r);
}

static bool has_room(const struct segment_log *log)
{
	const struct segment *last = segment_list_last(&log->list);
	return log->writing && last->summary.end < log->segment_bytes &&
	       last->summary.records + log->n_gathered <= SEGMENT_RECORDS;
}

static int write_gathered(struct segment_log *log)
{
	struct segment_batch batch = {buffer_bytes(&log->gathered), log->n_gathered};
	int r = has_room(log) ? 0 : end_segment(log);
	if (r == 0 && !log->writing)
		r = begin_segment(log);
	if (r == 0)
		r = segment_write(segment_list_last(&log->list), log->place.disk, &batch);
	if (r == 0)
		segment_accept(segment_list_last(&log->list), &batch);
	return r;
}

/* Nothing is written to this file again. A disk that fails every time must not leave a file behind
 * each time. */
static void abandon(struct segment_log *log)
{
	const struct segment *last = segment_list_last(&log->list);
	log->writing = false;
	if (last && last->summary.records == 0 && log->list.count > 1)
		segment_list_remove_last(&log->list, &log->place);
}

static int commit(struct log *base)
{
	enum { TRIES = 2 };
	struct segment_log *log = of(base);
	int r = log->n_gathered ? -EIO : 0;
	for (int i = 0; r < 0 && i < TRIES; i++) {
		r = write_gathered(log);
		if (r < 0) {
			log_error("log write failed position=%" PRIu64 " error=\"%s\"", end_of(log),
				  strerror(-r));
			abandon(log);
		}
	}
	drop_gathered(log);
	if (r == -ENOSPC || r == -EDQUOT)
		return LOG_NO_SPACE;
	return r < 0 ? LOG_UNCERTAIN : r;
}

/* ---- finding ---- */

struct search {
	struct segment_log *log;
	const struct log_query *query;
	struct log_place *places;
	struct log_found found;
	bool full;
};

static void note_lost(struct search *search, const struct segment *segment, uint32_t from)
{
	for (uint32_t i = 0; i < segment->summary.n_holes; i++) {
		const struct index_hole *hole = &segment->summary.holes[i];
		uint64_t lost = segment->summary.first + (hole->start > from ? hole->start : from);
		if (hole->end <= from || lost >= search->found.lost)
			continue;
		size_t n = search->found.count;
		if (!search->full || lost < search->places[n - 1].position)
			search->found.lost = lost;
	}
}

static int search_segment(struct search *search, struct segment *segment)
{
	struct index_entry entries[FOUND_MAX];
	const struct log_query *query = search->query;
	uint64_t first = segment->summary.first;
	uint32_t from = query->from > first ? (uint32_t)(query->from - first) : 0, ordinal = from;
	size_t n = 0, step;
	int r = segment_list_use(&search->log->list, segment, &search->log->place);
	do {
		step = query->max - search->found.count;
		if (step > FOUND_MAX)
			step = FOUND_MAX;
		struct index_query part = {query->subject, ordinal, step};
		if (r == 0)
			r = segment_find(segment, search->log->place.directory, &part, entries, &n);
		for (size_t i = 0; r == 0 && i < n; i++)
			search->places[search->found.count++] = (struct log_place){
			    .position = first + entries[i].ordinal,
			    .segment = segment->serial,
			    .offset = index_entry_offset(&entries[i]),
			    .tag = index_entry_tag(&entries[i]),
			};
		if (r == 0 && n > 0)
			ordinal = entries[n - 1].ordinal + 1;
		search->full = search->found.count == query->max;
	} while (r == 0 && n == step && !search->full);
	if (r == 0)
		note_lost(search, segment, from);
	return error_trace(r);
}

static int find(struct log *base, const struct log_query *query, struct log_place *places,
		struct log_found *found)
{
	struct segment_log *log = of(base);
	struct search search = {log, query, places, {0, LOG_NONE_LOST}, query->max == 0};
	if (query->from < segment_list_first_position(&log->list))
		return LOG_GONE;
	size_t i = segment_list_at(&log->list, query->from);
	int r = 0;
	for (; r == 0 && !search.full && i < log->list.count; i++)
		r = search_segment(&search, log->list.segments[i]);
	if (r == 0)
		*found = search.found;
	return error_trace(r);
}

static int find_last(struct log *base, uint64_t subject, uint64_t from, struct log_place *place)
{
	struct segment_log *log = of(base);
	for (size_t i = log->list.count; i > 0; i--) {
		struct segment *segment = log->list.segments[i - 1];
		uint64_t first = segment->summary.first;
		struct index_entry entry;
		if (first + segment->summary.records <= from)
			break;
		int r = segment_list_use(&log->list, segment, &log->place);
		if (r == 0)
			r = segment_find_last(segment, log->place.directory, subject,
					      from > first ? (uint32_t)(from - first) : 0, &entry);
		if (r < 0)
			return error_trace(r);
		if (r == 0) {
			*place =
			    (struct log_place){first + entry.ordinal, segment->serial,
					       index_entry_offset(&entry), index_entry_tag(&entry)};
			return 0;
		}
	}
	return LOG_GONE;
}

/* ---- reading ---- */

static int fill_window(struct segment_log *log, struct segment *segment, uint32_t at, size_t size)
{
	struct window *window = &log->window;
	buffer_clear(&window->bytes);
	if (window->bytes.capacity > 4 * WINDOW)
		buffer_free(&window->bytes);
	if (size > segment->summary.end - at)
		size = segment->summary.end - at;
	uint8_t *room = buffer_reserve(&window->bytes, size);
	if (!room)
		return error_origin(-ENOMEM);
	int r = segment_list_use(&log->list, segment, &log->place);
	if (r < 0)
		return error_trace(r);
	ssize_t n = pread(segment->fd, room, size, at);
	if (n < 0)
		return error_origin(-errno);
	window->bytes.size = (size_t)n;
	window->segment = segment->serial;
	window->at = at;
	return 0;
}

static struct bytes in_window(const struct segment_log *log, const struct log_place *place)
{
	const struct window *window = &log->window;
	size_t skip = place->offset - window->at;
	if (window->segment != place->segment || place->offset < window->at ||
	    skip >= window->bytes.size)
		return (struct bytes){0};
	return (struct bytes){window->bytes.data + skip, window->bytes.size - skip};
}

static int read_place(struct segment_log *log, struct segment *segment,
		      const struct log_place *place, struct record *record)
{
	struct bytes bytes = in_window(log, place);
	int r = record_decode(bytes, segment->salt, record);
	for (size_t size = WINDOW; r == RECORD_SHORT && size;) {
		r = fill_window(log, segment, place->offset, size);
		if (r < 0)
			return error_trace(r);
		r = record_decode(in_window(log, place), segment->salt, record);
		size = r == RECORD_SHORT && record->size > size ? record->size : 0;
	}
	return r;
}

static int read_record(struct log *base, const struct log_place *place, struct log_record *out)
{
	struct segment_log *log = of(base);
	struct segment *segment = segment_list_find(&log->list, place->segment);
	struct record record;
	if (!segment || place->position >= segment->summary.first + segment->summary.records)
		return LOG_GONE;
	int r = place->offset < segment->summary.end ? read_place(log, segment, place, &record)
						     : RECORD_DAMAGED;
	if (r < 0)
		return error_trace(r);
	if (r || record.position != place->position) {
		log_error("log damaged segment=%" PRIu32 " position=%" PRIu64, segment->serial,
			  place->position);
		return LOG_CORRUPT;
	}
	*out = (struct log_record){record.position, record.time_ms, record.tag, record.data};
	return 0;
}

/* ---- bounds ---- */

static uint64_t since(const struct log *base, int64_t time_ms)
{
	const struct segment_log *log = of(base);
	for (size_t i = 0; i < log->list.count; i++)
		if (log->list.segments[i]->summary.newest_ms >= time_ms)
			return log->list.segments[i]->summary.first;
	return end_of(log);
}

static void bounds(const struct log *base, struct log_bounds *out)
{
	const struct segment_log *log = of(base);
	*out = (struct log_bounds){segment_list_first_position(&log->list), end_of(log),
				   segment_list_bytes(&log->list)};
}

/* The last segment stays, whatever its age: it carries the next position over a restart. */
static int expire(struct log *base, const struct log_retention *retention, int64_t now_ms)
{
	struct segment_log *log = of(base);
	while (log->list.count > 1) {
		const struct segment *oldest = log->list.segments[0];
		bool old = retention->age_ms &&
			   oldest->summary.newest_ms + (int64_t)retention->age_ms < now_ms;
		bool large = retention->bytes && segment_list_bytes(&log->list) > retention->bytes;
		if (!old && !large)
			return 0;
		int r = segment_list_remove_first(&log->list, &log->place);
		if (r < 0)
			return error_trace(r);
	}
	return 0;
}

/* ---- life ---- */

static void close_log(struct log *base)
{
	struct segment_log *log = of(base);
	if (log->writing && end_segment(log))
		log_debug("log not sealed; the next opening recovers it");
	segment_list_free(&log->list);
	buffer_free(&log->gathered);
	buffer_free(&log->window.bytes);
	free(log);
}

static const struct log_class segment_log_class = {
    .name = "segments",
    .append = gather,
    .gathered = gathered,
    .commit = commit,
    .find = find,
    .find_last = find_last,
    .read = read_record,
    .since = since,
    .bounds = bounds,
    .expire = expire,
    .close = close_log,
};

static int choose_salt(struct segment_log *log)
{
	const struct segment *last = segment_list_last(&log->list);
	if (last)
		log->salt = last->salt;
	else if (getrandom(&log->salt, sizeof(log->salt), 0) != (ssize_t)sizeof(log->salt))
		return error_origin(-errno);
	return 0;
}

int segment_log_open(struct log **out, const struct segment_log_options *options)
{
	struct segment_log *log = calloc(1, sizeof(*log));
	if (!log)
		return error_origin(-ENOMEM);
	uint64_t bytes = options->segment_bytes;
	log->log.class = &segment_log_class;
	log->place = (struct segment_place){options->directory, options->disk};
	log->segment_bytes = bytes < SEGMENT_BYTES_MAX ? bytes : SEGMENT_BYTES_MAX;
	log->gathered.limit = LOG_BATCH_LIMIT + 2 * LOG_DATA_LIMIT;
	log->window.bytes.limit = 2 * LOG_DATA_LIMIT;
	int r = segment_list_open(&log->list, &log->place);
	if (r == 0)
		r = choose_salt(log);
	if (r < 0) {
		close_log(&log->log);
		return error_trace(r);
	}
	*out = &log->log;
	return 0;
}
