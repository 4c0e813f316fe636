#include "proc/control/leases.h"

#include "base/error.h"
#include "base/log.h"
#include "base/map.h"
#include "proc/control/control.h"
#include "proc/control/gateway_link.h"

#include <errno.h>
#include <stdlib.h>

struct lease {
	struct map_node node;
	struct uuid holder;
	int64_t ends_ms;
};

struct leases {
	struct control *control;
	struct map map;
	struct loop_timer timer;
	int64_t next_ms; /* INT64_MAX: the timer does not run */
};

static void on_time(struct loop_timer *timer);

static void wait_for(struct leases *leases, int64_t ends_ms)
{
	int64_t now = loop_wall_ms(leases->control->loop);
	leases->next_ms = ends_ms;
	if (ends_ms == INT64_MAX)
		loop_timer_stop(&leases->timer);
	else if (loop_timer_start(&leases->timer, leases->control->loop,
				  ends_ms > now ? (uint64_t)(ends_ms - now) : 0, 0, on_time) < 0)
		log_error("streams outlive their credentials: no timer");
}

static void drop(struct leases *leases, struct lease *lease)
{
	map_remove(&leases->map, &lease->node);
	free(lease);
}

static void on_time(struct loop_timer *timer)
{
	struct leases *leases = container_of(timer, struct leases, timer);
	int64_t now = loop_wall_ms(leases->control->loop), next = INT64_MAX;
	map_for_each (node, &leases->map) {
		struct lease *lease = container_of(node, struct lease, node);
		if (lease->ends_ms <= now)
			leases_end(leases, lease->holder);
		else if (lease->ends_ms < next)
			next = lease->ends_ms;
	}
	wait_for(leases, next);
}

static struct lease *find(struct leases *leases, struct uuid holder)
{
	return map_object(&leases->map, ((struct bytes){holder.b, sizeof(holder.b)}), struct lease,
			  node);
}

static int add(struct leases *leases, struct uuid holder, int64_t ends_ms)
{
	if (leases->map.count >= LEASES_MAX)
		return error_origin(-ENOBUFS);
	struct lease *lease = calloc(1, sizeof(*lease));
	if (!lease)
		return error_origin(-ENOMEM);
	*lease = (struct lease){.holder = holder, .ends_ms = ends_ms};
	int r = map_insert(&leases->map, &lease->node,
			   (struct bytes){lease->holder.b, sizeof(lease->holder.b)});
	if (r < 0)
		free(lease);
	return error_trace(r);
}

int leases_take(struct leases *leases, struct uuid holder, int64_t ends_ms)
{
	struct lease *lease = find(leases, holder);
	int r = lease ? 0 : add(leases, holder, ends_ms);
	if (r < 0)
		return error_trace(r);
	if (lease && ends_ms > lease->ends_ms)
		lease->ends_ms = ends_ms;
	if (ends_ms < leases->next_ms)
		wait_for(leases, ends_ms);
	return 0;
}

void leases_end(struct leases *leases, struct uuid holder)
{
	struct control *control = leases->control;
	struct lease *lease = find(leases, holder);
	if (lease)
		drop(leases, lease);
	gateway_links_withdraw(control->gateways, holder);
	if (control->stop_readers)
		control->stop_readers(control, holder, (struct uuid){0});
}

int leases_new(struct control *control, struct leases **out)
{
	struct leases *leases = calloc(1, sizeof(*leases));
	if (!leases)
		return error_origin(-ENOMEM);
	leases->control = control;
	leases->next_ms = INT64_MAX;
	*out = leases;
	return 0;
}

void leases_free(struct leases *leases)
{
	if (!leases)
		return;
	loop_timer_stop(&leases->timer);
	map_for_each (node, &leases->map)
		drop(leases, container_of(node, struct lease, node));
	map_free(&leases->map);
	free(leases);
}
