#include "engine/orchestrator/record.h"

#include <assert.h>
#include <stdlib.h>

static struct bytes key_of(const struct uuid *id)
{
	return (struct bytes){id->b, sizeof(id->b)};
}

void record_table_init(struct record_table *table)
{
	*table = (struct record_table){0};
	list_init(&table->turns);
}

void record_table_free(struct record_table *table)
{
	map_for_each (node, &table->records)
		record_free(table, container_of(node, struct record, node));
	assert(table->running == 0 && table->projects.count == 0 && table->workspaces.count == 0);
	map_free(&table->records);
	map_free(&table->projects);
	map_free(&table->workspaces);
}

/* ---- workspaces and projects live as long as they have operations ---- */

static struct record_workspace *get_workspace(struct record_table *table, struct uuid id)
{
	struct record_workspace *workspace =
	    map_object(&table->workspaces, key_of(&id), struct record_workspace, node);
	if (workspace || !(workspace = calloc(1, sizeof(*workspace))))
		return workspace;
	workspace->id = id;
	list_init(&workspace->turn);
	list_init(&workspace->turns);
	if (map_insert(&table->workspaces, &workspace->node, key_of(&workspace->id)) == 0)
		return workspace;
	free(workspace);
	return NULL;
}

static void release_workspace(struct record_table *table, struct record_workspace *workspace)
{
	if (workspace->operations > 0)
		return;
	assert(workspace->running == 0 && workspace->waiting == 0);
	map_remove(&table->workspaces, &workspace->node);
	free(workspace);
}

static struct record_project *new_project(struct record_table *table,
					  struct record_workspace *workspace, struct uuid id)
{
	struct record_project *project = calloc(1, sizeof(*project));
	if (!project)
		return NULL;
	project->id = id;
	project->workspace = workspace;
	list_init(&project->turn);
	list_init(&project->queue);
	if (map_insert(&table->projects, &project->node, key_of(&project->id)) == 0)
		return project;
	free(project);
	return NULL;
}

static void release_project(struct record_table *table, struct record_project *project)
{
	struct record_workspace *workspace = project->workspace;
	if (project->operations == 0) {
		assert(project->running == 0 && list_is_empty(&project->queue));
		map_remove(&table->projects, &project->node);
		free(project);
	}
	release_workspace(table, workspace);
}

static struct record_project *get_project(struct record_table *table, struct uuid workspace_id,
					  struct uuid id)
{
	struct record_project *project =
	    map_object(&table->projects, key_of(&id), struct record_project, node);
	if (project)
		return project;
	struct record_workspace *workspace = get_workspace(table, workspace_id);
	if (!workspace)
		return NULL;
	project = new_project(table, workspace, id);
	if (!project)
		release_workspace(table, workspace);
	return project;
}

/* ---- operations ---- */

struct record *record_new(struct record_table *table, const struct orchestrator_event *event)
{
	struct record *record = calloc(1, sizeof(*record));
	struct record_project *project =
	    record ? get_project(table, event->workspace, event->project) : NULL;
	if (!project) {
		free(record);
		return NULL;
	}
	record->id = event->operation;
	record->project = project;
	record->timeout_ms = event->timeout_ms;
	record->deadline_ms = UINT64_MAX;
	record->ephemeral = event->ephemeral;
	list_init(&record->place_in_queue);
	if (map_insert(&table->records, &record->node, key_of(&record->id)) != 0) {
		release_project(table, project);
		free(record);
		return NULL;
	}
	project->operations++;
	project->workspace->operations++;
	project->workspace->waiting++;
	return record;
}

struct record *record_find(const struct record_table *table, struct uuid id)
{
	return map_object(&table->records, key_of(&id), struct record, node);
}

void record_free(struct record_table *table, struct record *record)
{
	struct record_project *project = record->project;
	record_set_state(record, RECORD_ENDING);
	record_leave_place(record, table);
	map_remove(&table->records, &record->node);
	project->operations--;
	project->workspace->operations--;
	release_project(table, project);
	free(record);
}

static void leave_queue(struct record *record)
{
	struct record_project *project = record->project;
	list_remove(&record->place_in_queue);
	if (list_is_empty(&project->queue))
		list_remove(&project->turn);
	if (list_is_empty(&project->workspace->turns))
		list_remove(&project->workspace->turn);
}

void record_queue(struct record *record, struct record_table *table)
{
	struct record_project *project = record->project;
	assert(record->state == RECORD_WAITING && list_is_empty(&record->place_in_queue));
	list_append(&project->queue, &record->place_in_queue);
	if (list_is_empty(&project->turn))
		list_append(&project->workspace->turns, &project->turn);
	if (list_is_empty(&project->workspace->turn))
		list_append(&table->turns, &project->workspace->turn);
}

void record_set_state(struct record *record, enum record_state state)
{
	struct record_workspace *workspace = record->project->workspace;
	if (record->state == RECORD_WAITING && state != RECORD_WAITING) {
		leave_queue(record);
		workspace->waiting--;
	} else if (record->state != RECORD_WAITING && state == RECORD_WAITING) {
		workspace->waiting++;
	}
	record->state = state;
}

void record_take_place(struct record *record, struct record_table *table)
{
	if (record->has_place)
		return;
	record->has_place = true;
	record->project->running++;
	record->project->workspace->running++;
	table->running++;
}

void record_leave_place(struct record *record, struct record_table *table)
{
	if (!record->has_place)
		return;
	record->has_place = false;
	record->project->running--;
	record->project->workspace->running--;
	table->running--;
}

/* ---- whose turn ---- */

bool record_place_is_free(const struct record_table *table,
			  const struct orchestrator_limits *limits,
			  const struct record_project *project)
{
	return table->running < limits->running &&
	       project->workspace->running < limits->running_per_workspace &&
	       project->running < limits->running_per_project;
}

static void move_to_end(struct list *ring, struct list *turn)
{
	list_remove(turn);
	list_append(ring, turn);
}

static struct record *next_of_workspace(const struct record_table *table,
					struct record_workspace *workspace,
					const struct orchestrator_limits *limits)
{
	struct record_project *project;
	list_for_each (project, &workspace->turns, turn) {
		if (!record_place_is_free(table, limits, project))
			continue;
		move_to_end(&workspace->turns, &project->turn);
		return list_first(&project->queue, struct record, place_in_queue);
	}
	return NULL;
}

struct record *record_next(struct record_table *table, const struct orchestrator_limits *limits)
{
	struct record_workspace *workspace;
	list_for_each (workspace, &table->turns, turn) {
		struct record *record = next_of_workspace(table, workspace, limits);
		if (!record)
			continue;
		move_to_end(&table->turns, &workspace->turn);
		return record;
	}
	return NULL;
}
