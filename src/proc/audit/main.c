#include "base/descriptor.h"
#include "base/error.h"
#include "proc/audit/powers.h"
#include "proc/audit/service.h"
#include "role/role.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

struct audit {
	struct role *role;
	struct service *service;
	int directory;
};

static int open_service(struct audit *audit)
{
	struct audit_log *log;
	audit->directory =
	    open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* the role's own is its root */
	if (audit->directory < 0)
		return error_origin(-errno);
	int r = audit_log_open(&log, audit->directory, role_setting(audit->role, "audit.origin"));
	if (r < 0)
		return error_trace(r);
	r = service_new(&audit->service, role_loop(audit->role), log);
	if (r < 0)
		audit_log_close(log);
	return error_trace(r);
}

static int audit_start(struct role *role, void **state)
{
	struct audit *audit = calloc(1, sizeof(*audit));
	if (!audit)
		return error_origin(-ENOMEM);
	audit->role = role;
	audit->directory = -1;
	int r = open_service(audit);
	if (r < 0) {
		descriptor_close(&audit->directory);
		free(audit);
		return error_trace(r);
	}
	*state = audit;
	role_ready(role, service_state(audit->service));
	return 0;
}

static int audit_peer(void *state, enum role_kind kind, uint16_t index ATTR_UNUSED, int fd)
{
	struct audit *audit = state;
	if (kind == ROLE_CONTROL)
		return error_trace(service_connect(audit->service, fd));
	descriptor_close(&fd);
	return error_origin(-EPROTO);
}

static void audit_stop(void *state, uint32_t grace_ms ATTR_UNUSED)
{
	struct audit *audit = state;
	service_finish(audit->service);
	role_exit(audit->role, 0);
}

int main(void)
{
	static const struct role_definition definition = {
	    .kind = ROLE_AUDIT,
	    .powers = &audit_powers,
	    .start = audit_start,
	    .peer = audit_peer,
	    .stop = audit_stop,
	};
	return role_main(&definition);
}
