/* The orchestrator decides what runs when: a pure engine that does no I/O and reads no clock.
 * Control tells it events, each with its time, and carries out its orders. It holds one small
 * record for each operation that is not over.
 *
 *             admit        gates open and a place is free
 *   (client) -------> WAITING -----> MARKING -----> RUNNING -----> ENDING ----> forgotten
 *                        |    MARK           RUN  ^    |  finished  ^    ended
 *                        |                        |    | link lost  |
 *                        |     held by the worker |    v            |
 *                        |                       UNKNOWN ----------+
 *                        +--- cancelled ---------------------------+
 *
 * Gates. RUN is ordered only after all of: the operation is durable in the store (STORED), its
 * audit entry is durable (RECORDED), its `queued` event is in the event log or on its way to it,
 * ahead of whatever the worker may say (ANNOUNCED), and the store says durably which worker process
 * it goes to (MARKED). Where a place is free at admission the mark is stored together with the
 * operation, so the common way costs one commit.
 *
 * At most once. A mark names the worker process. After the loss of the link, or of control itself,
 * a marked operation is UNKNOWN until the worker's inventory. Held: it runs. Not held: if the
 * worker is the very process of the mark, RUN never arrived and the operation waits again; with any
 * other process it may have run, and ends as worker_lost. An operation whose body came with the
 * client's request (`ephemeral`) cannot run later without it and ends as worker_lost, too.
 *
 * Exactly one end. END is ordered once for each operation, when it is stored and nothing runs;
 * ENDED, told when the end is durable, removes the record, and only then is the worker told to
 * FORGET.
 *
 * Fairness. Workspaces with waiting operations take turns, and within one its projects; each turn
 * starts one operation. Limits on what runs at once hold per project, per workspace and in all. */
#pragma once

#include "base/id.h"
#include "base/list.h"
#include "base/map.h"
#include "proto/outcome.h"

struct orchestrator;

struct orchestrator_limits {
	uint32_t running;
	uint32_t running_per_workspace;
	uint32_t running_per_project;
	uint32_t waiting_per_workspace;
};

enum orchestrator_gate {
	ORCHESTRATOR_STORED = 1,
	ORCHESTRATOR_RECORDED = 2,
	ORCHESTRATOR_ANNOUNCED = 4,
	ORCHESTRATOR_MARKED = 8,
	ORCHESTRATOR_GATES = 15
};

enum orchestrator_event_type {
	ORCHESTRATOR_ADMIT,     /* a new operation; the verdict tells whether it is taken */
	ORCHESTRATOR_RESTORE,   /* at the start: a stored operation without an end; `gates` that are
				   known to be open */
	ORCHESTRATOR_OPEN_GATE, /* `gates` that have opened */
	ORCHESTRATOR_WITHDRAW,  /* an admitted operation was not stored: it never existed */
	ORCHESTRATOR_DENY,      /* its audit entry cannot be written: it must not run */
	ORCHESTRATOR_CANCEL,    /* with `outcome` */
	ORCHESTRATOR_CANCEL_PROJECT, /* every operation of `project` */
	ORCHESTRATOR_WORKER_UP, /* a channel; nothing is sent before its inventory is complete */
	ORCHESTRATOR_WORKER_DOWN,
	ORCHESTRATOR_HOLDING,       /* of the inventory: this operation; `started_ms` or 0 */
	ORCHESTRATOR_INVENTORY_END, /* `worker` is the process's number */
	ORCHESTRATOR_STARTED,
	ORCHESTRATOR_FINISHED, /* the worker says it has ended; what it says is kept by control */
	ORCHESTRATOR_ENDED,    /* its end is durable */
	ORCHESTRATOR_TICK,     /* time has passed */
	ORCHESTRATOR_STOP,     /* nothing more is started */
	ORCHESTRATOR_EVENTS
};

struct orchestrator_event {
	enum orchestrator_event_type type;
	uint64_t now_ms; /* monotonic */
	struct uuid operation;
	struct uuid workspace; /* ADMIT, RESTORE */
	struct uuid project;   /* ADMIT, RESTORE, CANCEL_PROJECT */
	unsigned gates;        /* RESTORE, OPEN_GATE */
	struct uuid worker;    /* RESTORE: of the mark, zero if none; INVENTORY_END */
	uint64_t timeout_ms;   /* ADMIT, RESTORE: 0 for none */
	uint64_t running_ms;   /* HOLDING: how long it has been running */
	bool ephemeral;        /* ADMIT, RESTORE */
	enum outcome outcome;  /* CANCEL */
};

enum orchestrator_verdict {
	ORCHESTRATOR_ACCEPTED = 0,
	ORCHESTRATOR_RESERVED, /* ADMIT: a place is free; store it with the mark of this worker */
	ORCHESTRATOR_FULL,     /* ADMIT: the workspace has too many waiting */
	ORCHESTRATOR_UNKNOWN_OPERATION, /* it is over, or never was */
};

enum orchestrator_order_type {
	ORCHESTRATOR_ORDER_MARK,   /* store that it goes to `worker`, then open the gate MARKED */
	ORCHESTRATOR_ORDER_RUN,    /* send it to the worker */
	ORCHESTRATOR_ORDER_CANCEL, /* tell the worker to end it with `outcome` */
	ORCHESTRATOR_ORDER_END, /* store its end, then tell ENDED; `finished`: as the worker said,
				   else with `outcome` */
	ORCHESTRATOR_ORDER_FORGET, /* tell the worker to forget it */
};

struct orchestrator_order {
	enum orchestrator_order_type type;
	struct uuid operation;
	struct uuid worker;
	enum outcome outcome;
	bool finished;
};

struct orchestrator_orders {
	struct orchestrator_order *items;
	size_t count;
	size_t capacity;
};
void orchestrator_orders_free(struct orchestrator_orders *orders);

int orchestrator_new(const struct orchestrator_limits *limits,
		     struct orchestrator **orchestrator) ATTR_MUST_CHECK;
void orchestrator_free(struct orchestrator *orchestrator);

/* A verdict, or -ENOMEM (nothing has changed then). Orders are appended, to be carried out in their
 * order. */
int orchestrator_step(struct orchestrator *orchestrator, const struct orchestrator_event *event,
		      struct orchestrator_orders *orders) ATTR_MUST_CHECK;

/* When TICK is due, or UINT64_MAX. */
uint64_t orchestrator_next_tick(const struct orchestrator *orchestrator);

/* The worker that a reservation is for: the mark of an operation admitted as RESERVED. */
struct uuid orchestrator_worker(const struct orchestrator *orchestrator);

struct orchestrator_counts {
	uint64_t waiting, running, ending, unknown;
};
struct orchestrator_counts orchestrator_count(const struct orchestrator *orchestrator);
/* How many of the workspace wait. */
uint32_t orchestrator_position(const struct orchestrator *orchestrator, struct uuid workspace);
