/* The event loop of a process: descriptors, timers, signals and work put off to the end of a turn.
 * The only caller of libuv. One loop per process, one thread; nothing called from it may block. All
 * objects are embedded in their owner, which must stop them and then call nothing more; their
 * memory may be freed as soon as the stop function returns. */
#pragma once

#include "base/list.h"

#include <stdint.h>

struct loop;

enum { LOOP_READABLE = 1, LOOP_WRITABLE = 2, LOOP_HANGUP = 4 };

struct loop_watch;
typedef void loop_on_ready(struct loop_watch *watch, unsigned events);

struct loop_watch {
	struct loop *loop;
	loop_on_ready *on_ready;
	void *handle; /* NULL while not watching */
	int fd;
	unsigned events;
};

struct loop_timer;
typedef void loop_on_time(struct loop_timer *timer);

struct loop_timer {
	struct loop *loop;
	loop_on_time *on_time;
	void *handle;
};

struct loop_deferred;
typedef void loop_on_deferred(struct loop_deferred *deferred);

/* Runs once, after the events of this turn and before the loop waits again: for flushing what the
 * turn gathered. */
struct loop_deferred {
	struct list node;
	loop_on_deferred *on_deferred;
	struct loop *loop; /* NULL while not scheduled */
};

struct loop_signal;
typedef void loop_on_signal(struct loop_signal *signal, int number);

struct loop_signal {
	struct loop *loop;
	loop_on_signal *on_signal;
	void *handle;
};

int loop_new(struct loop **loop) ATTR_MUST_CHECK;
void loop_free(struct loop *loop);
int loop_run(struct loop *loop); /* until loop_stop(), or until nothing is watched */
void loop_stop(struct loop *loop);
void loop_turn(struct loop *loop); /* one turn without waiting: for tests and benches */

uint64_t loop_now_ms(const struct loop *loop); /* monotonic, the same during one turn */
int64_t loop_wall_ms(const struct loop *loop); /* since 1970, read afresh */

/* Level-triggered. `events` may be 0: then only errors and hang-ups are told. The descriptor stays
 * the caller's; stop before close. */
int loop_watch_start(struct loop_watch *watch, struct loop *loop, int fd, unsigned events,
		     loop_on_ready *on_ready) ATTR_MUST_CHECK;
int loop_watch_change(struct loop_watch *watch, unsigned events); /* cheap when nothing changes */
void loop_watch_stop(struct loop_watch *watch);

/* Restarts it if it runs. `repeat_ms` 0 means once. */
int loop_timer_start(struct loop_timer *timer, struct loop *loop, uint64_t in_ms,
		     uint64_t repeat_ms, loop_on_time *on_time) ATTR_MUST_CHECK;
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_is_running(const struct loop_timer *timer);

void loop_defer(struct loop_deferred *deferred, struct loop *loop, loop_on_deferred *on_deferred);
void loop_deferred_cancel(struct loop_deferred *deferred);

int loop_signal_start(struct loop_signal *signal, struct loop *loop, int number,
		      loop_on_signal *on_signal) ATTR_MUST_CHECK;
void loop_signal_stop(struct loop_signal *signal);
