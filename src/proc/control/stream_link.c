#include "proc/control/stream_link.h"

#include "base/error.h"
#include "base/log.h"
#include "proc/control/control.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { RETRY_MS = 1000, FIGURES_LIMIT = 64 << 10 };

struct stream_link {
	struct loop *loop;
	struct channel *channel; /* NULL while the stream role is away */
	struct list pending;     /* struct stream_append, in the order of their tokens */
	uint64_t last_token;
	struct loop_timer retry; /* runs while the log has no room */
	struct buffer figures;
};

static const struct wire_struct *append_struct(void)
{
	return control_stream_protocol.messages[CONTROL_STREAM_APPEND];
}

static void send_append(struct stream_link *link, const struct stream_append *append)
{
	struct arena arena ATTR_ARENA = {0};
	struct event_append event;
	if (wire_decode(append_struct(), buffer_bytes(&append->frame), &arena, &event) == 0)
		channel_send(link->channel, CONTROL_STREAM_APPEND, &event);
}

static void send_pending(struct stream_link *link)
{
	struct stream_append *append;
	list_for_each (append, &link->pending, node)
		if (link->channel)
			send_append(link, append);
}

static void on_retry(struct loop_timer *timer)
{
	struct stream_link *link = container_of(timer, struct stream_link, retry);
	send_pending(link);
}

void stream_append_detach(struct stream_append *append)
{
	if (!append->under_way)
		return;
	append->under_way = false;
	list_remove(&append->node);
	buffer_free(&append->frame);
}

int stream_link_append(struct stream_link *link, const struct event_append *given,
		       struct stream_append *append)
{
	struct event_append event = *given;
	assert(!append->under_way && append->on_appended);
	event.token = ++link->last_token;
	int r = wire_encode(append_struct(), &event, &append->frame);
	if (r < 0) {
		buffer_free(&append->frame);
		return error_trace(r);
	}
	append->token = event.token;
	append->under_way = true;
	list_append(&link->pending, &append->node);
	if (link->channel)
		channel_send(link->channel, CONTROL_STREAM_APPEND, &event);
	return 0;
}

/* ---- what the stream role says ---- */

static struct stream_append *find_append(struct stream_link *link, uint64_t token)
{
	struct stream_append *append;
	list_for_each (append, &link->pending, node)
		if (append->token == token)
			return append;
	return NULL;
}

static void on_appended(struct stream_link *link, const struct event_appended *appended)
{
	struct stream_append *append = find_append(link, appended->token);
	if (!append)
		return;
	if (appended->status == EVENT_NO_SPACE && !append->is_waited_for) {
		if (!loop_timer_is_running(&link->retry) &&
		    loop_timer_start(&link->retry, link->loop, RETRY_MS, 0, on_retry) < 0)
			log_error("cannot append to the event log again");
		return;
	}
	stream_append_detach(append);
	append->repeated = appended->status == EVENT_ALREADY;
	append->no_space = appended->status == EVENT_NO_SPACE;
	append->on_appended(append, appended->status == EVENT_REFUSED);
}

static void on_figures(struct stream_link *link, const struct control_stream_figures *figures)
{
	const struct wire_pair *pairs = figures->figures.items;
	buffer_clear(&link->figures);
	for (size_t i = 0; i < figures->figures.count && link->figures.size < FIGURES_LIMIT; i++) {
		buffer_append_text(&link->figures, pairs[i].name);
		buffer_append_byte(&link->figures, ' ');
		buffer_append_text(&link->figures, pairs[i].value);
		buffer_append_byte(&link->figures, '\n');
	}
}

static int on_message(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct stream_link *link = owner;
	switch (type) {
	case CONTROL_STREAM_APPENDED:
		on_appended(link, body);
		return 0;
	case CONTROL_STREAM_FIGURES:
		on_figures(link, body);
		return 0;
	default:
		return error_origin(-EPROTO);
	}
}

static void on_closed(void *owner, struct channel *channel, int why)
{
	struct stream_link *link = owner;
	log_warning("the stream role is away: %s", strerror(-why));
	link->channel = NULL;
	channel_free(channel);
}

static const struct channel_events channel_events = {.on_message = on_message,
						     .on_closed = on_closed};

int stream_link_connect(struct stream_link *link, int fd)
{
	channel_free(link->channel);
	link->channel = NULL;
	int r = channel_new(&link->channel, link->loop, fd, &control_stream_protocol,
			    &channel_events, link);
	if (r < 0)
		return error_trace(r);
	send_pending(link);
	return 0;
}

/* ---- readers ---- */

int stream_link_open_reader(struct stream_link *link, const struct control_stream_reader_open *open)
{
	return link->channel ? channel_send(link->channel, CONTROL_STREAM_READER_OPEN, open)
			     : -EPIPE;
}

void stream_link_stop_readers(struct stream_link *link, struct uuid key, struct uuid project)
{
	struct control_stream_reader_stop stop = {key, project};
	if (link->channel)
		channel_send(link->channel, CONTROL_STREAM_READER_STOP, &stop);
}

void stream_link_forget(struct stream_link *link, struct uuid workspace, struct uuid project)
{
	struct control_stream_forget forget = {workspace, project};
	if (link->channel)
		channel_send(link->channel, CONTROL_STREAM_FORGET, &forget);
}

/* ---- life ---- */

int stream_link_new(struct control *control, struct stream_link **out)
{
	struct stream_link *link = calloc(1, sizeof(*link));
	if (!link)
		return error_origin(-ENOMEM);
	link->loop = control->loop;
	list_init(&link->pending);
	*out = link;
	return 0;
}

void stream_link_free(struct stream_link *link)
{
	if (!link)
		return;
	assert(list_is_empty(&link->pending));
	loop_timer_stop(&link->retry);
	channel_free(link->channel);
	buffer_free(&link->figures);
	free(link);
}

void stream_link_flush(struct stream_link *link)
{
	if (link->channel)
		channel_flush(link->channel);
}

bool stream_link_is_up(const struct stream_link *link)
{
	return link->channel != NULL;
}

struct bytes stream_link_figures(const struct stream_link *link)
{
	return buffer_bytes(&link->figures);
}
