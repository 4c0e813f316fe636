/* Into the log: the rules of order, the batch of a turn, and its acknowledgement. */
#include "base/error.h"
#include "base/log.h"
#include "proc/stream/broker.h"
#include "proc/stream/subject.h"
#include "proto/worker_stream.h"

#include <errno.h>

/* How far the clock that made an identifier may be ahead of, or behind, the one that stamps
 * records. */
enum { CLOCK_SKEW_MS = 3600 * 1000 };

static bool tells_its_time(struct uuid uuid)
{
	return uuid.b[6] >> 4 == 7;
}

uint64_t broker_since(const struct broker *broker, struct uuid made)
{
	struct log_bounds bounds;
	log_bounds(broker->log, &bounds);
	if (!tells_its_time(made))
		return bounds.first;
	return log_since(broker->log, uuid_time_ms(made) - CLOCK_SKEW_MS);
}

/* ---- what came before ---- */

/* The newest record is damaged, and only its type is known: the operation can still be ended, and
 * nothing else follows. */
static struct order order_after_damage(uint8_t tag)
{
	struct order order = {.stage = tag == EVENT_QUEUED ? ORDER_QUEUED : ORDER_STARTED,
			      .started = tag != EVENT_QUEUED};
	if (event_is_terminal(tag)) {
		order.stage = ORDER_ENDED;
		order.terminal = tag;
	}
	return order;
}

/* The newest record of the subject, if it really is the identifier's. */
static int read_order(struct broker *broker, uint64_t subject, struct uuid id, struct order *order)
{
	struct log_place place;
	struct log_record record;
	struct event_record event;
	int r = log_find_last(broker->log, subject, broker_since(broker, id), &place);
	if (r == 0)
		r = log_read(broker->log, &place, &record);
	if (r == LOG_CORRUPT)
		*order = order_after_damage(place.tag);
	if (r == LOG_GONE || r == LOG_CORRUPT)
		return 0;
	if (r < 0)
		return error_trace(r);
	r = event_record_decode(record.data, &broker->arena, &event);
	if (r == 0 && uuid_equal(event.operation, id))
		*order = event_record_order(&event);
	else if (r == 0 && uuid_equal(event.message, id))
		*order = (struct order){.stage = ORDER_ENDED, .terminal = EVENT_CHUNK};
	arena_reset(&broker->arena);
	return error_trace(r);
}

static int order_of(struct broker *broker, uint64_t subject, struct uuid id, struct order **order)
{
	struct order read = {0};
	*order = operations_find(&broker->operations, id);
	if (*order)
		return 0;
	int r = read_order(broker, subject, id, &read);
	if (r)
		return r;
	*order = operations_add(&broker->operations, id, &read);
	return *order ? 0 : error_origin(-ENOMEM);
}

int broker_order(struct broker *broker, struct uuid operation, struct order **order)
{
	return order_of(broker, subject_of_operation(&broker->key, operation), operation, order);
}

/* ---- appending ---- */

static bool is_well_formed(const struct event_append *event)
{
	if (event->type >= EVENT_TYPES || event->stream >= EVENT_STREAMS ||
	    uuid_is_zero(event->workspace) || uuid_is_zero(event->project))
		return false;
	if (!uuid_is_zero(event->operation))
		return event->stream_name.size == 0 && uuid_is_zero(event->message);
	return event->type == EVENT_CHUNK && event->stream == EVENT_MESSAGE &&
	       event->stream_name.size > 0;
}

static int gather(struct broker *broker, const struct event_append *event,
		  const struct order *order, uint64_t *position)
{
	struct event_record record = event_record_of(event, order);
	struct log_append append = {.time_ms = loop_wall_ms(broker->loop), .tag = event->type};
	buffer_clear(&broker->record);
	int r = event_record_encode(&record, &broker->record);
	if (r < 0)
		return error_trace(r);
	append.data = buffer_bytes(&broker->record);
	subjects_of_event(&broker->key, event, &append);
	r = log_append(broker->log, &append, position);
	if (r < 0)
		return error_trace(r);
	struct gathered gathered = {.position = *position, .n_subjects = append.n_subjects};
	memcpy(gathered.subjects, append.subjects, sizeof(gathered.subjects));
	buffer_append(&broker->batch.gathered, &gathered, sizeof(gathered));
	broker->figures.values[FIGURE_APPENDED_BYTES] += event->data.size;
	return error_trace(buffer_check(&broker->batch.gathered));
}

/* A message of a named stream that carries an identifier stands for itself: it is there, or it is
 * not. */
static int judge_message(struct broker *broker, const struct event_append *event,
			 enum order_verdict *verdict)
{
	struct order *order;
	*verdict = ORDER_NEXT;
	if (uuid_is_zero(event->message))
		return 0;
	int r = order_of(broker, subject_of_message(&broker->key, event->message), event->message,
			 &order);
	if (r)
		return r;
	if (order->stage == ORDER_NOTHING)
		*order = (struct order){.stage = ORDER_ENDED, .terminal = EVENT_CHUNK};
	else
		*verdict = ORDER_ALREADY;
	return 0;
}

static int judge_operation(struct broker *broker, const struct event_append *event,
			   struct order *after, enum order_verdict *verdict)
{
	struct order *order;
	int r = broker_order(broker, event->operation, &order);
	if (r)
		return r;
	*verdict = order_judge(order, event->type, event->sequence);
	if (*verdict == ORDER_NEXT)
		order_advance(order, event->type);
	*after = *order;
	return 0;
}

/* Control has sent an operation's first event before the worker heard of the operation, but on
 * another channel: what has arrived there comes first. It may be missing still where this process
 * is new and control has not called back yet: then the worker is told to come again. */
