#include "proc/stream/test_stage.h"

#include "base/descriptor.h"
#include "base/unit_test.h"
#include "port/log/segment_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int on_appended(struct stage *stage, const struct event_appended *appended)
{
	assert_true(stage->n_appended < STAGE_APPENDED_MAX);
	stage->appended[stage->n_appended++] = *appended;
	return 0;
}

static int control_hears(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
			 const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct stage_peer *peer = owner;
	if (type == CONTROL_STREAM_APPENDED)
		return on_appended(peer->stage, body);
	assert_int_equal(type, CONTROL_STREAM_FIGURES);
	peer->stage->n_figures = ((const struct control_stream_figures *)body)->figures.count;
	return 0;
}

static int worker_hears(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
			const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct stage_peer *peer = owner;
	assert_int_equal(type, WORKER_STREAM_APPENDED);
	return on_appended(peer->stage, body);
}

static void keep(char out[CURSOR_TEXT_LIMIT + 1], struct text text)
{
	assert_true(text.size <= CURSOR_TEXT_LIMIT);
	memcpy(out, text.data, text.size);
	out[text.size] = '\0';
}

static void take_event(struct stage_reader *reader, const struct event_delivered *event)
{
	reader->events++;
	reader->cost += event_cost(event);
	reader->last_type = event->type;
	keep(reader->cursor, event->cursor);
	if (event->type != EVENT_CHUNK)
		return;
	reader->bytes += event->data.size;
	for (size_t i = 0; i < event->data.size; i++)
		reader->hash = (reader->hash ^ event->data.data[i]) * 0x100000001b3u;
}

static void take_delivery(struct stage *stage, const struct gateway_stream_deliver *deliver)
{
	const uint64_t *numbers = deliver->readers.items;
	const struct event_delivered *events = deliver->events.items;
	for (size_t i = 0; i < deliver->readers.count; i++) {
		struct stage_reader *reader = &stage->readers[numbers[i]];
		assert_true(reader->opened && !reader->ended);
		for (size_t k = 0; k < deliver->events.count; k++)
			take_event(reader, &events[k]);
		reader->at_end = deliver->at_end;
		reader->messages++;
		keep(reader->position, deliver->position);
	}
	stage->delivers++;
}

static int gateway_hears(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
			 const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct stage_peer *peer = owner;
	struct stage *stage = peer->stage;
	const struct gateway_stream_opened *opened = body;
	const struct gateway_stream_ended *ended = body;
	if (type == GATEWAY_STREAM_DELIVER) {
		take_delivery(stage, body);
	} else if (type == GATEWAY_STREAM_OPENED) {
		stage->readers[opened->reader].opened = true;
		stage->readers[opened->reader].verdict = opened->verdict;
		keep(stage->readers[opened->reader].oldest, opened->oldest);
	} else {
		assert_int_equal(type, GATEWAY_STREAM_ENDED);
		stage->readers[ended->reader].ended = true;
		stage->readers[ended->reader].ended_verdict = ended->verdict;
		keep(stage->readers[ended->reader].oldest, ended->oldest);
	}
	return 0;
}

static void on_closed(void *owner, struct channel *channel ATTR_UNUSED, int why ATTR_UNUSED)
{
	((struct stage_peer *)owner)->closed = true;
}

static const struct channel_events control_events = {control_hears, on_closed, NULL};
static const struct channel_events worker_events = {worker_hears, on_closed, NULL};
static const struct channel_events gateway_events = {gateway_hears, on_closed, NULL};

static void connect_peer(struct stage *stage, struct stage_peer *peer, enum role_kind kind,
			 uint16_t index)
{
	static const struct channel_events *const events[ROLE_KINDS] = {
	    [ROLE_CONTROL] = &control_events,
	    [ROLE_WORKER] = &worker_events,
	    [ROLE_GATEWAY] = &gateway_events,
	};
	static const struct protocol *const protocols[ROLE_KINDS] = {
	    [ROLE_CONTROL] = &control_stream_protocol,
	    [ROLE_WORKER] = &worker_stream_protocol,
	    [ROLE_GATEWAY] = &gateway_stream_protocol,
	};
	int ends[2];
	channel_free(peer->channel);
	*peer = (struct stage_peer){.stage = stage, .index = index};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(broker_peer(stage->broker, kind, index, ends[0]), 0);
	assert_int_equal(
	    channel_new(&peer->channel, stage->loop, ends[1], protocols[kind], events[kind], peer),
	    0);
}

void stage_connect_gateway(struct stage *stage, uint16_t index)
{
	connect_peer(stage, &stage->gateways[index], ROLE_GATEWAY, index);
}

