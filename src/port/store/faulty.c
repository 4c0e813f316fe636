#include "port/store/faulty.h"

#include "base/error.h"
#include "port/store/people.h"
#include "port/store/projects.h"
#include "port/store/workspaces.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* The working store's tables with the writes exchanged. Reads stay its own functions and meet their
 * own struct. */
struct store_faults {
	struct store *store;
	struct loop *loop;
	enum store_outcome outcome;
	size_t count;
	struct list writes;
	struct loop_deferred tell;
	struct store_workspaces workspaces;
	struct store_people people;
	struct store_projects projects;
	const struct store_workspaces *inner_workspaces;
	const struct store_people *inner_people;
	const struct store_projects *inner_projects;
};

/* The tables lie in the struct, so the one that a store points at leads to it. */
static struct store_faults *faults_of(struct store *store)
{
	return container_of(store->workspaces, struct store_faults, workspaces);
}

static void tell_writes(struct loop_deferred *deferred)
{
	struct store_faults *faults = container_of(deferred, struct store_faults, tell);
	while (!list_is_empty(&faults->writes)) {
		struct store_write *write = list_first(&faults->writes, struct store_write, node);
		enum store_outcome outcome = write->outcome;
		store_write_detach(write);
		write->on_written(write, outcome);
	}
}

static void fail(struct store *store, struct store_write *write)
{
	struct store_faults *faults = faults_of(store);
	faults->count++;
	if (!write)
		return;
	assert(!write->under_way && write->on_written);
	write->under_way = true;
	write->outcome = faults->outcome;
	list_append(&faults->writes, &write->node);
	loop_defer(&faults->tell, faults->loop, tell_writes);
}

static void workspace_insert(struct store *store, const struct store_workspace *row ATTR_UNUSED,
			     const struct store_replay *replay ATTR_UNUSED,
			     struct store_write *write)
{
	fail(store, write);
}

static void workspace_update(struct store *store, const struct store_workspace *row ATTR_UNUSED,
			     struct store_write *write)
{
	fail(store, write);
}

static void remove_by_id(struct store *store, struct uuid id ATTR_UNUSED, struct store_write *write)
{
	fail(store, write);
}

static void usage_add(struct store *store, struct uuid id ATTR_UNUSED,
		      const struct store_usage *more ATTR_UNUSED, struct store_write *write)
{
	fail(store, write);
}

static void replay_expire(struct store *store, int64_t before_ms ATTR_UNUSED,
			  struct store_write *write)
{
	fail(store, write);
}

static void user_bind(struct store *store, struct uuid user ATTR_UNUSED,
		      struct text subject ATTR_UNUSED, struct store_write *write)
{
	fail(store, write);
}

static void member_insert(struct store *store, const struct store_member *row ATTR_UNUSED,
			  const struct store_replay *replay ATTR_UNUSED, struct store_write *write)
{
	fail(store, write);
}

static void member_update(struct store *store, struct uuid workspace ATTR_UNUSED,
			  struct uuid user ATTR_UNUSED, enum tenant_role role ATTR_UNUSED,
			  struct store_write *write)
{
	fail(store, write);
}

static void member_remove(struct store *store, struct uuid workspace ATTR_UNUSED,
			  struct uuid user ATTR_UNUSED, struct store_write *write)
{
	fail(store, write);
}

static void key_insert(struct store *store, const struct store_key *row ATTR_UNUSED,
		       const struct store_replay *replay ATTR_UNUSED, struct store_write *write)
{
	fail(store, write);
}

static void key_revoke(struct store *store, struct uuid workspace ATTR_UNUSED,
		       struct uuid id ATTR_UNUSED, int64_t now_ms ATTR_UNUSED,
		       struct store_write *write)
{
	fail(store, write);
}

static void project_insert(struct store *store, const struct store_project *row ATTR_UNUSED,
			   const struct store_replay *replay ATTR_UNUSED, struct store_write *write)
{
	fail(store, write);
}

static void project_update(struct store *store, const struct store_project *row ATTR_UNUSED,
			   struct store_write *write)
{
	fail(store, write);
}

static void project_retire(struct store *store, struct uuid id ATTR_UNUSED,
			   int64_t now_ms ATTR_UNUSED, struct store_write *write)
{
	fail(store, write);
}

static void exchange_writes(struct store_faults *faults)
{
	faults->workspaces.insert = workspace_insert;
	faults->workspaces.update = workspace_update;
	faults->workspaces.remove = remove_by_id;
	faults->workspaces.usage_add = usage_add;
	faults->workspaces.replay_expire = replay_expire;
	faults->people.user_bind = user_bind;
	faults->people.member_insert = member_insert;
	faults->people.member_update = member_update;
	faults->people.member_remove = member_remove;
	faults->people.key_insert = key_insert;
	faults->people.key_revoke = key_revoke;
	faults->projects.insert = project_insert;
	faults->projects.update = project_update;
	faults->projects.retire = project_retire;
	faults->projects.remove = remove_by_id;
}

int store_faults_install(struct store *store, struct loop *loop, enum store_outcome outcome,
			 struct store_faults **out)
{
	struct store_faults *faults = calloc(1, sizeof(*faults));
	if (!faults)
		return error_origin(-ENOMEM);
	*faults = (struct store_faults){
	    .store = store,
	    .loop = loop,
	    .outcome = outcome,
	    .workspaces = *store->workspaces,
	    .people = *store->people,
	    .projects = *store->projects,
	    .inner_workspaces = store->workspaces,
	    .inner_people = store->people,
	    .inner_projects = store->projects,
	};
	list_init(&faults->writes);
	exchange_writes(faults);
	store->workspaces = &faults->workspaces;
	store->people = &faults->people;
	store->projects = &faults->projects;
	*out = faults;
	return 0;
}

void store_faults_remove(struct store_faults *faults)
{
	loop_deferred_cancel(&faults->tell);
	tell_writes(&faults->tell);
	faults->store->workspaces = faults->inner_workspaces;
	faults->store->people = faults->inner_people;
	faults->store->projects = faults->inner_projects;
	free(faults);
}

size_t store_faults_count(const struct store_faults *faults)
{
	return faults->count;
}
