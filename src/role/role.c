#include "role/role.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/list.h"
#include "base/log.h"
#include "proto/settings.h"
#include "proto/supervisor_role.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { SUPERVISOR_FD = 3, LOCK_FD = 4, LISTENERS_MAX = 8, DIRECTORIES_MAX = 8 };

struct setting_value {
	struct list node;
	char *name;
	char *value;
	size_t size;
};

struct named_directory {
	char *name;
	int fd;
};

enum role_phase { PHASE_NEW, PHASE_CONFINED, PHASE_STARTED, PHASE_STOPPING };

struct role {
	const struct role_definition *definition;
	struct loop *loop;
	struct channel *supervisor;
	enum role_phase phase;
	void *state;
	uint16_t index;
	uint64_t generation;
	int status;
	struct list settings;
	struct named_directory directories[DIRECTORIES_MAX];
	size_t n_directories;
	struct role_listener listeners[LISTENERS_MAX];
	size_t n_listeners;
};

struct loop *role_loop(struct role *role)
{
	return role->loop;
}

uint16_t role_index(const struct role *role)
{
	return role->index;
}

uint64_t role_generation(const struct role *role)
{
	return role->generation;
}

struct text role_setting(const struct role *role, const char *name)
{
	struct setting_value *value;
	list_for_each (value, &role->settings, node)
		if (strcmp(value->name, name) == 0)
			return (struct text){value->value, value->size};
	log_error("the role was not given the setting %s", name);
	abort();
}

uint64_t role_setting_number(const struct role *role, const char *name)
{
	uint64_t number;
	const struct setting *setting = setting_find(text_of(name));
	if (!setting || setting_parse(setting, role_setting(role, name), &number))
		abort(); /* the supervisor has checked it */
	return number;
}

int role_directory(const struct role *role, const char *name)
{
	for (size_t i = 0; i < role->n_directories; i++)
		if (strcmp(role->directories[i].name, name) == 0)
			return role->directories[i].fd;
	return -1;
}

const struct role_listener *role_listeners(const struct role *role, size_t *count)
{
	*count = role->n_listeners;
	return role->listeners;
}

static void tell_supervisor(struct role *role, unsigned type, const char *detail)
{
	struct supervisor_role_ready ready = {text_of(detail)};
	channel_send(role->supervisor, type, &ready);
}

void role_ready(struct role *role, const char *detail)
{
	tell_supervisor(role, SUPERVISOR_ROLE_READY, detail);
}

void role_status(struct role *role, const char *detail)
{
	tell_supervisor(role, SUPERVISOR_ROLE_STATUS, detail);
}

void role_exit(struct role *role, int status)
{
	role->status = status;
	channel_flush(role->supervisor);
	loop_stop(role->loop);
}

/* ---- what the supervisor says, one function a message ---- */

/* A role that was not put into its own directory still needs the way there. */
static int keep_own_directory(struct role *role, struct channel_descriptors *descriptors)
{
	struct named_directory *kept = &role->directories[role->n_directories];
	kept->name = text_dup(TEXT("own"));
	if (!kept->name)
		return error_origin(-ENOMEM);
	kept->fd = descriptor_take(&descriptors->fds[0]);
	role->n_directories++;
	return 0;
}

