/* A real instance, with a probe in the agent's place: what it finds from inside, and what is seen
 * of it from outside. */
#include "base/descriptor.h"
#include "base/log.h"
#include "base/unit_test.h"
#include "proc/worker/launcher.h"
#include "proc/worker/uid_range.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t uid_base = UINT64_C(1) << 30;
static const char *probe;

struct place {
	char path[64];
	int directory, project;
	struct launcher *launcher;
};

static void put(char out[128], const struct place *place, const char *name)
{
	snprintf(out, 128, "%s/%s", place->path, name);
}

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char name[128];
	strcpy(place->path, "/tmp/croft-launcher-XXXXXX");
	assert_non_null(mkdtemp(place->path));
	put(name, place, "croft-agent");
	assert_int_equal(symlink(probe, name), 0);
	put(name, place, "project");
	assert_int_equal(mkdir(name, 0700), 0);
	assert_int_equal(chown(name, PROJECT_OWNER, PROJECT_OWNER), 0);
	place->project = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place->directory = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct launcher_options options = {.directory = place->directory,
						 .executables = place->path,
						 .slots = 2,
						 .uid_base = uid_base,
						 .open_files = 256};
	assert_int_equal(launcher_new(&place->launcher, &options), 0);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;
	char command[128];
	launcher_free(place->launcher);
	close(place->project);
	close(place->directory);
	snprintf(command, sizeof(command), "rm -rf %s", place->path);
	assert_int_equal(system(command), 0);
	free(place);
	return 0;
}

static pid_t start(struct place *place, unsigned slot, int *channel)
{
	const struct launch launch = {
	    .slot = slot,
	    .project = place->project,
	    .limits = {.memory_bytes = 64 << 20, .cpu_percent = 100, .pids = 32}};
	pid_t pid = launcher_start(place->launcher, &launch, channel);
	assert_true(pid > 0);
	return pid;
}

static void read_until_done(int channel, char *out, size_t size)
{
	size_t used = 0;
	while (used < size - 1 && !strstr(out, "done\n")) {
		ssize_t n = read(channel, out + used, size - 1 - used);
		assert_true(n > 0);
		used += (size_t)n;
		out[used] = '\0';
	}
}

static void end(pid_t pid, int channel)
{
	int status;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(channel);
}

static void read_link(pid_t pid, const char *name, char out[64])
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	ssize_t n = readlink(path, out, 63);
	assert_true(n > 0);
	out[n] = '\0';
}

static void assert_own_namespaces(pid_t pid, pid_t other)
{
	static const char *const names[] = {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"};
	char mine[64], theirs[64], others[64];
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		read_link(getpid(), names[i], mine);
		read_link(pid, names[i], theirs);
		read_link(other, names[i], others);
		assert_string_not_equal(mine, theirs);
		assert_string_not_equal(others, theirs);
	}
}

static void the_walls_hold_from_inside(void **state)
{
	struct place *place = *state;
	struct cgroup_usage usage;
	char found[4096] = "", file[128];
	struct stat status;
	int channel;
	pid_t pid = start(place, 0, &channel);
	read_until_done(channel, found, sizeof(found));
	assert_string_equal(found, "done\n");
	launcher_usage(place->launcher, 0, &usage);
	assert_true(usage.oom_kills > 0);
	assert_true(usage.cpu_us > 0);
	put(file, place, "project/mine");
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_uid, PROJECT_OWNER);
	end(pid, channel);
}

static uid_t user_of(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "re");
	unsigned uid = 0;
	char line[128];
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Uid: %u", &uid) == 1)
			break;
	if (file)
		fclose(file);
	return uid;
}

static void instances_share_nothing(void **state)
{
	struct place *place = *state;
	char found[4096] = "", found_too[4096] = "";
	int channel, channel_too;
	pid_t pid = start(place, 0, &channel), other = start(place, 1, &channel_too);
	read_until_done(channel, found, sizeof(found));
	read_until_done(channel_too, found_too, sizeof(found_too));
	assert_own_namespaces(pid, other);
	assert_int_equal(user_of(pid), uid_base + INSTANCE_UID);
	assert_int_equal(user_of(other), uid_base + UID_RANGE_SIZE + INSTANCE_UID);
	end(pid, channel);
	end(other, channel_too);
}

static void a_slot_is_used_again(void **state)
{
	struct place *place = *state;
	for (int i = 0; i < 2; i++) {
		char found[4096] = "";
		int channel;
		pid_t pid = start(place, 1, &channel);
		read_until_done(channel, found, sizeof(found));
		assert_string_equal(found, "done\n");
		end(pid, channel);
	}
}

static void a_place_that_was_prepared_is_used(void **state)
{
	struct place *place = *state;
	char found[4096] = "";
	int channel;
	unsigned slot;
	assert_false(launcher_is_prepared(place->launcher, &slot));
	assert_int_equal(launcher_prepare(place->launcher, 1), 0);
	assert_true(launcher_is_prepared(place->launcher, &slot));
	assert_int_equal(slot, 1);
	pid_t pid = start(place, 1, &channel);
	assert_false(launcher_is_prepared(place->launcher, &slot));
	read_until_done(channel, found, sizeof(found));
	assert_string_equal(found, "done\n");
	end(pid, channel);
}

static void a_place_elsewhere_or_gone_is_no_obstacle(void **state)
{
	struct place *place = *state;
	char found[4096] = "";
	int channel;
	unsigned slot;
	assert_int_equal(launcher_prepare(place->launcher, 1), 0);
	pid_t pid = start(place, 0, &channel);
	assert_false(launcher_is_prepared(place->launcher, &slot));
	read_until_done(channel, found, sizeof(found));
	end(pid, channel);
	assert_int_equal(launcher_prepare(place->launcher, 1), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* it waits */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_walls_hold_from_inside),
	    cmocka_unit_test(instances_share_nothing),
	    cmocka_unit_test(a_slot_is_used_again),
	    cmocka_unit_test(a_place_that_was_prepared_is_used),
	    cmocka_unit_test(a_place_elsewhere_or_gone_is_no_obstacle),
	};
	log_open("test", LOG_WARNING);
	if (geteuid() != 0) {
		puts("skipped: instances are made by root");
		return 77;
	}
	if (argc != 2)
		return 2;
	probe = realpath(argv[1], NULL);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
