#include "order.h"

#include "base/error.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { DESCRIPTORS = 2 };

union ancillary {
	struct cmsghdr align;
	char space[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
};

int order_send(int fd, const struct order *order)
{
	const int fds[DESCRIPTORS] = {order->channel, order->project};
	struct cgroup_limits limits = order->limits;
	struct iovec piece = {&limits, sizeof(limits)};
	union ancillary ancillary = {0};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = ancillary.space,
				 .msg_controllen = sizeof(ancillary.space)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(header), fds, sizeof(fds));
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? error_origin(-errno) : 0;
}

int order_receive(int fd, struct order *order)
{
	int fds[DESCRIPTORS];
	struct cgroup_limits limits;
	struct iovec piece = {&limits, sizeof(limits)};
	union ancillary ancillary;
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = ancillary.space,
				 .msg_controllen = sizeof(ancillary.space)};
	ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return n < 0 ? error_origin(-errno) : 1;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (n != (ssize_t)sizeof(limits) || !header || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(fds)))
		return error_origin(-EBADMSG);
	memcpy(fds, CMSG_DATA(header), sizeof(fds));
	*order = (struct order){limits, fds[0], fds[1]};
	return 0;
}
