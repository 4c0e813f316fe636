/* Recovery reads what a crash or a bad disk left behind: it must end, keep within the files, and
 * serve no record that is not as it was written. The input edits and cuts the files of a whole log,
 * or is the files. */
#include "base/cursor.h"
#include "base/descriptor.h"
#include "port/log/segment_log.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RECORDS = 24, BATCH = 4, SUBJECT = 1 };

static const char log_name[] = "0000000001.log", index_name[] = "0000000001.idx";

struct image {
	int directory;
	struct buffer log;
	struct buffer index;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static struct log *open_log(int directory)
{
	struct segment_log_options options = {directory, &disk_real, 1 << 20};
	struct log *log;
	return segment_log_open(&log, &options) == 0 ? log : NULL;
}

/* A record's data are its position, as often as the position says. */
static struct bytes data_of(uint64_t position, uint8_t *data)
{
	memset(data, (int)position, 3 * position);
	return (struct bytes){data, 3 * position};
}

static void write_log(struct log *log)
{
	uint8_t data[3 * RECORDS];
	for (uint64_t i = 0; i < RECORDS; i++) {
		struct log_append append = {
		    .time_ms = 1, .n_subjects = 1, .subjects = {SUBJECT}, .data = data_of(i, data)};
		uint64_t position;
		require(log_append(log, &append, &position) == 0);
		require((i + 1) % BATCH || log_commit(log) == 0);
	}
}

static void make_image(struct image *image)
{
	const char *scratch = getenv("TMPDIR"); /* tests/fuzz/run removes it */
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/croft-fuzz-log-XXXXXX", scratch ? scratch : "/tmp");
	require(mkdtemp(path));
	image->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct log *log = open_log(image->directory);
	require(log);
	write_log(log);
	log_close(log);
	require(file_read(image->directory, log_name, &image->log) == 0);
	require(file_read(image->directory, index_name, &image->index) == 0);
}

static void put_file(int directory, const char *name, struct bytes bytes)
{
	int fd ATTR_DESCRIPTOR =
	    openat(directory, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	require(descriptor_write_all(fd, bytes) == 0);
}

/* Three bytes an edit: where, and what is flipped there; nothing flipped cuts the file there. */
static void put_edited(const struct image *image, const char *name, const struct buffer *whole,
		       struct cursor *edits)
{
	struct buffer edited ATTR_BUFFER = {0};
	buffer_append(&edited, whole->data, whole->size);
	for (unsigned n = cursor_u8(edits) % 8; n > 0 && edited.size > 0; n--) {
		size_t at = cursor_u16(edits) % edited.size;
		uint8_t flip = cursor_u8(edits);
		edited.data[at] ^= flip;
		if (!flip)
			edited.size = at;
	}
	put_file(image->directory, name, buffer_bytes(&edited));
}

static void read_all(struct log *log, bool known)
{
	struct log_bounds bounds;
	struct log_place places[RECORDS];
	struct log_found found;
	uint8_t data[3 * RECORDS];
	log_bounds(log, &bounds);
	struct log_query query = {SUBJECT, bounds.first, RECORDS};
	if (log_find(log, &query, places, &found) != 0)
		return;
	for (size_t i = 0; i < found.count; i++) {
		struct log_record record;
		if (log_read(log, &places[i], &record) != 0)
			continue;
		require(record.position == places[i].position);
		if (!known)
			continue;
		struct bytes expected = data_of(record.position, data);
		require(text_equal(bytes_text(record.data), bytes_text(expected)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct image image;
	if (!image.directory)
		make_image(&image);
	struct cursor input = cursor_of((struct bytes){data, size});
	uint8_t kind = cursor_u8(&input);
	if (kind & 1)
		put_edited(&image, log_name, &image.log, &input);
	if (kind & 2)
		put_edited(&image, index_name, &image.index, &input);
	if (!(kind & 1))
		put_file(image.directory, log_name, (struct bytes){input.at, cursor_left(&input)});
	struct log *log = open_log(image.directory);
	if (log) {
		read_all(log, kind & 1);
		log_close(log);
	}
	unlinkat(image.directory, log_name, 0);
	unlinkat(image.directory, index_name, 0);
	unlinkat(image.directory, "0000000001.bad", 0);
	return 0;
}
