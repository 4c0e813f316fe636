#include "wire/channel.h"

#include "base/cursor.h"
#include "base/descriptor.h"
#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	HEADER_SIZE = 8,
	READ_STEP = 64 << 10,
	READS_OF_TURN = 8,
	DESCRIPTOR_QUEUE = 64, /* received and waiting for the frame they belong to */
	TYPE_HELLO = 0xffff,
};

/* Descriptors leave with the first byte of their frame, so that they arrive before its last. */
struct outgoing_descriptors {
	struct list node;
	uint64_t at; /* offset in the stream of bytes sent */
	size_t count;
	int fds[CHANNEL_DESCRIPTORS_MAX];
};

struct channel {
	struct loop *loop;
	int fd;
	const struct protocol *protocol;
	const struct channel_events *events;
	void *owner;
	struct loop_watch watch;
	struct loop_deferred flush;
	struct arena arena;

	struct buffer in;
	int in_fds[DESCRIPTOR_QUEUE];
	size_t n_in_fds;
	uint64_t received;
	struct channel_budget *budget; /* NULL: none */
	size_t charged;                /* to it */
	bool greeted;
	bool paused;

	struct buffer out;
	size_t out_start; /* bytes of `out` that are sent */
	uint64_t sent;    /* of the whole stream */
	struct list out_fds;
	bool was_full;

	bool open;
	bool freed; /* channel_free() was called inside a callback */
	int busy;   /* callbacks under way */
};

struct hello {
	uint16_t version;
	struct text name;
};

static const struct wire_field hello_fields[] = {
    WIRE_FIELD(struct hello, WIRE_U16, version, 0),
    WIRE_FIELD(struct hello, WIRE_TEXT, name, 64),
};
static const struct wire_struct hello_struct = WIRE_STRUCT(hello, hello_fields);

static void close_descriptors(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		descriptor_close(&fds[i]);
}

static void charge(struct channel *channel)
{
	if (!channel->budget)
		return;
	channel->budget->held += channel->in.size - channel->charged;
	channel->charged = channel->in.size;
}

static void update_watch(struct channel *channel)
{
	unsigned events = channel->paused ? 0 : LOOP_READABLE;
	if (channel->out.size > channel->out_start)
		events |= LOOP_WRITABLE;
	loop_watch_change(&channel->watch, events);
}

static void release(struct channel *channel)
{
	loop_watch_stop(&channel->watch);
	loop_deferred_cancel(&channel->flush);
	close_descriptors(channel->in_fds, channel->n_in_fds);
	channel->n_in_fds = 0;
	while (!list_is_empty(&channel->out_fds)) {
		struct outgoing_descriptors *next =
		    list_first(&channel->out_fds, struct outgoing_descriptors, node);
		list_remove(&next->node);
		close_descriptors(next->fds, next->count);
		free(next);
	}
	descriptor_close(&channel->fd);
	buffer_free(&channel->in);
	charge(channel);
	buffer_free(&channel->out);
	channel->out_start = 0;
	arena_free(&channel->arena);
	channel->open = false;
}

static void leave(struct channel *channel)
{
	if (--channel->busy == 0 && channel->freed)
		free(channel);
}

static void die(struct channel *channel, int why)
{
	if (!channel->open)
		return;
	channel->open = false;
	loop_watch_stop(&channel->watch);
	loop_deferred_cancel(&channel->flush);
	channel->busy++;
	channel->events->on_closed(channel->owner, channel, why);
	leave(channel);
}

/* ---- sending ---- */

static struct outgoing_descriptors *descriptors_due(struct channel *channel)
{
	if (list_is_empty(&channel->out_fds))
		return NULL;
	return list_first(&channel->out_fds, struct outgoing_descriptors, node);
}

/* How much may leave in one call: up to, but not across, the next place where descriptors are due.
 */
static size_t sendable(const struct channel *channel, const struct outgoing_descriptors *now)
{
	size_t size = channel->out.size - channel->out_start;
	const struct list *after = now ? now->node.next : channel->out_fds.next;
	if (after == &channel->out_fds)
		return size;
	uint64_t stop = container_of(after, struct outgoing_descriptors, node)->at - channel->sent;
	return stop < size ? (size_t)stop : size;
}

