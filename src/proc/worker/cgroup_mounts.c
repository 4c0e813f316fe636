#include "proc/worker/cgroup_mounts.h"

static const char *const names[CGROUP_CONTROLLERS] = {
    [CGROUP_MEMORY] = "memory",
    [CGROUP_CPU] = "cpu",
    [CGROUP_CPUACCT] = "cpuacct",
    [CGROUP_PIDS] = "pids",
};

static void note_v1(struct cgroup_mounts *mounts, struct text point, struct text options)
{
	struct text option;
	while (options.data) {
		text_split(&options, ',', &option);
		for (int i = 0; i < CGROUP_CONTROLLERS; i++)
			if (text_equal(option, text_of(names[i])) && !mounts->v1[i].data)
				mounts->v1[i] = point;
	}
}

/* "36 35 98:0 / /point rw,noatime master:1 - type source options", the optional fields before the
 * dash in any number. */
static void note_line(struct cgroup_mounts *mounts, struct text line)
{
	struct text field, point = {NULL, 0}, type, source;
	for (int i = 0; i <= 4; i++) {
		text_split(&line, ' ', &field);
		point = field;
	}
	do
		text_split(&line, ' ', &field);
	while (line.data && !text_equal(field, TEXT("-")));
	text_split(&line, ' ', &type);
	text_split(&line, ' ', &source);
	if (text_equal(type, TEXT("cgroup2")) && !mounts->unified.data)
		mounts->unified = point;
	else if (text_equal(type, TEXT("cgroup")))
		note_v1(mounts, point, line);
}

void cgroup_mounts_find(struct text table, struct cgroup_mounts *mounts)
{
	struct text line;
	*mounts = (struct cgroup_mounts){0};
	while (table.data) {
		text_split(&table, '\n', &line);
		note_line(mounts, line);
	}
}

bool cgroup_mounts_are_v1(const struct cgroup_mounts *mounts)
{
	for (int i = 0; i < CGROUP_CONTROLLERS; i++)
		if (!mounts->v1[i].data)
			return false;
	return true;
}
