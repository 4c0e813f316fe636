/* The orchestrator's records: operations that are not over, and for the workspaces and projects
 * that have any, what waits and what runs. Private to this room.
 *
 * Invariants: an operation is queued only in the state WAITING; a workspace is in the ring of turns
 * exactly while one of its projects is in its own ring, and that exactly while an operation is
 * queued there; `running` counts the operations that hold a place. */
#pragma once

#include "engine/orchestrator/orchestrator.h"

enum record_state { RECORD_WAITING, RECORD_MARKING, RECORD_RUNNING, RECORD_UNKNOWN, RECORD_ENDING };

struct record_workspace {
	struct map_node node;
	struct uuid id;
	struct list turn;  /* in record_table.turns */
	struct list turns; /* of struct record_project.turn */
	uint32_t running, waiting, operations;
};

struct record_project {
	struct map_node node;
	struct uuid id;
	struct record_workspace *workspace;
	struct list turn;
	struct list queue; /* of struct record.place_in_queue */
	uint32_t running, operations;
};

struct record {
	struct map_node node;
	struct uuid id;
	struct record_project *project;
	struct list place_in_queue;
	enum record_state state;
	unsigned gates;
	struct uuid worker; /* of the mark */
	uint64_t timeout_ms, deadline_ms;
	enum outcome outcome; /* that was asked for, once `cancelled`; or of ENDING */
	bool cancelled;
	bool ephemeral;
	bool has_place;
	bool has_run;
	bool end_ordered;
	bool finished; /* the worker told the end */
};

struct record_table {
	struct map records, projects, workspaces;
	struct list turns; /* of struct record_workspace.turn */
	uint32_t running;
};

void record_table_init(struct record_table *table);
void record_table_free(struct record_table *table);

/* In the state WAITING, not queued; counted as waiting. NULL without memory. */
struct record *record_new(struct record_table *table, const struct orchestrator_event *event);
struct record *record_find(const struct record_table *table, struct uuid id);
void record_free(struct record_table *table, struct record *record); /* gives its place back */

/* Each keeps the counts. Leaving WAITING takes it out of the queue. */
void record_set_state(struct record *record, enum record_state state);
void record_queue(struct record *record, struct record_table *table);
void record_take_place(struct record *record, struct record_table *table);
void record_leave_place(struct record *record, struct record_table *table);

bool record_place_is_free(const struct record_table *table,
			  const struct orchestrator_limits *limits,
			  const struct record_project *project);
/* The one whose turn it is among those that may run now, or NULL; turns move on. */
struct record *record_next(struct record_table *table, const struct orchestrator_limits *limits);
