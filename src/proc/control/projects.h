/* Projects: what other families of calls need to know of them. */
#pragma once

#include "proc/control/control.h"
#include "wire/codec.h"

/* The worker has removed what there was of it: its row goes, and whoever waits for the deletion is
 * answered. */
void project_torn_down(struct control *control, struct uuid project);

/* At the start: goes on with the deletions that the last process did not finish. 0 or negative. */
int projects_resume(struct control *control) ATTR_MUST_CHECK;

/* The environment of a row as pairs, in the arena. 0 or negative. */
int project_environment(const struct store_project *project, struct arena *arena,
			struct wire_list *pairs) ATTR_MUST_CHECK;
