/* A channel: typed messages and descriptors over a connected SOCK_STREAM Unix socket, both ways, in
 * order.
 *
 * A protocol is a name, a version and the table of its messages; both ends greet with name and
 * version, and a wrong greeting, a bad frame or an unknown type closes the channel: `on_closed`
 * then runs once, with why. Writes gather during a turn of the loop and leave in one system call at
 * its end. Each frame is `u32 size, u16 type, u16 descriptors` and its body.
 *
 * The send queue has a limit; channel_send() past it fails with -ENOBUFS and the channel closes
 * (the peer is stuck: an internal peer that cannot take what the protocol lets us send is broken).
 * Senders of bulk data ask channel_backlog() or keep to their protocol's credits. */
#pragma once

#include "loop/loop.h"
#include "wire/codec.h"

enum {
	CHANNEL_FRAME_LIMIT = 4 << 20,  /* body of one message */
	CHANNEL_QUEUE_LIMIT = 48 << 20, /* bytes not sent yet */
	CHANNEL_DESCRIPTORS_MAX = 4,    /* with one message */
};

struct protocol {
	const char *name;
	uint16_t version;
	const struct wire_struct *const
	    *messages; /* index = type; NULL where a type is not in use */
	size_t n_messages;
};

struct channel;

/* What several channels may hold together of messages that are not whole yet: a peer that sends
 * half of one and no more costs nothing but memory, and many such peers cost much. The owner says
 * what then happens, and must see to it that less is held: by freeing a channel, for one. */
struct channel_budget {
	size_t held, limit;
	void (*on_exceeded)(struct channel_budget *budget); /* outside of every on_message() */
};

/* Descriptors that came with a message. The handler takes those it wants (descriptor_take()); the
 * rest are closed. */
struct channel_descriptors {
	int fds[CHANNEL_DESCRIPTORS_MAX];
	size_t count;
};

struct channel_events {
	/* `body` is the struct of that type, valid during the call only. Return negative to close
	 * the channel. */
	int (*on_message)(void *owner, struct channel *channel, unsigned type, const void *body,
			  struct channel_descriptors *descriptors);
	/* After this the channel is dead; the owner calls channel_free(), now or later. */
	void (*on_closed)(void *owner, struct channel *channel, int why);
	/* The backlog has fallen below half of CHANNEL_LOW_WATER after having been above it; may be
	 * NULL. */
	void (*on_drained)(void *owner, struct channel *channel);
};

enum { CHANNEL_LOW_WATER = 1 << 20 };

/* Takes the descriptor, also on failure. Incoming descriptors that a protocol's end never expects
 * are closed. */
int channel_new(struct channel **channel, struct loop *loop, int fd,
		const struct protocol *protocol, const struct channel_events *events,
		void *owner) ATTR_MUST_CHECK;
/* The budget outlives the channel. */
void channel_share(struct channel *channel, struct channel_budget *budget);
size_t channel_unfinished(const struct channel *channel); /* held against its budget */
void channel_free(struct channel *channel); /* NULL is fine; `on_closed` does not run; safe inside
					       the channel's own callbacks */

/* Encodes at once: what the message points at may go away afterwards. On a dead channel it returns
 * -EPIPE. */
int channel_send(struct channel *channel, unsigned type, const void *message);

/* Takes the descriptors, also on failure. */
int channel_send_descriptors(struct channel *channel, unsigned type, const void *message,
			     const int *fds, size_t count);

void channel_flush(struct channel *channel); /* now instead of at the end of the turn */
size_t channel_backlog(const struct channel *channel);
bool channel_is_open(const struct channel *channel);
uint64_t channel_peer_bytes(const struct channel *channel); /* received so far, for metrics */

/* Delivers what has arrived already, now: for an owner whose other channel has just brought a
 * message that the peer of this one has been told of before. */
void channel_hear(struct channel *channel);

/* Stops reading (back-pressure to the peer) and starts again. */
void channel_pause(struct channel *channel);
void channel_resume(struct channel *channel);
