/* A store whose writes fail on demand, laid over one that works: what control answers when the disk
 * is full, or when nobody can know what happened, is tested with it. Reads go through. For tests
 * alone; nothing of the roles links it. */
#pragma once

#include "port/store/store.h"

struct store_faults;

/* From now on every write of workspaces, people and projects ends with `outcome` and is not made.
 * The end is told as the contract says: later, from the loop. */
int store_faults_install(struct store *store, struct loop *loop, enum store_outcome outcome,
			 struct store_faults **faults) ATTR_MUST_CHECK;
void store_faults_remove(struct store_faults *faults); /* the store works again */
size_t store_faults_count(const struct store_faults *faults);
