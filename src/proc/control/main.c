#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "proc/control/audit_link.h"
#include "proc/control/control.h"
#include "proc/control/gateway_link.h"
#include "proc/control/identity.h"
#include "proc/control/limiter.h"
#include "proc/control/metrics.h"
#include "proc/control/page.h"
#include "proc/control/powers.h"
#include "proc/control/projects.h"
#include "proc/control/tickets.h"

#include <errno.h>
#include <stdlib.h>

static const char database[] = "/croft.db"; /* the role's own directory is its root */

static int open_identities(struct control *control)
{
	struct role *role = control->role;
	struct identity_settings settings = {
	    .admin_key_hash = role_setting(role, "admin.key_hash"),
	    .issuer = role_setting(role, "oidc.issuer"),
	    .audience = role_setting(role, "oidc.audience"),
	    .jwks = text_bytes(role_setting(role, "oidc.keys_file")),
	};
	return error_trace(identities_new(control, &settings, &control->identities));
}

static int open_limiter(struct control *control)
{
	struct limiter_limits limits = {
	    .key_per_minute = role_setting_number(control->role, "rate.key"),
	    .workspace_per_minute = role_setting_number(control->role, "rate.workspace"),
	};
	return error_trace(limiter_new(limits, &control->limiter));
}

/* The parts in the order in which they need each other. */
static int open_parts(struct control *control)
{
	int r = store_sqlite_open(database, control->loop, &control->store);
	if (r == 0)
		r = cursor_key_load(control->store, &control->cursors);
	if (r == 0)
		r = audit_link_new(control->loop, &control->audit);
	if (r == 0)
		r = gateway_links_new(control, &control->gateways);
	if (r == 0)
		r = tickets_new(&control->tickets);
	if (r == 0)
		r = open_limiter(control);
	if (r == 0)
		r = open_identities(control);
	if (r == 0)
		r = metrics_new(control, &control->metrics);
	return error_trace(r);
}

static int control_start(struct role *role, void **state)
{
	struct control *control = calloc(1, sizeof(*control));
	if (!control)
		return error_origin(-ENOMEM);
	control->role = role;
	control->loop = role_loop(role);
	int r = open_parts(control);
	if (r == 0)
		r = projects_resume(control);
	if (r < 0) /* the process ends: the kernel takes everything back */
		return error_trace(r);
	*state = control;
	role_ready(role, "");
	return 0;
}

static int control_peer(void *state, enum role_kind kind, uint16_t index, int fd)
{
	struct control *control = state;
	int r;
	switch (kind) {
	case ROLE_GATEWAY:
		r = gateway_links_connect(control->gateways, index, fd);
		break;
	case ROLE_AUDIT:
		r = audit_link_connect(control->audit, fd);
		break;
	case ROLE_ISSUER:
		r = identities_connect_issuer(control->identities, fd);
		break;
	default:
		descriptor_close(&fd);
		return error_origin(-EPROTO);
	}
	metrics_push(control->metrics);
	return error_trace(r);
}

static void control_stop(void *state, uint32_t grace_ms ATTR_UNUSED)
{
	struct control *control = state;
	control->stopping = true;
	metrics_push(control->metrics);
	control->store->base->close(control->store);
	control->store = NULL;
	role_exit(control->role, 0);
}

int main(void)
{
	static const struct role_definition definition = {
	    .kind = ROLE_CONTROL,
	    .powers = &control_powers,
	    .start = control_start,
	    .peer = control_peer,
	    .stop = control_stop,
	};
	return role_main(&definition);
}