static int on_setup(struct role *role, const void *body, struct channel_descriptors *descriptors)
{
	const struct supervisor_role_setup *setup = body;
	if (role->phase != PHASE_NEW || descriptors->count != 1)
		return error_origin(-EPROTO);
	log_open(role_names[role->definition->kind], (enum log_level)setup->log_level);
	role->index = setup->index;
	int r =
	    confine_enter(role->definition->powers, descriptors->fds[0], setup->uid, setup->gid);
	if (r < 0) {
		log_error("cannot give up powers: %s", strerror(-r));
		return error_trace(r);
	}
	/* A change of user clears it. A role must not outlive the supervisor, whose successor
	 * starts new ones. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	role->phase = PHASE_CONFINED;
	return role->definition->powers->root_stays ? keep_own_directory(role, descriptors) : 0;
}

static int on_setting(struct role *role, const void *body,
		      struct channel_descriptors *descriptors ATTR_UNUSED)
{
	const struct supervisor_role_setting *setting = body;
	struct setting_value *value = calloc(1, sizeof(*value));
	if (!value)
		return error_origin(-ENOMEM);
	value->name = text_dup(setting->name);
	value->value = text_dup(setting->value);
	value->size = setting->value.size;
	list_append(&role->settings, &value->node);
	return value->name && value->value ? 0 : error_origin(-ENOMEM);
}

static int on_directory(struct role *role, const void *body,
			struct channel_descriptors *descriptors)
{
	const struct supervisor_role_directory *directory = body;
	if (descriptors->count != 1 || role->n_directories == DIRECTORIES_MAX)
		return error_origin(-EPROTO);
	struct named_directory *kept = &role->directories[role->n_directories];
	kept->name = text_dup(directory->name);
	if (!kept->name)
		return error_origin(-ENOMEM);
	kept->fd = descriptor_take(&descriptors->fds[0]);
	role->n_directories++;
	return 0;
}

static int on_listener(struct role *role, const void *body, struct channel_descriptors *descriptors)
{
	const struct supervisor_role_listener *listener = body;
	if (descriptors->count != 1 || role->n_listeners == LISTENERS_MAX)
		return error_origin(-EPROTO);
	char *address = text_dup(listener->address);
	if (!address)
		return error_origin(-ENOMEM);
	role->listeners[role->n_listeners++] = (struct role_listener){
	    descriptor_take(&descriptors->fds[0]), text_of(address), listener->tls};
	return 0;
}

static int on_start(struct role *role, const void *body,
		    struct channel_descriptors *descriptors ATTR_UNUSED)
{
	const struct supervisor_role_start *start = body;
	if (role->phase != PHASE_CONFINED)
		return error_origin(-EPROTO);
	role->generation = start->generation;
	int r = role->definition->start(role, &role->state);
	if (r < 0) {
		log_error("cannot start: %s", strerror(-r));
		return error_trace(r);
	}
	role->phase = PHASE_STARTED;
	return 0;
}

static int on_peer(struct role *role, const void *body, struct channel_descriptors *descriptors)
{
	const struct supervisor_role_peer *peer = body;
	if (role->phase < PHASE_STARTED || descriptors->count != 1 || peer->role >= ROLE_KINDS)
		return error_origin(-EPROTO);
	return error_trace(role->definition->peer(role->state, (enum role_kind)peer->role,
						  peer->index,
						  descriptor_take(&descriptors->fds[0])));
}

static int on_stop(struct role *role, const void *body,
		   struct channel_descriptors *descriptors ATTR_UNUSED)
{
	const struct supervisor_role_stop *stop = body;
	if (role->phase < PHASE_STARTED) {
		role_exit(role, 0);
	} else if (role->phase == PHASE_STARTED) {
		role->phase = PHASE_STOPPING;
		role->definition->stop(role->state, stop->grace_ms);
	}
	return 0;
}

typedef int on_supervisor_message(struct role *, const void *, struct channel_descriptors *);

static on_supervisor_message *const handlers[SUPERVISOR_ROLE_TYPES] = {
    [SUPERVISOR_ROLE_SETUP] = on_setup,         [SUPERVISOR_ROLE_SETTING] = on_setting,
    [SUPERVISOR_ROLE_DIRECTORY] = on_directory, [SUPERVISOR_ROLE_LISTENER] = on_listener,
    [SUPERVISOR_ROLE_START] = on_start,         [SUPERVISOR_ROLE_PEER] = on_peer,
    [SUPERVISOR_ROLE_STOP] = on_stop,
};

static int supervisor_said(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
			   const void *body, struct channel_descriptors *descriptors)
{
	struct role *role = owner;
	if (!handlers[type] || (role->phase == PHASE_NEW && type != SUPERVISOR_ROLE_SETUP))
		return error_origin(-EPROTO);
	return handlers[type](role, body, descriptors);
}

static void supervisor_gone(void *owner, struct channel *channel ATTR_UNUSED, int why)
{
	struct role *role = owner;
	if (role->phase != PHASE_STOPPING)
		log_error("the channel to the supervisor closed: %s", strerror(-why));
	role->status = 1;
	loop_stop(role->loop);
}

static const struct channel_events supervisor_events = {supervisor_said, supervisor_gone, NULL};

int role_main(const struct role_definition *definition)
{
	struct role role = {.definition = definition};
	list_init(&role.settings);
	log_open(role_names[definition->kind], LOG_INFO);
	signal(SIGPIPE, SIG_IGN);
	if (fcntl(SUPERVISOR_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(LOCK_FD, F_SETFD, FD_CLOEXEC) < 0) {
		log_error("this program is started by croftd, not by hand");
		return 2;
	}
	int r = loop_new(&role.loop);
	if (r == 0)
		r = channel_new(&role.supervisor, role.loop, SUPERVISOR_FD,
				&supervisor_role_protocol, &supervisor_events, &role);
	if (r < 0)
		return 1;
	loop_run(role.loop);
	return role.status;
}

#ifdef ADDRESS_SANITIZED
/* The search for leaks at the end makes system calls that a role's filter does not allow. */
const char *__asan_default_options(void);

__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif
