/* Frames of a protocol over a Unix socket, as wire/channel.h defines them, without an event
 * library: the agent's channel to the worker, and the one between the agent and a child of it that
 * does a long operation. */
#pragma once

#include "wire/channel.h"

enum {
	LINK_DESCRIPTORS_MAX = 32,
	LINK_OUT_LIMIT = 16 << 20,
};

struct link {
	int fd;
	const struct protocol *protocol;
	struct buffer in, out;
	size_t out_start;
	int fds[LINK_DESCRIPTORS_MAX]; /* received, for frames to come */
	size_t n_fds;
	size_t used; /* bytes of the frame last handed out, still at the front of `in` */
	bool greets; /* the peer must greet first */
	bool greeted;
	struct arena arena;
};

/* One decoded message; views point into the link and are valid until the next link_next(). */
struct link_message {
	unsigned type;
	const void *body;
	int fd; /* that came with it, or -1; the taker closes it */
};

void link_init(struct link *link, int fd, const struct protocol *protocol);
void link_free(struct link *link); /* closes the descriptor */

int link_greet(struct link *link) ATTR_MUST_CHECK; /* queues the greeting */
int link_send(struct link *link, unsigned type,
	      const void *message) ATTR_MUST_CHECK; /* queues a frame */
int link_flush(struct link *link) ATTR_MUST_CHECK;  /* 0 all left, 1 the socket is full, -errno */

/* Reads once; -EAGAIN, -EPIPE at the end, another -errno. */
int link_receive(struct link *link) ATTR_MUST_CHECK;

/* 0 and the next message; 1 if there is no whole one; -EBADMSG. */
int link_next(struct link *link, struct link_message *message) ATTR_MUST_CHECK;
