#include "link.h"

#include "base/cursor.h"
#include "base/error.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER_SIZE = 8, READ_STEP = 64 << 10, TYPE_HELLO = 0xffff };

struct hello {
	uint16_t version;
	struct text name;
};

static const struct wire_field hello_fields[] = {
    WIRE_FIELD(struct hello, WIRE_U16, version, 0),
    WIRE_FIELD(struct hello, WIRE_TEXT, name, 64),
};
static const struct wire_struct hello_struct = WIRE_STRUCT(hello, hello_fields);

void link_init(struct link *link, int fd, const struct protocol *protocol)
{
	*link = (struct link){.fd = fd, .protocol = protocol};
	link->in.limit = CHANNEL_FRAME_LIMIT + HEADER_SIZE + READ_STEP;
	link->out.limit = LINK_OUT_LIMIT;
}

void link_free(struct link *link)
{
	for (size_t i = 0; i < link->n_fds; i++)
		close(link->fds[i]);
	if (link->fd >= 0)
		close(link->fd);
	buffer_free(&link->in);
	buffer_free(&link->out);
	arena_free(&link->arena);
	*link = (struct link){.fd = -1};
}

static int append_frame(struct link *link, unsigned type, const struct wire_struct *description,
			const void *message)
{
	size_t start = link->out.size;
	uint8_t *header = buffer_reserve(&link->out, HEADER_SIZE);
	if (!header)
		return error_origin(-ENOBUFS);
	link->out.size += HEADER_SIZE;
	int r = wire_encode(description, message, &link->out);
	if (r < 0) {
		link->out.size = start;
		return error_trace(r);
	}
	header = link->out.data + start;
	put_u32(header, (uint32_t)(link->out.size - start - HEADER_SIZE));
	put_u16(header + 4, (uint16_t)type);
	put_u16(header + 6, 0);
	return 0;
}

int link_greet(struct link *link)
{
	struct hello hello = {link->protocol->version, text_of(link->protocol->name)};
	link->greets = true;
	return append_frame(link, TYPE_HELLO, &hello_struct, &hello);
}

int link_send(struct link *link, unsigned type, const void *message)
{
	return append_frame(link, type, link->protocol->messages[type], message);
}

int link_flush(struct link *link)
{
	while (link->out_start < link->out.size) {
		ssize_t n = send(link->fd, link->out.data + link->out_start,
				 link->out.size - link->out_start, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n < 0) { /* what has left makes room for what will be queued */
			buffer_drop_front(&link->out, link->out_start);
			link->out_start = 0;
			return 1;
		}
		link->out_start += (size_t)n;
	}
	link->out_start = 0;
	if (link->out.capacity > 2 * READ_STEP)
		buffer_free(
		    &link->out); /* an idle agent is small; one that prints keeps its frame */
	else
		buffer_clear(&link->out);
	return 0;
}

static void keep_descriptors(struct link *link, struct msghdr *message)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
			if (link->n_fds < LINK_DESCRIPTORS_MAX)
				link->fds[link->n_fds++] = fd;
			else
				close(fd);
		}
	}
}

int link_receive(struct link *link)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * CHANNEL_DESCRIPTORS_MAX)];
	} control;
	uint8_t *room = buffer_reserve(&link->in, READ_STEP);
	if (!room)
		return error_origin(-ENOMEM);
	struct iovec piece = {room, READ_STEP};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = control.space,
				 .msg_controllen = sizeof(control.space)};
	ssize_t n = recvmsg(link->fd, &message, MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (n == 0)
		return -EPIPE;
	link->in.size += (size_t)n;
	keep_descriptors(link, &message);
	return 0;
}

static int check_hello(struct link *link, struct bytes body)
{
	struct hello hello;
	if (link->greeted || wire_decode(&hello_struct, body, &link->arena, &hello) < 0 ||
	    hello.version != link->protocol->version ||
	    !text_equal(hello.name, text_of(link->protocol->name)))
		return -EBADMSG;
	link->greeted = true;
	return 0;
}

static int take_descriptor(struct link *link, size_t count, int *fd)
{
	*fd = -1;
	if (count > 1 || count > link->n_fds)
		return -EBADMSG;
	if (count == 1) {
		*fd = link->fds[0];
		memmove(link->fds, link->fds + 1, --link->n_fds * sizeof(int));
	}
	return 0;
}

static int decode(struct link *link, unsigned type, struct bytes body, size_t n_fds,
		  struct link_message *message)
{
	const struct protocol *protocol = link->protocol;
	if ((link->greets && !link->greeted) || type >= protocol->n_messages ||
	    !protocol->messages[type])
		return -EBADMSG;
	void *decoded = arena_alloc(&link->arena, protocol->messages[type]->size);
	if (!decoded)
		return -ENOMEM;
	int r = wire_decode(protocol->messages[type], body, &link->arena, decoded);
	if (r == 0)
		r = take_descriptor(link, n_fds, &message->fd);
	message->type = type;
	message->body = decoded;
	return r;
}

/* The frame last handed out stays at the front until now, since its message points into it. */
static void drop_previous(struct link *link)
{
	if (link->used == 0)
		return;
	buffer_drop_front(&link->in, link->used);
	link->used = 0;
	arena_reset(&link->arena);
	if (link->in.size == 0 && link->in.capacity > READ_STEP)
		buffer_free(&link->in);
}

int link_next(struct link *link, struct link_message *message)
{
	for (;;) {
		drop_previous(link);
		if (link->in.size < HEADER_SIZE)
			return 1;
		struct cursor header = cursor_of((struct bytes){link->in.data, HEADER_SIZE});
		size_t size = cursor_u32(&header);
		unsigned type = cursor_u16(&header);
		size_t n_fds = cursor_u16(&header);
		if (size > CHANNEL_FRAME_LIMIT)
			return -EBADMSG;
		if (link->in.size - HEADER_SIZE < size)
			return 1;
		struct bytes body = {link->in.data + HEADER_SIZE, size};
		link->used = HEADER_SIZE + size;
		if (type != TYPE_HELLO)
			return decode(link, type, body, n_fds, message);
		if (n_fds || check_hello(link, body) < 0)
			return -EBADMSG;
	}
}
