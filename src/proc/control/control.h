/* The control role's parts, each behind its own header; the process has one of each. Handlers get
 * at them through their request. */
#pragma once

#include "loop/loop.h"
#include "port/store/people.h"
#include "port/store/projects.h"
#include "port/store/store.h"
#include "port/store/workspaces.h"

struct audit_link;    /* audit_link.h: entries to the audit role */
struct gateway_links; /* gateway_link.h: requests from the gateways, answers to them */
struct identities;    /* identity.h: who a credential stands for */
struct limiter;       /* limiter.h: requests per key and workspace */
struct tickets;       /* tickets.h */
struct metrics;       /* metrics.h */
struct operations;    /* operation.h: those that are not over */
struct worker_link;   /* worker_link.h */
struct stream_link;   /* stream_link.h */

struct control {
	struct loop *loop;
	struct store *store;
	struct gateway_links *gateways;
	struct audit_link *audit;
	struct identities *identities;
	struct limiter *limiter;
	struct tickets *tickets;
	struct metrics *metrics;
	struct leases *leases;
	struct stream_link *stream;
	struct worker_link *worker;
	struct operations *operations;
	struct cursor_key *cursors; /* page.h */
	/* Ends all operations of a project that is being deleted, has the worker remove its files
	 * and the stream role its events, and then calls project_torn_down(). Asked again after a
	 * restart. Set before the first request. */
	void (*tear_down_project)(struct control *control, struct uuid workspace,
				  struct uuid project);
	/* Closes the readers of a revoked key or a deleted project; the other id is zero. Set
	 * before the first request. */
	void (*stop_readers)(struct control *control, struct uuid key, struct uuid project);
	struct loop_timer housekeeping; /* idempotency keys that are old enough */
	uint64_t keep_ms;
	bool stopping; /* new work is refused */
};