static ssize_t send_some(struct channel *channel)
{
	struct outgoing_descriptors *due = descriptors_due(channel);
	if (due && due->at != channel->sent)
		due = NULL;

	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * CHANNEL_DESCRIPTORS_MAX)];
	} control;
	struct iovec piece = {channel->out.data + channel->out_start, sendable(channel, due)};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	if (due) {
		memset(&control, 0, sizeof(control));
		message.msg_control = control.space;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * due->count);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * due->count);
		memcpy(CMSG_DATA(header), due->fds, sizeof(int) * due->count);
	}
	ssize_t n = sendmsg(channel->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0 && due) {
		list_remove(&due->node);
		close_descriptors(due->fds, due->count);
		free(due);
	}
	return n;
}

static void forget_sent(struct channel *channel)
{
	if (channel->out_start == channel->out.size) {
		channel->out_start = 0;
		buffer_clear(&channel->out);
		if (channel->out.capacity > CHANNEL_LOW_WATER)
			buffer_free(&channel->out);
	} else if (channel->out_start > CHANNEL_LOW_WATER) {
		buffer_drop_front(&channel->out, channel->out_start);
		channel->out_start = 0;
	}
}

void channel_flush(struct channel *channel)
{
	loop_deferred_cancel(&channel->flush);
	while (channel->open && channel->out_start < channel->out.size) {
		ssize_t n = send_some(channel);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0) {
			die(channel, -errno);
			return;
		}
		channel->out_start += (size_t)n;
		channel->sent += (uint64_t)n;
	}
	if (!channel->open)
		return;
	forget_sent(channel);
	update_watch(channel);
	if (channel_backlog(channel) > CHANNEL_LOW_WATER) {
		channel->was_full = true;
	} else if (channel->was_full && channel_backlog(channel) <= CHANNEL_LOW_WATER / 2) {
		channel->was_full = false;
		if (channel->events->on_drained)
			channel->events->on_drained(channel->owner, channel);
	}
}

static void flush_deferred(struct loop_deferred *deferred)
{
	struct channel *channel = container_of(deferred, struct channel, flush);
	channel->busy++;
	channel_flush(channel);
	leave(channel);
}

static int append_frame(struct channel *channel, unsigned type,
			const struct wire_struct *description, const void *message, size_t n_fds)
{
	struct buffer *out = &channel->out;
	size_t start = out->size;
	uint8_t *header = buffer_reserve(out, HEADER_SIZE);
	if (!header)
		return error_origin(-ENOBUFS);
	out->size += HEADER_SIZE;
	int r = wire_encode(description, message, out);
	size_t size = out->size - start - HEADER_SIZE;
	if (r == 0 && size > CHANNEL_FRAME_LIMIT)
		r = error_origin(-EMSGSIZE);
	if (r < 0) {
		int kept = out->failed;
		out->size = start;
		return kept ? -ENOBUFS : r;
	}
	header = out->data + start;
	put_u32(header, (uint32_t)size);
	put_u16(header + 4, (uint16_t)type);
	put_u16(header + 6, (uint16_t)n_fds);
	return 0;
}

static int queue_descriptors(struct channel *channel, uint64_t at, const int *fds, size_t count)
{
	struct outgoing_descriptors *outgoing = calloc(1, sizeof(*outgoing));
	if (!outgoing)
		return error_origin(-ENOMEM);
	outgoing->at = at;
	outgoing->count = count;
	memcpy(outgoing->fds, fds, count * sizeof(*fds));
	list_append(&channel->out_fds, &outgoing->node);
	return 0;
}

static int send_frame(struct channel *channel, unsigned type, const struct wire_struct *description,
		      const void *message, const int *fds, size_t count)
{
	uint64_t at = channel->sent + (channel->out.size - channel->out_start);
	int r = append_frame(channel, type, description, message, count);
	if (r == 0 && count > 0)
		r = queue_descriptors(channel, at, fds, count);
	if (r < 0)
		return r;
	loop_defer(&channel->flush, channel->loop, flush_deferred);
	return 0;
}

int channel_send_descriptors(struct channel *channel, unsigned type, const void *message,
			     const int *fds, size_t count)
{
	assert(type < channel->protocol->n_messages && channel->protocol->messages[type]);
	assert(count <= CHANNEL_DESCRIPTORS_MAX);
	int r = channel->open ? 0 : -EPIPE;
	if (r == 0)
		r = send_frame(channel, type, channel->protocol->messages[type], message, fds,
			       count);
	if (r < 0) {
		for (size_t i = 0; i < count; i++)
			close(fds[i]);
	}
	if (r == -ENOBUFS)
		die(channel, r);
	return error_trace(r);
}

