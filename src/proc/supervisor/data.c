#include "data.h"

#include "base/descriptor.h"
#include "base/encode.h"
#include "base/error.h"
#include "base/log.h"
#include "crypt/token.h"
#include "ownership.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	UNPRIVILEGED_FIRST = 64300, /* of the users that roles get where install has made none */
	LOCK_WAIT_MS = 5000,        /* what an earlier croftd's processes may take to be gone */
	ADMIN_KEY_LIMIT = 256,
};

/* Installed systems have a user for each role; from a build folder a fixed range does. The worker
 * stays root. */
static struct data_user user_of(enum role_kind role)
{
	char name[32];
	if (role == ROLE_WORKER || role == ROLE_SUPERVISOR)
		return (struct data_user){0, 0};
	snprintf(name, sizeof(name), "croft-%s", role_names[role]);
	struct passwd *user = getpwnam(name);
	if (user)
		return (struct data_user){user->pw_uid, user->pw_gid};
	return (struct data_user){UNPRIVILEGED_FIRST + role, UNPRIVILEGED_FIRST + role};
}

static int make_directory(int parent, const char *name, mode_t mode, struct data_user owner,
			  int *out)
{
	if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
		return error_origin(-errno);
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_origin(-errno);
	int r = ownership_take(fd, owner.uid, owner.gid);
	if (r == 0 && fchmod(fd, mode) < 0)
		r = error_origin(-errno);
	if (r < 0) {
		close(fd);
		return error_trace(r);
	}
	*out = fd;
	return 0;
}

static int make_role_directories(struct data *data)
{
	for (int role = ROLE_SUPERVISOR + 1; role < ROLE_KINDS; role++) {
		data->users[role] = user_of((enum role_kind)role);
		int r = make_directory(data->directory, role_names[role], 0700, data->users[role],
				       &data->role_directories[role]);
		if (r < 0)
			return error_trace(r);
	}
	return 0;
}

static void say_who_holds(int lock, const char *path)
{
	char pid[32] = "";
	ssize_t n = pread(lock, pid, sizeof(pid) - 1, 0);
	pid[n > 0 ? n : 0] = '\0';
	fprintf(stderr, "croftd: %s is in use by another croftd (process %s)\n", path,
		*pid ? pid : "unknown");
}

/* The processes of a croftd that was killed may take a moment to be gone; one that lives is told at
 * once by its pid. */
static int take_lock(int lock)
{
	char pid[32] = "";
	ssize_t n = pread(lock, pid, sizeof(pid) - 1, 0);
	long holder = n > 0 ? strtol(pid, NULL, 10) : 0;
	for (int waited = 0;; waited += 50) {
		if (flock(lock, LOCK_EX | LOCK_NB) == 0)
			return 0;
		bool lives = holder > 0 && kill((pid_t)holder, 0) == 0;
		if (errno == EWOULDBLOCK && lives)
			return -EWOULDBLOCK;
		if (waited >= LOCK_WAIT_MS)
			return -EWOULDBLOCK;
		usleep(50 * 1000);
	}
}

static int lock_data(struct data *data, const char *path)
{
	data->lock =
	    openat(data->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (data->lock < 0)
		return error_origin(-errno);
	if (take_lock(data->lock) < 0) {
		say_who_holds(data->lock, path);
		return -EWOULDBLOCK;
	}
	char pid[32];
	int size = snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (ftruncate(data->lock, 0) < 0 || pwrite(data->lock, pid, (size_t)size, 0) != size)
		return error_origin(-errno);
	return 0;
}

static int make_admin_key(struct data *data)
{
	char token[TOKEN_TEXT_SIZE], key[ADMIN_KEY_LIMIT];
	token_new(token);
	int size = snprintf(key, sizeof(key), "croft_admin_%s\n", token);
	int r = file_replace(data->directory, "admin.key",
			     (struct bytes){(uint8_t *)key, (size_t)size}, 0600);
	explicit_bzero(token, sizeof(token));
	explicit_bzero(key, sizeof(key));
	return error_trace(r);
}

/* Control is given the hash alone, so that the key stands in no process but a client's. */
static int hash_admin_key(struct data *data)
{
	char key[ADMIN_KEY_LIMIT];
	int fd ATTR_DESCRIPTOR =
	    openat(data->directory, "admin.key", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, key, sizeof(key));
	if (n < 0)
		return error_origin(-errno);
	while (n > 0 && (key[n - 1] == '\n' || key[n - 1] == ' '))
		n--;
	struct digest_value hash = token_hash((struct text){key, (size_t)n});
	memcpy(data->admin_key_hash, "sha256:", 7);
	encode_hex(digest_bytes(&hash), data->admin_key_hash + 7);
	explicit_bzero(key, sizeof(key));
	return 0;
}

static int open_admin_key(struct data *data)
{
	int r = hash_admin_key(data);
	if (r == -ENOENT) {
		r = make_admin_key(data);
		if (r == 0)
			r = hash_admin_key(data);
	}
	return error_trace(r);
}

int data_open(struct data *data, const char *path)
{
	*data = (struct data){.directory = -1, .lock = -1};
	if (mkdir(path, 0711) < 0 && errno != EEXIST) {
		int r = -errno;
		fprintf(stderr, "croftd: cannot make %s: %s\n", path, strerror(errno));
		return r;
	}
	data->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = data->directory < 0 ? -errno : lock_data(data, path);
	if (r == -EWOULDBLOCK)
		return r;
	if (r == 0)
		r = make_role_directories(data);
	if (r == 0)
		r = open_admin_key(data);
	if (r < 0)
		fprintf(stderr, "croftd: cannot use %s: %s\n", path, strerror(-r));
	return r;
}
