#include "listener.h"

#include "base/descriptor.h"
#include "base/error.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

static int split(struct text address, char *host, size_t host_size, char *port, size_t port_size)
{
	size_t colon = address.size;
	while (colon > 0 && address.data[colon - 1] != ':')
		colon--;
	if (colon < 2)
		return 1;
	struct text name = {address.data, colon - 1}, number = text_skip(address, colon);
	if (name.size > 2 && name.data[0] == '[' && name.data[name.size - 1] == ']')
		name = (struct text){name.data + 1, name.size - 2};
	uint64_t value;
	if (name.size >= host_size || number.size >= port_size ||
	    text_parse_u64(number, 65535, &value))
		return 1;
	snprintf(host, host_size, "%.*s", (int)name.size, name.data);
	snprintf(port, port_size, "%.*s", (int)number.size, number.data);
	return 0;
}

static int open_socket(const struct addrinfo *info)
{
	int yes = 1;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		int r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

int listener_show(int fd, char *shown, size_t size)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	char host[NI_MAXHOST], port[NI_MAXSERV];
	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0 ||
	    getnameinfo((struct sockaddr *)&address, length, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return error_origin(-EINVAL);
	bool v6 = address.ss_family == AF_INET6;
	snprintf(shown, size, v6 ? "[%s]:%s" : "%s:%s", host, port);
	return 0;
}

int listener_open(struct text address, char *shown, size_t shown_size)
{
	char host[256], port[8];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
	if (split(address, host, sizeof(host), port, sizeof(port))) {
		fprintf(stderr, "croftd: \"%.*s\" is not HOST:PORT\n", (int)address.size,
			address.data);
		return -EINVAL;
	}
	int error = getaddrinfo(host, port, &hints, &list);
	if (error) {
		fprintf(stderr, "croftd: %s: %s\n", host, gai_strerror(error));
		return -EINVAL;
	}
	int fd = open_socket(list);
	freeaddrinfo(list);
	if (fd < 0) {
		fprintf(stderr, "croftd: cannot listen on %s:%s: %s\n", host, port, strerror(-fd));
		return fd;
	}
	int r = listener_show(fd, shown, shown_size);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}