int channel_send(struct channel *channel, unsigned type, const void *message)
{
	return channel_send_descriptors(channel, type, message, NULL, 0);
}

/* ---- receiving ---- */

static int keep_descriptors(struct channel *channel, struct msghdr *message)
{
	int r = 0;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
			if (channel->n_in_fds < DESCRIPTOR_QUEUE) {
				channel->in_fds[channel->n_in_fds++] = fd;
			} else {
				close(fd);
				r = -EBADMSG;
			}
		}
	}
	return message->msg_flags & MSG_CTRUNC ? -EBADMSG : r;
}

static ssize_t receive_some(struct channel *channel)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * DESCRIPTOR_QUEUE)];
	} control;
	uint8_t *room = buffer_reserve(&channel->in, READ_STEP);
	if (!room)
		return -ENOMEM;
	struct iovec piece = {room, channel->in.capacity - channel->in.size};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = control.space,
				 .msg_controllen = sizeof(control.space)};
	ssize_t n = recvmsg(channel->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -EPIPE;
	channel->in.size += (size_t)n;
	channel->received += (uint64_t)n;
	int r = keep_descriptors(channel, &message);
	return r < 0 ? r : n;
}

static int check_hello(struct channel *channel, struct bytes body)
{
	struct hello hello;
	int r = wire_decode(&hello_struct, body, &channel->arena, &hello);
	if (r < 0)
		return r;
	if (hello.version != channel->protocol->version ||
	    !text_equal(hello.name, text_of(channel->protocol->name)))
		return error_origin(-EPROTO);
	channel->greeted = true;
	return 0;
}

static int take_descriptors(struct channel *channel, size_t count,
			    struct channel_descriptors *taken)
{
	*taken = (struct channel_descriptors){.count = count};
	if (count > CHANNEL_DESCRIPTORS_MAX || count > channel->n_in_fds)
		return error_origin(-EBADMSG);
	memcpy(taken->fds, channel->in_fds, count * sizeof(int));
	channel->n_in_fds -= count;
	memmove(channel->in_fds, channel->in_fds + count, channel->n_in_fds * sizeof(int));
	return 0;
}

static int deliver(struct channel *channel, unsigned type, struct bytes body, size_t n_fds)
{
	if (type == TYPE_HELLO)
		return channel->greeted || n_fds ? -EBADMSG : check_hello(channel, body);
	if (!channel->greeted || type >= channel->protocol->n_messages ||
	    !channel->protocol->messages[type])
		return error_origin(-EBADMSG);
	const struct wire_struct *description = channel->protocol->messages[type];
	struct channel_descriptors descriptors;
	void *message = arena_alloc(&channel->arena, description->size);
	if (!message)
		return error_origin(-ENOMEM);
	int r = wire_decode(description, body, &channel->arena, message);
	if (r == 0)
		r = take_descriptors(channel, n_fds, &descriptors);
	if (r < 0)
		return error_trace(r);
	r = channel->events->on_message(channel->owner, channel, type, message, &descriptors);
	close_descriptors(descriptors.fds, descriptors.count);
	return r;
}

/* Hands out all whole frames. Callbacks may pause, kill or free the channel in between. */
static int deliver_frames(struct channel *channel)
{
	size_t used = 0;
	int r = 0;
	while (r == 0 && channel->open && !channel->paused &&
	       channel->in.size - used >= HEADER_SIZE) {
		struct cursor header =
		    cursor_of((struct bytes){channel->in.data + used, HEADER_SIZE});
		size_t size = cursor_u32(&header);
		unsigned type = cursor_u16(&header);
		size_t n_fds = cursor_u16(&header);
		if (size > CHANNEL_FRAME_LIMIT) {
			r = error_origin(-EMSGSIZE);
			break;
		}
		if (channel->in.size - used - HEADER_SIZE < size)
			break;
		struct bytes body = {channel->in.data + used + HEADER_SIZE, size};
		used += HEADER_SIZE + size;
		r = deliver(channel, type, body, n_fds);
		if (channel->open)
			arena_reset(&channel->arena);
	}
	if (channel->open && used > 0) {
		buffer_drop_front(&channel->in, used);
		if (channel->in.size == 0 && channel->in.capacity > 2 * READ_STEP)
			buffer_free(&channel->in);
	}
	return r;
}

