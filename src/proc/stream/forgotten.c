#include "proc/stream/forgotten.h"

#include "base/error.h"
#include "base/log.h"
#include "proc/stream/subject.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct project {
	struct map_node node;
	struct uuid id;
	uint64_t position; /* events below it are hidden */
	bool durable;
	bool gathered;
};

static struct bytes key_of(const struct uuid *project)
{
	return (struct bytes){project->b, sizeof(project->b)};
}

void forgotten_free(struct forgotten *forgotten)
{
	map_for_each (node, &forgotten->by_project) {
		struct project *project = container_of(node, struct project, node);
		map_remove(&forgotten->by_project, node);
		free(project);
	}
	map_free(&forgotten->by_project);
}

static struct project *find(const struct forgotten *forgotten, struct uuid id)
{
	return map_object(&forgotten->by_project, key_of(&id), struct project, node);
}

static struct project *take(struct forgotten *forgotten, struct uuid id)
{
	struct project *project = find(forgotten, id);
	if (project)
		return project;
	project = calloc(1, sizeof(*project));
	if (!project)
		return NULL;
	project->id = id;
	if (map_insert(&forgotten->by_project, &project->node, key_of(&project->id)) != 0) {
		free(project);
		return NULL;
	}
	return project;
}

int forgotten_add(struct forgotten *forgotten, struct uuid id, uint64_t position)
{
	struct project *project = take(forgotten, id);
	if (!project)
		return error_origin(-ENOMEM);
	if (position > project->position) {
		forgotten->pending += project->durable || project->position == 0;
		project->position = position;
		project->durable = false;
	}
	return 0;
}

static int load_one(struct forgotten *forgotten, struct log *log, const struct log_place *place)
{
	struct log_record record;
	int r = log_read(log, place, &record);
	if (r == LOG_CORRUPT || (r == 0 && record.tag != TAG_FORGOTTEN)) {
		log_error("forgotten project unreadable position=%" PRIu64, place->position);
		return 0;
	}
	struct uuid id;
	if (r || record.data.size != sizeof(id.b))
		return r;
	memcpy(id.b, record.data.data, sizeof(id.b));
	struct project *project = take(forgotten, id);
	if (!project)
		return error_origin(-ENOMEM);
	project->position = record.position;
	project->durable = true;
	return 0;
}

int forgotten_load(struct forgotten *forgotten, struct log *log, const struct mac_key *key)
{
	enum { PAGE = 64 };
	struct log_place places[PAGE];
	struct log_found found = {.count = PAGE};
	struct log_bounds bounds;
	log_bounds(log, &bounds);
	struct log_query query = {subject_of_forgotten(key), bounds.first, PAGE};
	int r = 0;
	while (r == 0 && found.count == PAGE) {
		r = log_find(log, &query, places, &found);
		for (size_t i = 0; r == 0 && i < found.count; i++) {
			r = load_one(forgotten, log, &places[i]);
			query.from = places[i].position + 1;
		}
	}
	return error_trace(r);
}

int forgotten_append(struct forgotten *forgotten, struct log *log, const struct mac_key *key,
		     int64_t now_ms)
{
	if (forgotten->pending == 0)
		return 0;
	map_for_each (node, &forgotten->by_project) {
		struct project *project = container_of(node, struct project, node);
		if (project->durable)
			continue;
		struct log_append append = {
		    .time_ms = now_ms,
		    .tag = TAG_FORGOTTEN,
		    .n_subjects = 1,
		    .subjects = {subject_of_forgotten(key)},
		    .data = {project->id.b, sizeof(project->id.b)},
		};
		uint64_t position;
		int r = log_append(log, &append, &position);
		if (r < 0)
			return error_trace(r);
		project->gathered = true;
	}
	return 0;
}

void forgotten_settle(struct forgotten *forgotten, bool durable)
{
	if (forgotten->pending == 0)
		return;
	map_for_each (node, &forgotten->by_project) {
		struct project *project = container_of(node, struct project, node);
		if (project->gathered && durable) {
			project->durable = true;
			forgotten->pending--;
		}
		project->gathered = false;
	}
}

bool forgotten_hides(const struct forgotten *forgotten, struct uuid id, uint64_t position)
{
	if (forgotten->by_project.count == 0)
		return false;
	const struct project *project = find(forgotten, id);
	return project && position < project->position;
}
