/* The gateway's side of its channel to control: which requests wait for an answer, and what becomes
 * of them when control's process is replaced.
 *
 *   start -> WAITING -> SENT -> (HEAD) -> done
 *              ^________|   the channel died and the call may be repeated: it did nothing twice, or
 * carries an Idempotency-Key
 *
 * A call is embedded in its owner, which writes the request in `send` and may be asked to write it
 * again. A call that was sent and may not be repeated is told `lost`; so is one that waited
 * CONTROL_WAIT_MS without a channel. Decides about calls; the owner talks to the client. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "proto/gateway_control.h"

enum { CONTROL_WAIT_MS = 5000, CONTROL_WAITING_MAX = 4096, CONTROL_CALLS_MAX = 32768 };

struct control_call;

struct control_call_events {
	/* Writes the request with `call->number`. Negative: it cannot be written; `lost` is not
	 * called then, control_link_start() returns it. */
	int (*send)(struct control_call *call, struct channel *channel);
	/* NULL where no body is streamed. */
	void (*head)(struct control_call *call, const struct gateway_control_answer *head);
	/* The last word; the call is over before it is called. */
	void (*answer)(struct control_call *call, const struct gateway_control_answer *answer);
	/* The same. `sent`: it may or may not have happened. */
	void (*lost)(struct control_call *call, bool sent);
};

enum control_call_state { CALL_IDLE, CALL_WAITING, CALL_SENT };

struct control_call {
	struct map_node node;
	struct list waiting;
	const struct control_call_events *events;
	uint64_t number;
	uint64_t deadline_ms; /* of CALL_WAITING */
	enum control_call_state state;
	bool repeatable;
};

struct control_link {
	struct loop *loop;
	struct channel *channel; /* NULL while there is none */
	struct map calls;        /* all that are not idle, by number */
	struct list waiting;     /* by deadline */
	struct loop_timer timer;
	struct loop_deferred release;
	uint64_t next_number;

	/* Messages that concern no call. */
	void (*on_withdraw)(void *owner, struct uuid key);
	void (*on_metrics)(void *owner, const struct gateway_control_metrics *metrics);
	void *owner;
};

void control_link_init(struct control_link *link, struct loop *loop, void *owner);
void control_link_free(struct control_link *link);

/* A new channel; takes the descriptor. What waits is sent. */
int control_link_connect(struct control_link *link, int fd) ATTR_MUST_CHECK;
bool control_link_is_up(const struct control_link *link);

/* 0; -EBUSY if too many are under way; what `send` returned. */
int control_link_start(struct control_link *link, struct control_call *call) ATTR_MUST_CHECK;

/* The client is gone, or the answer is no longer wanted: tells control if it was sent. Harmless on
 * an idle call. */
void control_link_abandon(struct control_link *link, struct control_call *call);

/* For what is over without a word to control: a reader that the stream role has opened. */
void control_link_finish(struct control_link *link, struct control_call *call);

/* BODY_END of a call that was sent; nothing otherwise. */
void control_link_body_end(struct control_link *link, const struct control_call *call, bool whole,
			   uint64_t size);

/* Time has passed: for the timer, and for tests. */
void control_link_expire(struct control_link *link, uint64_t now_ms);
