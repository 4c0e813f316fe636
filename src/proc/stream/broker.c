#include "proc/stream/broker.h"

#include "base/error.h"
#include "base/log.h"
#include "proto/worker_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHORES_MS = 5000 };

/* ---- peers ---- */

static int on_control(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct peer *peer = owner;
	switch (type) {
	case CONTROL_STREAM_APPEND:
		return broker_append(peer->broker, peer, body);
	case CONTROL_STREAM_READER_OPEN:
		broker_work(peer->broker);
		return broker_admit(peer->broker, body);
	case CONTROL_STREAM_READER_STOP:
		broker_withdraw(peer->broker, body);
		return 0;
	case CONTROL_STREAM_FORGET:
		return broker_forget(peer->broker, body);
	default:
		return error_origin(-EBADMSG);
	}
}

static int on_worker(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		     const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct peer *peer = owner;
	if (type != WORKER_STREAM_APPEND)
		return error_origin(-EBADMSG);
	return broker_append(peer->broker, peer, body);
}

static int on_gateway(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct peer *peer = owner;
	const struct gateway_stream_credit *credit = body;
	const struct gateway_stream_close *closed = body;
	if (type == GATEWAY_STREAM_CREDIT)
		readers_credit(&peer->broker->readers,
			       (struct reader_name){peer->index, credit->reader}, credit->bytes);
	else if (type == GATEWAY_STREAM_CLOSE)
		readers_close(&peer->broker->readers,
			      (struct reader_name){peer->index, closed->reader});
	else
		return error_origin(-EBADMSG);
	broker_work(peer->broker);
	return 0;
}

/* Sending may be what finds out that a channel is dead, in the middle of a turn of readers: so only
 * a mark is set. */
static void on_closed(void *owner, struct channel *channel ATTR_UNUSED, int why)
{
	struct peer *peer = owner;
	log_info("peer gone role=%s index=%u why=\"%s\"", role_names[peer->kind], peer->index,
		 strerror(-why));
	peer->dead = true;
	broker_work(peer->broker);
}

static void on_drained(void *owner, struct channel *channel ATTR_UNUSED)
{
	struct peer *peer = owner;
	if (peer->kind != ROLE_GATEWAY)
		return;
	peer->full = false;
	readers_block(&peer->broker->readers, peer->index, false);
	broker_work(peer->broker);
}

struct peer_kind {
	const struct protocol *protocol;
	struct channel_events events;
};

static const struct peer_kind peer_kinds[ROLE_KINDS] = {
    [ROLE_CONTROL] = {&control_stream_protocol, {on_control, on_closed, on_drained}},
    [ROLE_WORKER] = {&worker_stream_protocol, {on_worker, on_closed, on_drained}},
    [ROLE_GATEWAY] = {&gateway_stream_protocol, {on_gateway, on_closed, on_drained}},
};

static void free_peer(struct peer *peer)
{
	if (peer->kind == ROLE_GATEWAY)
		readers_drop_gateway(&peer->broker->readers, peer->index);
	list_remove(&peer->node);
	channel_free(peer->channel);
	free(peer);
}

/* What the dead had sent before is committed first: it may be that they are told by a new channel
 * that it was there already. */
static void reap(struct broker *broker, bool all)
{
	struct peer *peer;
	list_for_each (peer, &broker->peers, node)
		if (peer->dead || all)
			free_peer(peer);
}

static void drop_predecessor(struct broker *broker, enum role_kind kind, uint16_t index)
{
	struct peer *peer;
	list_for_each (peer, &broker->peers, node)
		if (peer->kind == kind && peer->index == index)
			peer->dead = true;
	broker_commit(broker);
	reap(broker, false);
}

