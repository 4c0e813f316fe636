#include "port/log/segment.h"

#include "base/cursor.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "port/log/crc32c.h"
#include "port/log/recovery.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { VERSION = 1, HEADER_COPY = SEGMENT_HEADER / 2 };

static const char magic[8] = "CROFTLOG";

void segment_name(uint32_t serial, const char *suffix, char name[SEGMENT_NAME])
{
	snprintf(name, SEGMENT_NAME, "%010" PRIu32 "%s", serial, suffix);
}

static struct segment *segment_new(uint32_t serial)
{
	struct segment *segment = calloc(1, sizeof(*segment));
	if (segment) {
		segment->serial = serial;
		segment->fd = segment->index_fd = -1;
	}
	return segment;
}

static void drop_index(struct segment *segment)
{
	if (segment->index)
		index_free(segment->index);
	free(segment->index);
	segment->index = NULL;
}

void segment_free(struct segment *segment)
{
	if (!segment)
		return;
	segment_close_files(segment);
	drop_index(segment);
	free(segment);
}

static int make_index(struct segment *segment)
{
	segment->index = calloc(1, sizeof(*segment->index));
	return segment->index ? 0 : error_origin(-ENOMEM);
}

/* ---- making ---- */

static int write_whole(const struct disk *disk, int fd, struct bytes bytes, uint64_t offset)
{
	while (bytes.size > 0) {
		ssize_t n = disk->write(disk, fd, bytes, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_origin(-errno);
		if (n == 0)
			return error_origin(-EIO);
		bytes.data += n;
		bytes.size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static bool is_full(int error)
{
	return error == ENOSPC || error == EDQUOT;
}

/* Takes space up to `end` and an extent more. A file system that cannot do so says no, and then the
 * write finds out. */
static int allocate_to(struct segment *segment, const struct disk *disk, uint64_t end)
{
	uint64_t available;
	if (end <= segment->allocated)
		return 0;
	uint64_t size = end - segment->allocated + SEGMENT_EXTENT;
	if (disk->available(disk, segment->fd, &available) < 0)
		return error_origin(-errno);
	if (available < size + SEGMENT_RESERVE)
		return LOG_NO_SPACE;
	if (disk->allocate(disk, segment->fd, (off_t)segment->allocated, (off_t)size) < 0)
		return is_full(errno)          ? LOG_NO_SPACE
		       : (errno == EOPNOTSUPP) ? 0
					       : error_origin(-errno);
	segment->allocated += size;
	return 0;
}

static void put_header(const struct segment *segment, uint8_t header[SEGMENT_HEADER])
{
	memset(header, 0, SEGMENT_HEADER);
	memcpy(header, magic, sizeof(magic));
	put_u32(header + 8, VERSION);
	put_u64(header + 16, segment->summary.first);
	put_u64(header + 24, segment->salt);
	put_u32(header + 12, crc32c(0, (struct bytes){header + 16, HEADER_COPY - 16}));
	memcpy(header + HEADER_COPY, header, HEADER_COPY);
}

/* The name must be durable before any record is: else a crash could take acknowledged records away
 * with the file. */
static int write_header(struct segment *segment, const struct segment_place *place)
{
	uint8_t header[SEGMENT_HEADER];
	put_header(segment, header);
	int r = write_whole(place->disk, segment->fd, (struct bytes){header, sizeof(header)}, 0);
	if (r < 0)
		return error_trace(r);
	if (place->disk->sync(place->disk, segment->fd) < 0 || fsync(place->directory) < 0)
		return error_origin(-errno);
	return 0;
}

static int begin_file(struct segment *segment, const struct segment_place *place)
{
	int r = make_index(segment);
	if (r == 0)
		r = allocate_to(segment, place->disk, SEGMENT_HEADER);
	if (r == 0)
		r = write_header(segment, place);
	return is_full(-r) ? LOG_NO_SPACE : r;
}

int segment_create(const struct segment_place *place, const struct segment *like,
		   struct segment **out)
{
	struct segment *segment ATTR_SEGMENT = segment_new(like->serial);
	char name[SEGMENT_NAME];
	if (!segment)
		return error_origin(-ENOMEM);
	segment->salt = like->salt;
	segment->summary.first = like->summary.first;
	segment->summary.end = SEGMENT_HEADER;
	segment_name(segment->serial, ".log", name);
	segment->fd = openat(place->directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (segment->fd < 0)
		return is_full(errno) ? LOG_NO_SPACE : error_origin(-errno);
	int r = begin_file(segment, place);
	if (r) {
		unlinkat(place->directory, name, 0);
		return r < 0 ? error_trace(r) : r;
	}
	*out = segment;
	segment = NULL;
	return 0;
}

/* ---- opening ---- */

static int parse_header(const uint8_t *header, struct segment *segment)
{
	struct cursor cursor = cursor_of((struct bytes){header + 8, HEADER_COPY - 8});
	uint32_t version = cursor_u32(&cursor), checksum = cursor_u32(&cursor);
	if (memcmp(header, magic, sizeof(magic)) != 0 || version != VERSION ||
	    crc32c(0, (struct bytes){header + 16, HEADER_COPY - 16}) != checksum)
		return SEGMENT_UNUSABLE;
	segment->summary.first = cursor_u64(&cursor);
	segment->salt = cursor_u64(&cursor);
	return 0;
}

static int read_header(struct segment *segment)
{
	static const uint8_t unborn[SEGMENT_HEADER];
	uint8_t header[SEGMENT_HEADER] = {0};
	ssize_t n = pread(segment->fd, header, sizeof(header), 0);
	if (n < 0)
		return error_origin(-errno);
	if (memcmp(header, unborn, sizeof(header)) == 0)
		return SEGMENT_UNBORN;
	int r = parse_header(header, segment);
	return r ? parse_header(header + HEADER_COPY, segment) : 0;
}

/* The index is believed if it fits the segment and the segment after it. */
static int read_index(struct segment *segment, uint64_t limit)
{
	struct index_summary summary;
	int r = segment->index_fd < 0 ? INDEX_FILE_UNUSABLE
				      : index_file_read(segment->index_fd, &summary);
	if (r)
		return r;
	if (summary.first != segment->summary.first || summary.first + summary.records > limit)
		return INDEX_FILE_UNUSABLE;
	segment->summary = summary;
	return 0;
}

static int recover(struct segment *segment, int directory, uint64_t limit)
{
	struct index_summary empty = {.first = segment->summary.first, .end = SEGMENT_HEADER};
	descriptor_close(&segment->index_fd);
	segment->summary = empty;
	drop_index(segment);
	int r = make_index(segment);
	if (r == 0)
		r = recovery_scan(segment, limit);
	if (r < 0)
		return error_trace(r);
	/* Without room for the index the segment still serves, from memory. */
	if (segment_seal(segment, directory) < 0)
		log_warning("log index not written segment=%" PRIu32, segment->serial);
	return 0;
}

int segment_open(const struct segment_place *place, uint32_t serial, uint64_t limit,
		 struct segment **out)
{
	struct segment *segment ATTR_SEGMENT = segment_new(serial);
	if (!segment)
		return error_origin(-ENOMEM);
	int r = segment_open_files(segment, place->directory);
	if (r == 0)
		r = read_header(segment);
	if (r == 0)
		r = read_index(segment, limit);
	if (r == INDEX_FILE_UNUSABLE)
		r = recover(segment, place->directory, limit);
	if (r)
		return r < 0 ? error_trace(r) : r;
	segment->allocated = segment->summary.end;
	*out = segment;
	segment = NULL;
	return 0;
}

void segment_extend_lost(struct segment *segment, uint64_t end)
{
	struct index_summary *summary = &segment->summary;
	uint64_t known = summary->first + summary->records;
	if (known >= end)
		return;
	log_error("log damaged segment=%" PRIu32 " position=%" PRIu64 " lost=%" PRIu64,
		  segment->serial, known, end - known);
	uint32_t records = (uint32_t)(end - summary->first);
	index_note_hole(summary, (struct index_hole){summary->records, records});
	summary->records = records;
}

int segment_open_files(struct segment *segment, int directory)
{
	char name[SEGMENT_NAME];
	if (segment->fd < 0) {
		segment_name(segment->serial, ".log", name);
		segment->fd = openat(directory, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (segment->fd < 0)
			return error_origin(-errno);
	}
	if (segment->index_fd < 0 && !segment->index) {
		segment_name(segment->serial, ".idx", name);
		segment->index_fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (segment->index_fd < 0 && errno != ENOENT)
			return error_origin(-errno);
	}
	return 0;
}

void segment_close_files(struct segment *segment)
{
	descriptor_close(&segment->fd);
	descriptor_close(&segment->index_fd);
}

/* ---- writing ---- */

int segment_write(struct segment *segment, const struct disk *disk,
		  const struct segment_batch *batch)
{
	uint64_t end = segment->summary.end + batch->records.size;
	assert(segment->index && end < UINT32_MAX);
	int r = index_reserve(segment->index, batch->count * (size_t)LOG_SUBJECTS_MAX);
	if (r == 0)
		r = allocate_to(segment, disk, end);
	if (r)
		return r;
	r = write_whole(disk, segment->fd, batch->records, segment->summary.end);
	if (r < 0)
		return error_trace(r);
	return disk->sync(disk, segment->fd) < 0 ? error_origin(-errno) : 0;
}

void segment_accept(struct segment *segment, const struct segment_batch *batch)
{
	struct bytes left = batch->records;
	struct index_summary *summary = &segment->summary;
	struct record record;
	while (left.size > 0) {
		int r = record_decode(left, segment->salt, &record);
		assert(r == 0 && record.position == summary->first + summary->records);
		(void)r;
		index_add(segment->index, &record, summary->records, summary->end);
		summary->end += (uint32_t)record.size;
		left = (struct bytes){left.data + record.size, left.size - record.size};
		if (summary->records++ == 0 || record.time_ms < summary->oldest_ms)
			summary->oldest_ms = record.time_ms;
		if (record.time_ms > summary->newest_ms)
			summary->newest_ms = record.time_ms;
	}
}

int segment_seal(struct segment *segment, int directory)
{
	char name[SEGMENT_NAME];
	if (!segment->index)
		return 0;
	segment_name(segment->serial, ".idx", name);
	int r = index_file_write(directory, name, &segment->summary, segment->index);
	if (r < 0)
		return error_trace(r);
	/* Only after the index says where the records end. A failure costs space until the segment
	 * expires. */
	if (ftruncate(segment->fd, segment->summary.end) < 0)
		log_debug("log truncate segment=%" PRIu32 " errno=%d", segment->serial, errno);
	segment->summary.n_entries = (uint32_t)segment->index->count;
	segment->allocated = segment->summary.end;
	segment->index_checked = false;
	drop_index(segment);
	segment_close_files(segment);
	r = segment_open_files(segment, directory);
	if (r == 0 && segment->index_fd >= 0)
		r = index_file_read(segment->index_fd, &segment->summary);
	return r < 0 ? error_trace(r) : 0;
}

/* ---- finding ---- */

/* An index that turns out damaged is made again from the records. */
static int check_index(struct segment *segment, int directory)
{
	int r = segment_open_files(segment, directory);
	if (r < 0 || segment->index || segment->index_checked)
		return error_trace(r);
	uint64_t limit = segment->summary.first + segment->summary.records;
	r = segment->index_fd < 0 ? INDEX_FILE_UNUSABLE
				  : index_file_check(segment->index_fd, &segment->summary);
	if (r == INDEX_FILE_UNUSABLE) {
		log_error("log index damaged segment=%" PRIu32, segment->serial);
		r = recover(segment, directory, limit);
		segment_extend_lost(segment, limit);
	}
	segment->index_checked = r == 0;
	return error_trace(r);
}

int segment_find(struct segment *segment, int directory, const struct index_query *query,
		 struct index_entry *found, size_t *count)
{
	int r = check_index(segment, directory);
	if (r < 0)
		return error_trace(r);
	if (!segment->index)
		return index_file_find(segment->index_fd, &segment->summary, query, found, count);
	*count = index_find(segment->index, query, found);
	return 0;
}

int segment_find_last(struct segment *segment, int directory, uint64_t subject, uint32_t from,
		      struct index_entry *found)
{
	int r = check_index(segment, directory);
	if (r < 0)
		return error_trace(r);
	if (!segment->index)
		return index_file_find_last(segment->index_fd, &segment->summary, subject, from,
					    found);
	return index_find_last(segment->index, subject, from, found) ? 0 : INDEX_FILE_NONE;
}
