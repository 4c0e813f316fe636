#include "proc/control/worker_link.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "proc/control/metrics.h"
#include "proc/control/operation.h"
#include "proc/control/projects.h"
#include "proc/control/stream_link.h"

#include <errno.h>
#include <stdlib.h>

/* A project whose files are to be removed. Its row says so too, so a lost one comes again with the
 * next start. */
struct removal {
	struct list node;
	struct uuid workspace, project;
};

struct worker_link {
	struct control *control;
	struct channel *channel; /* NULL while the worker is away */
	struct list removals;
	bool ready;
};

int worker_link_send(struct worker_link *link, unsigned type, const void *message)
{
	return link->channel ? channel_send(link->channel, type, message) : -EPIPE;
}

int worker_link_run(struct worker_link *link, const struct control_worker_run *run, int pipe)
{
	if (!link->channel) {
		descriptor_close(&pipe);
		return -EPIPE;
	}
	return channel_send_descriptors(link->channel, CONTROL_WORKER_RUN, run, &pipe,
					pipe >= 0 ? 1 : 0);
}

/* ---- projects to remove ---- */

static void send_removal(struct worker_link *link, const struct removal *removal)
{
	struct control_worker_project message = {.project = removal->project};
	worker_link_send(link, CONTROL_WORKER_PROJECT_DELETE, &message);
}

void worker_link_remove_project(struct worker_link *link, struct uuid workspace,
				struct uuid project)
{
	struct removal *removal = calloc(1, sizeof(*removal));
	if (!removal) {
		log_error("a project is removed at the next start only: no memory");
		return;
	}
	removal->workspace = workspace;
	removal->project = project;
	list_append(&link->removals, &removal->node);
	send_removal(link, removal);
}

static void on_project_deleted(struct worker_link *link,
			       const struct control_worker_project *deleted)
{
	struct removal *removal;
	list_for_each (removal, &link->removals, node) {
		if (!uuid_equal(removal->project, deleted->project))
			continue;
		if (deleted->status != 0)
			return; /* it is asked for again on the next channel */
		stream_link_forget(link->control->stream, removal->workspace, removal->project);
		list_remove(&removal->node);
		free(removal);
		project_torn_down(link->control, deleted->project);
		return;
	}
}

/* ---- the channel ---- */

/* Told at once: who waits for /readyz shall not wait for the next regular push. */
static void set_ready(struct worker_link *link, bool ready)
{
	if (link->ready == ready)
		return;
	link->ready = ready;
	metrics_push(link->control->metrics);
}

static int on_message(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct worker_link *link = owner;
	struct operations *operations = link->control->operations;
	switch (type) {
	case CONTROL_WORKER_STARTED:
		operations_on_started(operations, body);
		return 0;
	case CONTROL_WORKER_OPENED:
		operations_on_opened(operations, body);
		return 0;
	case CONTROL_WORKER_FINISHED:
		return error_trace(operations_on_finished(operations, body));
	case CONTROL_WORKER_HOLDING:
		operations_on_holding(operations, body);
		return 0;
	case CONTROL_WORKER_PROJECT_DELETED:
		on_project_deleted(link, body);
		return 0;
	case CONTROL_WORKER_STATUS:
		set_ready(link, ((const struct control_worker_status *)body)->ready);
		return 0;
	default:
		return error_origin(-EPROTO);
	}
}

static void lose_channel(struct worker_link *link)
{
	if (!link->channel)
		return;
	channel_free(link->channel);
	link->channel = NULL;
	link->ready = false;
	operations_on_worker_down(link->control->operations);
}

static void on_closed(void *owner, struct channel *channel ATTR_UNUSED, int why)
{
	struct worker_link *link = owner;
	log_warning("the worker is away: %s", strerror(-why));
	lose_channel(link);
	metrics_push(link->control->metrics);
}

static const struct channel_events channel_events = {.on_message = on_message,
						     .on_closed = on_closed};

int worker_link_connect(struct worker_link *link, int fd)
{
	struct control_worker_operation inventory = {0};
	struct removal *removal;
	lose_channel(link);
	int r = channel_new(&link->channel, link->control->loop, fd, &control_worker_protocol,
			    &channel_events, link);
	if (r < 0)
		return error_trace(r);
	operations_on_worker_up(link->control->operations);
	worker_link_send(link, CONTROL_WORKER_INVENTORY, &inventory);
	list_for_each (removal, &link->removals, node)
		send_removal(link, removal);
	return 0;
}

/* ---- life ---- */

int worker_link_new(struct control *control, struct worker_link **out)
{
	struct worker_link *link = calloc(1, sizeof(*link));
	if (!link)
		return error_origin(-ENOMEM);
	link->control = control;
	list_init(&link->removals);
	*out = link;
	return 0;
}

void worker_link_free(struct worker_link *link)
{
	struct removal *removal;
	if (!link)
		return;
	list_for_each (removal, &link->removals, node)
		free(removal);
	channel_free(link->channel);
	free(link);
}

bool worker_link_is_up(const struct worker_link *link)
{
	return link->channel != NULL;
}

bool worker_link_is_ready(const struct worker_link *link)
{
	return link->channel && link->ready;
}
