/* croft-stream: the event log and its readers. */
#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "port/log/segment_log.h"
#include "proc/stream/broker.h"
#include "proc/stream/powers.h"
#include "role/role.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char key_file[] = "stream.key";

struct stream {
	struct role *role;
	struct broker *broker; /* NULL once it has stopped */
	int directory;
};

/* Without the key no cursor holds and nothing is found in the log: a new one is made only for a new
 * log. */
static int read_key(int directory, struct mac_key *key)
{
	struct buffer content ATTR_BUFFER = {.limit = 64 << 10};
	int r = file_read(directory, key_file, &content);
	if (r < 0)
		return error_trace(r);
	if (content.size != sizeof(key->b))
		return error_origin(-EBADMSG);
	memcpy(key->b, content.data, sizeof(key->b));
	return 0;
}

static int take_key(int directory, struct log *log, struct mac_key *key)
{
	struct log_bounds bounds;
	int r = read_key(directory, key);
	log_bounds(log, &bounds);
	if (r == -ENOENT && bounds.end == 0) {
		*key = mac_key_new();
		return error_trace(file_replace(directory, key_file,
						(struct bytes){key->b, sizeof(key->b)}, 0600));
	}
	if (r < 0)
		log_error("the event log's key stream.key cannot be read: restore it beside the "
			  "segments");
	return error_trace(r);
}

static int open_broker(struct stream *stream)
{
	struct role *role = stream->role;
	struct broker_options options = {
	    .loop = role_loop(role),
	    .readers = role_setting_number(role, "stream.readers"),
	    .retention = {role_setting_number(role, "stream.retention_bytes"),
			  role_setting_number(role, "stream.retention")},
	};
	struct segment_log_options log_options = {
	    stream->directory, &disk_real, role_setting_number(role, "stream.segment_bytes")};
	int r = segment_log_open(&options.log, &log_options);
	if (r < 0)
		return error_trace(r);
	r = take_key(stream->directory, options.log, &options.key);
	if (r < 0) {
		log_close(options.log);
		return error_trace(r);
	}
	return error_trace(broker_open(&stream->broker, &options));
}

static int start(struct role *role, void **state)
{
	static struct stream stream;
	stream = (struct stream){.role = role};
	stream.directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (stream.directory < 0)
		return error_origin(-errno);
	int r = open_broker(&stream);
	if (r < 0)
		return error_trace(r);
	*state = &stream;
	role_ready(role, "");
	return 0;
}

static int peer(void *state, enum role_kind kind, uint16_t index, int fd)
{
	struct stream *stream = state;
	if (!stream->broker) {
		close(fd);
		return 0;
	}
	return error_trace(broker_peer(stream->broker, kind, index, fd));
}

/* What was taken is committed and acknowledged; the producers keep the rest. */
static void stop(void *state, uint32_t grace_ms ATTR_UNUSED)
{
	struct stream *stream = state;
	broker_close(stream->broker);
	stream->broker = NULL;
	role_exit(stream->role, 0);
}

int main(void)
{
	static const struct role_definition definition = {ROLE_STREAM, &stream_powers, start, peer,
							  stop};
	return role_main(&definition);
}