static void start(struct stage *stage)
{
	struct segment_log_options log = {stage->directory, stage->disk, stage->segment_bytes};
	struct broker_options options = {
	    .loop = stage->loop, .key = stage->key, .readers = stage->readers_max};
	assert_int_equal(segment_log_open(&options.log, &log), 0);
	assert_int_equal(broker_open(&stage->broker, &options), 0);
	connect_peer(stage, &stage->control, ROLE_CONTROL, 0);
	connect_peer(stage, &stage->worker, ROLE_WORKER, 0);
	for (uint16_t i = 0; i < STAGE_GATEWAYS; i++)
		stage_connect_gateway(stage, i);
	stage->n_appended = 0;
	memset(stage->readers, 0, sizeof(stage->readers));
}

void stage_open(struct stage *stage)
{
	if (!stage->disk)
		stage->disk = &disk_real;
	if (!stage->segment_bytes)
		stage->segment_bytes = 1 << 20;
	if (!stage->readers_max)
		stage->readers_max = STAGE_READERS;
	stage->key = (struct mac_key){{1, 2, 3}};
	snprintf(stage->path, sizeof(stage->path), "/tmp/croft-test-stream-XXXXXX");
	assert_non_null(mkdtemp(stage->path));
	stage->directory = open(stage->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(stage->directory >= 0);
	assert_int_equal(loop_new(&stage->loop), 0);
	start(stage);
}

static void free_channels(struct stage *stage)
{
	channel_free(stage->control.channel);
	channel_free(stage->worker.channel);
	stage->control.channel = stage->worker.channel = NULL;
	for (size_t i = 0; i < STAGE_GATEWAYS; i++) {
		channel_free(stage->gateways[i].channel);
		stage->gateways[i].channel = NULL;
	}
}

void stage_restart(struct stage *stage)
{
	broker_close(stage->broker);
	free_channels(stage);
	start(stage);
}

void stage_close(struct stage *stage)
{
	broker_close(stage->broker);
	free_channels(stage);
	loop_free(stage->loop);
	DIR *directory = opendir(stage->path);
	for (struct dirent *entry; (entry = readdir(directory));)
		unlinkat(stage->directory, entry->d_name, 0);
	closedir(directory);
	descriptor_close(&stage->directory);
	rmdir(stage->path);
}

/* What has been said and heard so far; when it stays the same for some turns, all is quiet. */
static uint64_t noise(const struct stage *stage)
{
	uint64_t sum = channel_peer_bytes(stage->control.channel) +
		       channel_peer_bytes(stage->worker.channel) +
		       stage->broker->figures.values[FIGURE_TURNS] +
		       stage->broker->figures.values[FIGURE_COMMITS];
	for (size_t i = 0; i < STAGE_GATEWAYS; i++)
		if (stage->gateways[i].channel)
			sum += channel_peer_bytes(stage->gateways[i].channel);
	return sum;
}

void stage_settle(struct stage *stage)
{
	enum { QUIET = 30 };
	uint64_t before = noise(stage);
	for (int quiet = 0; quiet < QUIET; quiet++) {
		loop_turn(stage->loop);
		if (noise(stage) != before)
			quiet = 0;
		before = noise(stage);
	}
}

void stage_append(struct stage_peer *peer, const struct event_append *event)
{
	bool control = peer == &peer->stage->control;
	assert_int_equal(
	    channel_send(peer->channel,
			 control ? (unsigned)CONTROL_STREAM_APPEND : (unsigned)WORKER_STREAM_APPEND,
			 event),
	    0);
}

uint8_t stage_append_status(struct stage *stage, struct stage_peer *peer,
			    const struct event_append *event)
{
	size_t before = stage->n_appended;
	stage_append(peer, event);
	stage_settle(stage);
	assert_int_equal(stage->n_appended, before + 1);
	assert_int_equal(stage->appended[before].token, event->token);
	return stage->appended[before].status;
}

struct event_append stage_event(uint8_t type, uint8_t operation, uint32_t sequence)
{
	return (struct event_append){
	    .token = (uint64_t)operation << 32 | (uint64_t)type << 24 | sequence,
	    .type = type,
	    .time_ms = 1,
	    .workspace = {{1}},
	    .project = {{2}},
	    .operation = {{operation, 3}},
	    .sequence = sequence,
	    .correlation = TEXT("corr"),
	    .data = {(const uint8_t *)"{}", 2},
	};
}

void stage_open_reader(struct stage *stage, const struct control_stream_reader_open *open)
{
	assert_int_equal(channel_send(stage->control.channel, CONTROL_STREAM_READER_OPEN, open), 0);
	stage_settle(stage);
}

void stage_credit(struct stage *stage, uint16_t gateway, uint64_t reader, uint32_t bytes)
{
	struct gateway_stream_credit credit = {reader, bytes};
	assert_int_equal(
	    channel_send(stage->gateways[gateway].channel, GATEWAY_STREAM_CREDIT, &credit), 0);
	stage_settle(stage);
}