/* Takes what has gathered in the socket, within a limit: where a turn ends with a sync or a commit,
 * the more there is in it the better, and the other channels of the loop have their turn all the
 * same. */
static int receive(struct channel *channel)
{
	int r = 0;
	for (int i = 0; i < READS_OF_TURN && r == 0 && channel->open && !channel->paused; i++) {
		ssize_t n = receive_some(channel);
		if (n == -EAGAIN || n == -EINTR)
			break;
		r = n < 0 ? (int)n : deliver_frames(channel);
		if (n < READ_STEP)
			break;
	}
	if (channel->open)
		charge(channel);
	if (channel->budget && channel->budget->held > channel->budget->limit)
		channel->budget->on_exceeded(channel->budget);
	return r;
}

static void channel_ready(struct loop_watch *watch, unsigned events)
{
	struct channel *channel = container_of(watch, struct channel, watch);
	channel->busy++;
	if (events & LOOP_WRITABLE)
		channel_flush(channel);
	int r = 0;
	/* A hang-up while paused is left until the reader resumes: what was sent before it still
	 * counts. */
	if (channel->open && !channel->paused && (events & (LOOP_READABLE | LOOP_HANGUP))) {
		r = receive(channel);
	} else if (channel->open && channel->paused && (events & LOOP_HANGUP)) {
		r = -EPIPE;
	}
	if (r < 0)
		die(channel, r);
	leave(channel);
}

void channel_hear(struct channel *channel)
{
	if (channel->busy == 0)
		channel_ready(&channel->watch, LOOP_READABLE);
}

/* ---- life ---- */

static int greet(struct channel *channel)
{
	struct hello hello = {channel->protocol->version, text_of(channel->protocol->name)};
	return send_frame(channel, TYPE_HELLO, &hello_struct, &hello, NULL, 0);
}

int channel_new(struct channel **out, struct loop *loop, int fd, const struct protocol *protocol,
		const struct channel_events *events, void *owner)
{
	struct channel *channel = calloc(1, sizeof(*channel));
	if (!channel) {
		descriptor_close(&fd);
		return error_origin(-ENOMEM);
	}
	channel->loop = loop;
	channel->fd = fd;
	channel->protocol = protocol;
	channel->events = events;
	channel->owner = owner;
	channel->in.limit = CHANNEL_FRAME_LIMIT + HEADER_SIZE + 2 * READ_STEP;
	channel->out.limit = CHANNEL_QUEUE_LIMIT;
	channel->open = true;
	list_init(&channel->out_fds);

	int r = descriptor_set_nonblocking(fd);
	if (r == 0)
		r = loop_watch_start(&channel->watch, loop, fd, LOOP_READABLE, channel_ready);
	if (r == 0)
		r = greet(channel);
	if (r < 0) {
		channel_free(channel);
		return error_trace(r);
	}
	*out = channel;
	return 0;
}

void channel_free(struct channel *channel)
{
	if (!channel)
		return;
	release(channel);
	channel->freed = true;
	if (channel->busy == 0)
		free(channel);
}

void channel_share(struct channel *channel, struct channel_budget *budget)
{
	assert(!channel->budget);
	channel->budget = budget;
	charge(channel);
}

size_t channel_unfinished(const struct channel *channel)
{
	return channel->charged;
}

size_t channel_backlog(const struct channel *channel)
{
	return channel->out.size - channel->out_start;
}

bool channel_is_open(const struct channel *channel)
{
	return channel->open;
}

uint64_t channel_peer_bytes(const struct channel *channel)
{
	return channel->received;
}

void channel_pause(struct channel *channel)
{
	channel->paused = true;
	if (channel->open)
		update_watch(channel);
}

static void deliver_resumed(struct loop_deferred *deferred)
{
	struct channel *channel = container_of(deferred, struct channel, flush);
	channel->busy++;
	channel_flush(channel);
	int r = channel->open ? deliver_frames(channel) : 0;
	if (r < 0)
		die(channel, r);
	leave(channel);
}

void channel_resume(struct channel *channel)
{
	channel->paused = false;
	if (!channel->open)
		return;
	update_watch(channel);
	/* Whole frames may lie in the buffer already; no descriptor will announce them. */
	loop_deferred_cancel(&channel->flush);
	loop_defer(&channel->flush, channel->loop, deliver_resumed);
}
