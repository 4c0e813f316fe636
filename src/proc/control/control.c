#include "proc/control/control.h"

#include "base/error.h"
#include "base/log.h"
#include "proc/control/audit_link.h"
#include "proc/control/gateway_link.h"
#include "proc/control/identity.h"
#include "proc/control/leases.h"
#include "proc/control/limiter.h"
#include "proc/control/metrics.h"
#include "proc/control/open.h"
#include "proc/control/page.h"
#include "proc/control/projects.h"
#include "proc/control/stream_link.h"
#include "proc/control/tickets.h"

#include <errno.h>
#include <stdlib.h>

enum { HOUSEKEEPING_MS = 60000, PURGE_BATCH = 2000 };

/* A batch a minute: what ended long ago goes as slowly as it came, and holds no one up. */
static void keep_house(struct loop_timer *timer)
{
	struct control *control = container_of(timer, struct control, housekeeping);
	int64_t before_ms = loop_wall_ms(control->loop) - (int64_t)control->keep_ms;
	control->store->workspaces->replay_expire(control->store, before_ms, NULL);
	control->store->operations->purge(control->store, before_ms, PURGE_BATCH, NULL);
}

static void tear_down_project(struct control *control, struct uuid workspace, struct uuid project)
{
	operations_cancel_project(control->operations, project);
	worker_link_remove_project(control->worker, workspace, project);
}

static void stop_readers(struct control *control, struct uuid key, struct uuid project)
{
	stream_link_stop_readers(control->stream, key, project);
}

static int open_operations(struct control *control, const struct control_settings *settings)
{
	int r = stream_link_new(control, &control->stream);
	if (r == 0)
		r = worker_link_new(control, &control->worker);
	if (r == 0)
		r = operations_new(control, &settings->operations, &control->operations);
	if (r == 0)
		r = operations_restore(control->operations);
	control->tear_down_project = tear_down_project;
	control->stop_readers = stop_readers;
	return error_trace(r);
}

/* The parts in the order in which they need each other. */
static int open_parts(struct control *control, const struct control_settings *settings)
{
	int r = store_sqlite_open(settings->database, control->loop, &control->store);
	if (r == 0)
		r = cursor_key_load(control->store, &control->cursors);
	if (r == 0)
		r = audit_link_new(control->loop, &control->audit);
	if (r == 0)
		r = gateway_links_new(control, &control->gateways);
	if (r == 0)
		r = tickets_new(&control->tickets);
	if (r == 0)
		r = limiter_new(settings->limits, &control->limiter);
	if (r == 0)
		r = identities_new(control, &settings->identity, &control->identities);
	if (r == 0)
		r = metrics_new(control, &control->metrics);
	if (r == 0)
		r = leases_new(control, &control->leases);
	if (r == 0)
		r = open_operations(control, settings);
	if (r == 0)
		r = loop_timer_start(&control->housekeeping, control->loop, HOUSEKEEPING_MS,
				     HOUSEKEEPING_MS, keep_house);
	return error_trace(r);
}

int control_open(struct loop *loop, const struct control_settings *settings, struct control **out)
{
	struct control *control = calloc(1, sizeof(*control));
	if (!control)
		return error_origin(-ENOMEM);
	control->loop = loop;
	control->keep_ms = settings->keep_ms;
	int r = open_parts(control, settings);
	if (r < 0) {
		control_close(control);
		return error_trace(r);
	}
	*out = control;
	return 0;
}

void control_close(struct control *control)
{
	loop_timer_stop(&control->housekeeping);
	if (control->store)
		control->store->base->close(control->store);
	gateway_links_free(control->gateways);
	operations_free(control->operations);
	worker_link_free(control->worker);
	stream_link_free(control->stream);
	leases_free(control->leases);
	metrics_free(control->metrics);
	identities_free(control->identities);
	limiter_free(control->limiter);
	tickets_free(control->tickets);
	audit_link_free(control->audit);
	cursor_key_free(control->cursors);
	free(control);
}

bool control_is_quiet(const struct control *control)
{
	return gateway_links_requests(control->gateways) == 0 &&
	       operations_are_quiet(control->operations) && audit_link_pending(control->audit) == 0;
}