int broker_peer(struct broker *broker, enum role_kind kind, uint16_t index, int fd)
{
	if (kind >= ROLE_KINDS || !peer_kinds[kind].protocol) {
		close(fd);
		return error_origin(-EINVAL);
	}
	drop_predecessor(broker, kind, index);
	struct peer *peer = calloc(1, sizeof(*peer));
	if (!peer) {
		close(fd);
		return error_origin(-ENOMEM);
	}
	*peer = (struct peer){.broker = broker, .kind = kind, .index = index};
	int r = channel_new(&peer->channel, broker->loop, fd, peer_kinds[kind].protocol,
			    &peer_kinds[kind].events, peer);
	if (r < 0) {
		free(peer);
		return error_trace(r);
	}
	list_append(&broker->peers, &peer->node);
	if (kind == ROLE_GATEWAY)
		broker_admit_postponed(broker, index);
	return 0;
}

/* ---- turns of the loop ---- */

static void on_more(struct loop_timer *timer)
{
	broker_work(container_of(timer, struct broker, more));
}

static void on_work(struct loop_deferred *deferred)
{
	struct broker *broker = container_of(deferred, struct broker, work);
	broker_commit(broker);
	reap(broker, false);
	if (broker_serve(broker) &&
	    loop_timer_start(&broker->more, broker->loop, 0, 0, on_more) < 0)
		log_error("readers stand still until the next event");
}

void broker_work(struct broker *broker)
{
	loop_defer(&broker->work, broker->loop, on_work);
}

static void send_figures(struct broker *broker)
{
	struct control_stream_figures figures;
	struct log_bounds bounds;
	struct peer *peer;
	log_bounds(broker->log, &bounds);
	broker->figures.values[FIGURE_READERS] = readers_count(&broker->readers);
	broker->figures.values[FIGURE_LOG_FIRST] = bounds.first;
	broker->figures.values[FIGURE_LOG_END] = bounds.end;
	broker->figures.values[FIGURE_LOG_BYTES] = bounds.bytes;
	if (figures_list(&broker->figures, &broker->arena, &figures.figures) == 0)
		list_for_each (peer, &broker->peers, node)
			if (peer->kind == ROLE_CONTROL && !peer->dead &&
			    channel_send(peer->channel, CONTROL_STREAM_FIGURES, &figures) < 0)
				log_debug("figures not sent");
	arena_reset(&broker->arena);
}

static void on_chores(struct loop_timer *timer)
{
	struct broker *broker = container_of(timer, struct broker, chores);
	int r = log_expire(broker->log, &broker->retention, loop_wall_ms(broker->loop));
	if (r < 0)
		log_warning("old events stay error=\"%s\"", strerror(-r));
	send_figures(broker);
	broker_drop_postponed(broker, loop_now_ms(broker->loop) - CHORES_MS);
	broker_work(broker);
}

/* ---- life ---- */

int broker_open(struct broker **out, const struct broker_options *options)
{
	struct broker *broker = calloc(1, sizeof(*broker));
	if (!broker) {
		log_close(options->log);
		return error_origin(-ENOMEM);
	}
	broker->loop = options->loop;
	broker->log = options->log;
	broker->key = options->key;
	broker->retention = options->retention;
	list_init(&broker->peers);
	list_init(&broker->postponed);
	operations_init(&broker->operations);
	readers_init(&broker->readers, options->readers);
	int r = forgotten_load(&broker->forgotten, broker->log, &broker->key);
	if (r == 0)
		r = loop_timer_start(&broker->chores, broker->loop, CHORES_MS, CHORES_MS,
				     on_chores);
	if (r != 0) {
		broker_close(broker);
		return r < 0 ? error_trace(r) : error_origin(-EIO);
	}
	*out = broker;
	return 0;
}

void broker_close(struct broker *broker)
{
	if (!broker)
		return;
	broker_commit(broker);
	reap(broker, true);
	loop_deferred_cancel(&broker->work);
	loop_timer_stop(&broker->more);
	loop_timer_stop(&broker->chores);
	broker_drop_postponed(broker, UINT64_MAX);
	readers_free(&broker->readers);
	operations_reset(&broker->operations);
	forgotten_free(&broker->forgotten);
	buffer_free(&broker->batch.waiting);
	buffer_free(&broker->batch.gathered);
	buffer_free(&broker->record);
	arena_free(&broker->arena);
	log_close(broker->log);
	free(broker);
}
