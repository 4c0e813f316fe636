/* Recovery reads what a crash or a bad disk left behind: it must end, keep within the file, and
 * serve only what it can read back. */
#include "base/descriptor.h"
#include "port/log/segment_log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int make_directory(void)
{
	char path[] = "/tmp/croft-fuzz-log-XXXXXX";
	if (!mkdtemp(path))
		abort();
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void put_file(int directory, const char *name, struct bytes bytes)
{
	int fd ATTR_DESCRIPTOR =
	    openat(directory, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (descriptor_write_all(fd, bytes) < 0)
		abort();
}

static void read_all(struct log *log)
{
	struct log_bounds bounds;
	struct log_place places[16];
	struct log_found found;
	log_bounds(log, &bounds);
	struct log_query query = {1, bounds.first, ARRAY_SIZE(places)};
	if (log_find(log, &query, places, &found) != 0)
		return;
	for (size_t i = 0; i < found.count; i++) {
		struct log_record record;
		if (log_read(log, &places[i], &record) == 0 &&
		    record.position != places[i].position)
			abort();
	}
}

/* The first byte says how much of the input is the segment; the rest is an index beside it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int directory = -1;
	if (directory < 0)
		directory = make_directory();
	if (size < 2)
		return 0;
	size_t cut = 1 + (size - 1) * data[0] / 255;
	put_file(directory, "0000000001.log", (struct bytes){data + 1, cut - 1});
	if (cut < size)
		put_file(directory, "0000000001.idx", (struct bytes){data + cut, size - cut});
	struct segment_log_options options = {directory, &disk_real, 1 << 20};
	struct log *log;
	if (segment_log_open(&log, &options) == 0) {
		read_all(log);
		log_close(log);
	}
	unlinkat(directory, "0000000001.log", 0);
	unlinkat(directory, "0000000001.idx", 0);
	unlinkat(directory, "0000000001.bad", 0);
	return 0;
}
