#include "proc/issuer/issuer.h"

#include "base/error.h"
#include "base/log.h"
#include "proto/control_issuer.h"

#include <errno.h>
#include <stdlib.h>

struct issuer {
	struct loop *loop;
	struct fetch *fetch;
	struct channel *control;
	struct loop_timer timer;
	uint64_t asked_at; /* the last attempt; 0: none yet */
	struct buffer keys;
};

static void schedule(struct issuer *issuer, uint64_t in_ms);

static void send_keys(struct issuer *issuer)
{
	struct control_issuer_keys keys = {buffer_bytes(&issuer->keys)};
	if (issuer->control && issuer->keys.size > 0)
		channel_send(issuer->control, CONTROL_ISSUER_KEYS, &keys);
}

static void on_done(void *owner, struct bytes body, const char *why)
{
	struct issuer *issuer = owner;
	char safe[200];
	if (why) {
		log_warning("the issuer's key set was not fetched: %s",
			    log_text(safe, sizeof(safe), text_of(why)));
		schedule(issuer, ISSUER_PAUSE_MS);
		return;
	}
	buffer_clear(&issuer->keys);
	buffer_append(&issuer->keys, body.data, body.size);
	send_keys(issuer);
	schedule(issuer, ISSUER_INTERVAL_MS);
}

static void on_time(struct loop_timer *timer)
{
	struct issuer *issuer = container_of(timer, struct issuer, timer);
	issuer->asked_at = loop_now_ms(issuer->loop);
	if (fetch_begin(issuer->fetch) < 0)
		schedule(issuer, ISSUER_PAUSE_MS);
}

static void schedule(struct issuer *issuer, uint64_t in_ms)
{
	if (loop_timer_start(&issuer->timer, issuer->loop, in_ms, 0, on_time) < 0)
		log_error("no timer for the issuer's key set");
}

/* As soon as the pause since the last attempt allows. */
static void refresh(struct issuer *issuer)
{
	uint64_t since = loop_now_ms(issuer->loop) - issuer->asked_at;
	if (issuer->asked_at == 0 || since >= ISSUER_PAUSE_MS)
		schedule(issuer, 0);
	else
		schedule(issuer, ISSUER_PAUSE_MS - since);
}

static int on_message(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body ATTR_UNUSED,
		      struct channel_descriptors *descriptors ATTR_UNUSED)
{
	if (type != CONTROL_ISSUER_REFRESH)
		return error_origin(-EPROTO);
	refresh(owner);
	return 0;
}

static void on_closed(void *owner, struct channel *channel, int why ATTR_UNUSED)
{
	struct issuer *issuer = owner;
	channel_free(channel);
	issuer->control = NULL;
}

int issuer_connect(struct issuer *issuer, int fd)
{
	static const struct channel_events events = {on_message, on_closed, NULL};
	channel_free(issuer->control);
	issuer->control = NULL;
	int r = channel_new(&issuer->control, issuer->loop, fd, &control_issuer_protocol, &events,
			    issuer);
	if (r < 0)
		return error_trace(r);
	send_keys(issuer);
	return 0;
}

int issuer_new(struct issuer **issuer, struct loop *loop, const struct fetch_target *target)
{
	struct issuer *made = calloc(1, sizeof(*made));
	if (!made)
		return error_origin(-ENOMEM);
	made->loop = loop;
	made->keys.limit = FETCH_SIZE_LIMIT;
	int r = fetch_new(&made->fetch, loop, target, on_done, made);
	if (r == 0)
		r = loop_timer_start(&made->timer, loop, 0, 0, on_time);
	if (r < 0) {
		issuer_free(made);
		return error_trace(r);
	}
	*issuer = made;
	return 0;
}

void issuer_free(struct issuer *issuer)
{
	channel_free(issuer->control);
	fetch_free(issuer->fetch);
	loop_timer_stop(&issuer->timer);
	buffer_free(&issuer->keys);
	free(issuer);
}