static int judge_after_control(struct broker *broker, const struct event_append *event,
			       struct order *after, enum order_verdict *verdict)
{
	struct peer *peer;
	list_for_each (peer, &broker->peers, node)
		if (peer->kind == ROLE_CONTROL && !peer->dead)
			channel_hear(peer->channel);
	int r = judge_operation(broker, event, after, verdict);
	return r == 0 && after->stage == ORDER_NOTHING ? 1 : r;
}

static int judge(struct broker *broker, const struct peer *peer, const struct event_append *event,
		 struct order *after, enum order_verdict *verdict)
{
	if (uuid_is_zero(event->operation))
		return judge_message(broker, event, verdict);
	int r = judge_operation(broker, event, after, verdict);
	if (r == 0 && after->stage == ORDER_NOTHING && peer->kind == ROLE_WORKER)
		return judge_after_control(broker, event, after, verdict);
	return r;
}

static int wait_for_commit(struct broker *broker, const struct waiting *waiting)
{
	buffer_append(&broker->batch.waiting, waiting, sizeof(*waiting));
	broker_work(broker);
	return error_trace(buffer_check(&broker->batch.waiting));
}

static const uint8_t status_of[] = {
    [ORDER_NEXT] = EVENT_APPENDED,
    [ORDER_ALREADY] = EVENT_ALREADY,
    [ORDER_REFUSED] = EVENT_REFUSED,
};

/* Negative: the peer broke the protocol, or memory is short; its channel closes and it appends
 * again. */
int broker_append(struct broker *broker, struct peer *peer, const struct event_append *event)
{
	struct order after = {0};
	enum order_verdict verdict;
	struct waiting waiting = {.peer = peer, .token = event->token};
	if (!is_well_formed(event))
		return error_origin(-EBADMSG);
	int r = judge(broker, peer, event, &after, &verdict);
	if (r > 0) { /* what came before cannot be known: nothing can be said to follow it */
		waiting.status = EVENT_NO_SPACE;
		return wait_for_commit(broker, &waiting);
	}
	waiting.status = r == 0 ? status_of[verdict] : EVENT_NO_SPACE;
	if (r == 0 && verdict == ORDER_NEXT)
		r = gather(broker, event, &after, &waiting.position);
	if (r == 0)
		r = wait_for_commit(broker, &waiting);
	if (log_gathered(broker->log) >= LOG_BATCH_LIMIT)
		broker_commit(broker);
	return error_trace(r);
}

/* ---- committing ---- */

static const enum figure figure_of[] = {
    [EVENT_APPENDED] = FIGURE_APPENDED,
    [EVENT_ALREADY] = FIGURE_ALREADY,
    [EVENT_REFUSED] = FIGURE_REFUSED,
    [EVENT_NO_SPACE] = FIGURE_NOT_WRITTEN,
};

static void acknowledge(struct broker *broker, const struct waiting *waiting, bool durable)
{
	struct event_appended appended = {
	    .token = waiting->token,
	    .status = durable ? waiting->status : (uint8_t)EVENT_NO_SPACE,
	    .position = durable ? waiting->position : 0,
	};
	broker->figures.values[figure_of[appended.status]]++;
	if (waiting->peer->dead)
		return;
	unsigned type = waiting->peer->kind == ROLE_CONTROL ? (unsigned)CONTROL_STREAM_APPENDED
							    : (unsigned)WORKER_STREAM_APPENDED;
	int r = channel_send(waiting->peer->channel, type, &appended);
	if (r < 0) /* the channel is closed then, and the peer appends again */
		log_debug("append not acknowledged error=%d", r);
}

static void publish(struct broker *broker)
{
	const struct gathered *gathered = (const void *)broker->batch.gathered.data;
	size_t count = broker->batch.gathered.size / sizeof(*gathered);
	for (size_t i = 0; i < count; i++)
		readers_published(&broker->readers, gathered[i].subjects, gathered[i].n_subjects,
				  gathered[i].position);
}

static void trim(struct buffer *buffer)
{
	enum { KEPT = 64 << 10 };
	buffer_clear(buffer);
	if (buffer->capacity > KEPT)
		buffer_free(buffer);
}

/* Once when it begins and once when it is over, however many commits fail in between. */
static void note_outcome(struct broker *broker, int r)
{
	if (r != 0 && !broker->failing)
		log_warning("events cannot be written why=%s",
			    r == LOG_NO_SPACE ? "no-space" : "disk");
	else if (r == 0 && broker->failing && broker->batch.gathered.size > 0)
		log_info("events are written again");
	else
		return;
	broker->failing = r != 0;
}

/* What failed is answered as not written, repeats and refusals too: they were judged by what is not
 * there now. */
void broker_commit(struct broker *broker)
{
	struct batch *batch = &broker->batch;
	if (forgotten_append(&broker->forgotten, broker->log, &broker->key,
			     loop_wall_ms(broker->loop)) < 0)
		log_warning("a deleted project is not recorded yet");
	bool wrote = log_gathered(broker->log) > 0;
	int r = log_commit(broker->log);
	forgotten_settle(&broker->forgotten, r == 0);
	broker->figures.values[FIGURE_COMMITS] += wrote;
	note_outcome(broker, r);
	if (r != 0) {
		broker->figures.values[FIGURE_FAILED_COMMITS]++;
		operations_reset(&broker->operations);
	}
	const struct waiting *waiting = (const void *)batch->waiting.data;
	for (size_t i = 0; i < batch->waiting.size / sizeof(*waiting); i++)
		acknowledge(broker, &waiting[i], r == 0);
	if (r == 0)
		publish(broker);
	operations_settle(&broker->operations);
	trim(&batch->waiting);
	trim(&batch->gathered);
	trim(&broker->record);
}
