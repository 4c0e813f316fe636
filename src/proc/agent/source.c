/* Descriptors of the agent's loop. */
#include "agent.h"

#include <errno.h>
#include <sys/epoll.h>

int source_add(struct agent *agent, struct source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};
	if (epoll_ctl(agent->epoll, EPOLL_CTL_ADD, source->fd, &event) < 0)
		return -errno;
	source->events = events;
	source->is_added = true;
	return 0;
}

void source_change(struct agent *agent, struct source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};
	if (source->is_added && source->events != events)
		epoll_ctl(agent->epoll, EPOLL_CTL_MOD, source->fd, &event);
	source->events = events;
}

void source_remove(struct agent *agent, struct source *source)
{
	if (source->is_added)
		epoll_ctl(agent->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	source->is_added = false;
}
