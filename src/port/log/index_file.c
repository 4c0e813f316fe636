#include "port/log/index_file.h"

#include "base/cursor.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "port/log/crc32c.h"

#include <errno.h>
#include <unistd.h>

enum {
	VERSION = 1,
	HOLE_SIZE = 8,
	ENTRY_SIZE = 16,
	READ_STEP = 64 << 10,
	FILE_LIMIT = 256 << 20,
	FETCH = 64, /* entries read at once */
};

_Static_assert(sizeof(struct index_entry) == ENTRY_SIZE, "entries lie on disk as in memory");
_Static_assert(sizeof(struct index_hole) == HOLE_SIZE, "holes lie on disk as in memory");

static const char magic[8] = "CROFTIDX";

void index_note_hole(struct index_summary *summary, struct index_hole hole)
{
	if (summary->n_holes == INDEX_HOLES_MAX)
		summary->holes[INDEX_HOLES_MAX - 1].end = hole.end;
	else
		summary->holes[summary->n_holes++] = hole;
}

static void put_header(uint8_t header[INDEX_FILE_HEADER], const struct index_summary *summary)
{
	memset(header, 0, INDEX_FILE_HEADER);
	memcpy(header, magic, sizeof(magic));
	put_u32(header + 8, VERSION);
	put_u64(header + 16, summary->first);
	put_u32(header + 24, summary->records);
	put_u32(header + 28, summary->end);
	put_u64(header + 32, (uint64_t)summary->oldest_ms);
	put_u64(header + 40, (uint64_t)summary->newest_ms);
	put_u32(header + 48, summary->n_entries);
	put_u32(header + 52, summary->n_holes);
	put_u32(header + 56, summary->checksum);
	put_u32(header + 12, crc32c(0, (struct bytes){header + 16, INDEX_FILE_HEADER - 16}));
}

static int parse_header(const uint8_t *header, struct index_summary *summary)
{
	struct cursor cursor = cursor_of((struct bytes){header + 8, INDEX_FILE_HEADER - 8});
	uint32_t version = cursor_u32(&cursor), checksum = cursor_u32(&cursor);
	if (memcmp(header, magic, sizeof(magic)) != 0 || version != VERSION ||
	    crc32c(0, (struct bytes){header + 16, INDEX_FILE_HEADER - 16}) != checksum)
		return INDEX_FILE_UNUSABLE;
	summary->first = cursor_u64(&cursor);
	summary->records = cursor_u32(&cursor);
	summary->end = cursor_u32(&cursor);
	summary->oldest_ms = (int64_t)cursor_u64(&cursor);
	summary->newest_ms = (int64_t)cursor_u64(&cursor);
	summary->n_entries = cursor_u32(&cursor);
	summary->n_holes = cursor_u32(&cursor);
	summary->checksum = cursor_u32(&cursor);
	summary->n_filed = summary->n_holes;
	return summary->n_holes > INDEX_HOLES_MAX ? INDEX_FILE_UNUSABLE : 0;
}

int index_file_write(int directory, const char *name, const struct index_summary *summary,
		     struct index *index)
{
	struct buffer file ATTR_BUFFER = {.limit = FILE_LIMIT};
	struct index_summary complete = *summary;
	uint8_t header[INDEX_FILE_HEADER] = {0};
	index_finish(index);
	buffer_append(&file, header, sizeof(header));
	buffer_append(&file, summary->holes, summary->n_holes * sizeof(*summary->holes));
	buffer_append(&file, index->entries, index->count * sizeof(*index->entries));
	if (buffer_check(&file) < 0)
		return error_origin(buffer_check(&file));
	complete.n_entries = (uint32_t)index->count;
	complete.checksum =
	    crc32c(0, (struct bytes){file.data + sizeof(header), file.size - sizeof(header)});
	put_header(file.data, &complete);
	return error_trace(file_replace(directory, name, buffer_bytes(&file), 0600));
}

