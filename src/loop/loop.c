#include "loop/loop.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdlib.h>
#include <uv.h>

struct loop {
	uv_loop_t uv;
	uv_prepare_t before_wait;
	struct list deferred;
};

/* libuv frees nothing before its close callback has run, so the handles live apart from their
 * owners. */
static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void close_handle(void **handle)
{
	if (*handle) {
		((uv_handle_t *)*handle)->data = NULL;
		uv_close(*handle, free_handle);
		*handle = NULL;
	}
}

static void run_deferred(uv_prepare_t *prepare)
{
	struct loop *loop = prepare->data;
	while (!list_is_empty(&loop->deferred)) {
		struct loop_deferred *next =
		    list_first(&loop->deferred, struct loop_deferred, node);
		loop_deferred_cancel(next);
		next->on_deferred(next);
	}
}

int loop_new(struct loop **out)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	if (!loop)
		return error_origin(-ENOMEM);
	int r = uv_loop_init(&loop->uv);
	if (r < 0) {
		free(loop);
		return error_origin(r); /* libuv's codes are negated errnos on Linux */
	}
	list_init(&loop->deferred);
	uv_prepare_init(&loop->uv, &loop->before_wait);
	loop->before_wait.data = loop;
	uv_prepare_start(&loop->before_wait, run_deferred);
	uv_unref((uv_handle_t *)&loop->before_wait);
	*out = loop;
	return 0;
}

static void close_left_over(uv_handle_t *handle, void *loop)
{
	if (!uv_is_closing(handle))
		uv_close(handle, handle == (uv_handle_t *)&((struct loop *)loop)->before_wait
				     ? NULL
				     : free_handle);
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	uv_walk(&loop->uv, close_left_over, loop);
	do /* a loop_stop() that came late ends the first turn before it closes anything */
		uv_run(&loop->uv, UV_RUN_DEFAULT);
	while (uv_loop_close(&loop->uv) == UV_EBUSY);
	free(loop);
}

int loop_run(struct loop *loop)
{
	return uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

void loop_turn(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_NOWAIT);
}

uint64_t loop_now_ms(const struct loop *loop)
{
	return uv_now(&loop->uv);
}

int64_t loop_wall_ms(const struct loop *loop ATTR_UNUSED)
{
	return clock_wall_ms();
}

/* An error is told as readable, writable and hung up: the owner's next read or write returns it. */
static void poll_ready(uv_poll_t *poll, int status, int events)
{
	struct loop_watch *watch = poll->data;
	unsigned told = 0;
	if (!watch)
		return;
	if (status < 0)
		told = LOOP_READABLE | LOOP_WRITABLE | LOOP_HANGUP;
	if (events & UV_READABLE)
		told |= LOOP_READABLE;
	if (events & UV_WRITABLE)
		told |= LOOP_WRITABLE;
	if (events & UV_DISCONNECT)
		told |= LOOP_HANGUP;
	watch->on_ready(watch, told);
}

static int poll_start(struct loop_watch *watch)
{
	int events = UV_DISCONNECT;
	if (watch->events & LOOP_READABLE)
		events |= UV_READABLE;
	if (watch->events & LOOP_WRITABLE)
		events |= UV_WRITABLE;
	return uv_poll_start(watch->handle, events, poll_ready);
}

int loop_watch_start(struct loop_watch *watch, struct loop *loop, int fd, unsigned events,
		     loop_on_ready *on_ready)
{
	uv_poll_t *poll = calloc(1, sizeof(*poll));
	if (!poll)
		return error_origin(-ENOMEM);
	int r = uv_poll_init(&loop->uv, poll, fd);
	if (r < 0) {
		free(poll);
		return error_origin(r);
	}
	*watch = (struct loop_watch){loop, on_ready, poll, fd, events};
	poll->data = watch;
	r = poll_start(watch);
	if (r < 0)
		loop_watch_stop(watch);
	return error_trace(r);
}

int loop_watch_change(struct loop_watch *watch, unsigned events)
{
	if (!watch->handle || watch->events == events)
		return 0;
	watch->events = events;
	return error_trace(poll_start(watch));
}

void loop_watch_stop(struct loop_watch *watch)
{
	close_handle(&watch->handle);
}

static void timer_fired(uv_timer_t *handle)
{
	struct loop_timer *timer = handle->data;
	if (timer)
		timer->on_time(timer);
}

int loop_timer_start(struct loop_timer *timer, struct loop *loop, uint64_t in_ms,
		     uint64_t repeat_ms, loop_on_time *on_time)
{
	if (!timer->handle) {
		uv_timer_t *handle = calloc(1, sizeof(*handle));
		if (!handle)
			return error_origin(-ENOMEM);
		uv_timer_init(&loop->uv, handle);
		handle->data = timer;
		timer->handle = handle;
	}
	timer->loop = loop;
	timer->on_time = on_time;
	uv_update_time(&loop->uv);
	return error_trace(uv_timer_start(timer->handle, timer_fired, in_ms, repeat_ms));
}

void loop_timer_stop(struct loop_timer *timer)
{
	close_handle(&timer->handle);
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
	return timer->handle && uv_is_active(timer->handle);
}

void loop_defer(struct loop_deferred *deferred, struct loop *loop, loop_on_deferred *on_deferred)
{
	if (deferred->loop)
		return;
	deferred->loop = loop;
	deferred->on_deferred = on_deferred;
	list_append(&loop->deferred, &deferred->node);
}

void loop_deferred_cancel(struct loop_deferred *deferred)
{
	if (!deferred->loop)
		return;
	deferred->loop = NULL;
	list_remove(&deferred->node);
}

static void signal_came(uv_signal_t *handle, int number)
{
	struct loop_signal *signal = handle->data;
	if (signal)
		signal->on_signal(signal, number);
}

int loop_signal_start(struct loop_signal *signal, struct loop *loop, int number,
		      loop_on_signal *on_signal)
{
	uv_signal_t *handle = calloc(1, sizeof(*handle));
	if (!handle)
		return error_origin(-ENOMEM);
	int r = uv_signal_init(&loop->uv, handle);
	if (r < 0) {
		free(handle);
		return error_origin(r);
	}
	*signal = (struct loop_signal){loop, on_signal, handle};
	handle->data = signal;
	return error_trace(uv_signal_start(handle, signal_came, number));
}

void loop_signal_stop(struct loop_signal *signal)
{
	close_handle(&signal->handle);
}