static int read_at(int fd, void *data, size_t size, off_t offset)
{
	ssize_t n;
	do
		n = pread(fd, data, size, offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_origin(-errno);
	return (size_t)n == size ? 0 : INDEX_FILE_UNUSABLE;
}

int index_file_read(int fd, struct index_summary *summary)
{
	uint8_t header[INDEX_FILE_HEADER];
	struct index_summary parsed = {0};
	int r = read_at(fd, header, sizeof(header), 0);
	if (r == 0)
		r = parse_header(header, &parsed);
	if (r == 0)
		r = read_at(fd, parsed.holes, parsed.n_holes * sizeof(*parsed.holes),
			    INDEX_FILE_HEADER);
	if (r == 0)
		*summary = parsed;
	return r;
}

int index_file_check(int fd, const struct index_summary *summary)
{
	uint8_t step[4096];
	uint64_t left =
	    (uint64_t)summary->n_filed * HOLE_SIZE + (uint64_t)summary->n_entries * ENTRY_SIZE;
	off_t at = INDEX_FILE_HEADER;
	uint32_t checksum = 0;
	while (left > 0) {
		size_t size = left < sizeof(step) ? (size_t)left : sizeof(step);
		int r = read_at(fd, step, size, at);
		if (r)
			return r;
		checksum = crc32c(checksum, (struct bytes){step, size});
		at += (off_t)size;
		left -= size;
	}
	return checksum == summary->checksum ? 0 : INDEX_FILE_UNUSABLE;
}

static off_t entry_offset(const struct index_summary *summary, uint32_t i)
{
	return (off_t)INDEX_FILE_HEADER + (off_t)summary->n_filed * HOLE_SIZE +
	       (off_t)i * ENTRY_SIZE;
}

static bool is_before(const struct index_entry *entry, uint64_t subject, uint32_t ordinal)
{
	return entry->subject != subject ? entry->subject < subject : entry->ordinal < ordinal;
}

/* The number of the first entry that is not before (subject, ordinal). */
static int lower_bound(int fd, const struct index_summary *summary, const struct index_query *query,
		       uint32_t *found)
{
	uint32_t low = 0, high = summary->n_entries;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct index_entry entry;
		int r = read_at(fd, &entry, sizeof(entry), entry_offset(summary, middle));
		if (r)
			return r;
		if (is_before(&entry, query->subject, query->from))
			low = middle + 1;
		else
			high = middle;
	}
	*found = low;
	return 0;
}

int index_file_find(int fd, const struct index_summary *summary, const struct index_query *query,
		    struct index_entry *found, size_t *count)
{
	uint32_t at;
	size_t n = 0;
	int r = lower_bound(fd, summary, query, &at);
	while (r == 0 && n < query->max && at < summary->n_entries) {
		size_t fetch = query->max - n < FETCH ? query->max - n : FETCH;
		if (fetch > summary->n_entries - at)
			fetch = summary->n_entries - at;
		r = read_at(fd, found + n, fetch * ENTRY_SIZE, entry_offset(summary, at));
		size_t same = 0;
		while (r == 0 && same < fetch && found[n + same].subject == query->subject)
			same++;
		n += same;
		at += (uint32_t)fetch;
		if (same < fetch)
			break;
	}
	if (r == 0)
		*count = n;
	return r;
}

int index_file_find_last(int fd, const struct index_summary *summary, uint64_t subject,
			 uint32_t from, struct index_entry *found)
{
	struct index_query behind = {.subject = subject, .from = UINT32_MAX};
	struct index_entry entry;
	uint32_t at;
	int r = lower_bound(fd, summary, &behind, &at);
	if (r)
		return r;
	if (at == 0)
		return INDEX_FILE_NONE;
	r = read_at(fd, &entry, sizeof(entry), entry_offset(summary, at - 1));
	if (r)
		return r;
	if (entry.subject != subject || entry.ordinal < from)
		return INDEX_FILE_NONE;
	*found = entry;
	return 0;
}
