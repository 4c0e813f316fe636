#include "base/descriptor.h"
#include "base/error.h"
#include "proc/control/audit_link.h"
#include "proc/control/gateway_link.h"
#include "proc/control/metrics.h"
#include "proc/control/open.h"
#include "proc/control/powers.h"
#include "proc/control/projects.h"
#include "proc/control/stream_link.h"
#include "proc/control/worker_link.h"
#include "role/role.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { STOP_CHECK_MS = 20 };

struct control_process {
	struct role *role;
	struct control *control;
	struct loop_timer stop;
	uint64_t stop_by_ms;
};

static struct operation_settings read_operation_settings(struct role *role)
{
	return (struct operation_settings){
	    .limits.running = (uint32_t)role_setting_number(role, "operations.running"),
	    .limits.running_per_workspace =
		(uint32_t)role_setting_number(role, "operations.per_workspace"),
	    .limits.running_per_project =
		(uint32_t)role_setting_number(role, "operations.per_project"),
	    .limits.waiting_per_workspace = (uint32_t)role_setting_number(role, "operations.queue"),
	    .timeout_ms = role_setting_number(role, "operations.timeout"),
	    .timeout_limit_ms = role_setting_number(role, "operations.timeout_limit"),
	    .memory_bytes = role_setting_number(role, "instance.memory"),
	    .cpu_percent = role_setting_number(role, "instance.cpu_percent"),
	    .pids = role_setting_number(role, "instance.pids"),
	    .output_bytes = role_setting_number(role, "output.limit"),
	};
}

static struct control_settings read_settings(struct role *role)
{
	return (struct control_settings){
	    .database = "/croft.db", /* the role's own directory is its root */
	    .limits.key_per_minute = role_setting_number(role, "rate.key"),
	    .limits.workspace_per_minute = role_setting_number(role, "rate.workspace"),
	    .identity.admin_key_hash = role_setting(role, "admin.key_hash"),
	    .identity.issuer = role_setting(role, "oidc.issuer"),
	    .identity.audience = role_setting(role, "oidc.audience"),
	    .identity.jwks = text_bytes(role_setting(role, "oidc.keys_file")),
	    .operations = read_operation_settings(role),
	    .keep_ms = role_setting_number(role, "operations.keep"),
	};
}

static int control_start(struct role *role, void **state)
{
	struct control_process *process = calloc(1, sizeof(*process));
	if (!process)
		return error_origin(-ENOMEM);
	umask(077);
	process->role = role;
	struct control_settings settings = read_settings(role);
	int r = control_open(role_loop(role), &settings, &process->control);
	if (r == 0)
		r = projects_resume(process->control);
	if (r < 0) /* the process ends: the kernel takes everything back */
		return error_trace(r);
	*state = process;
	role_ready(role, "");
	return 0;
}

static int connect_peer(struct control *control, enum role_kind kind, uint16_t index, int fd)
{
	switch (kind) {
	case ROLE_GATEWAY:
		return gateway_links_connect(control->gateways, index, fd);
	case ROLE_STREAM:
		return stream_link_connect(control->stream, fd);
	case ROLE_WORKER:
		return worker_link_connect(control->worker, fd);
	case ROLE_AUDIT:
		return audit_link_connect(control->audit, fd);
	case ROLE_ISSUER:
		return identities_connect_issuer(control->identities, fd);
	default:
		descriptor_close(&fd);
		return error_origin(-EPROTO);
	}
}

static int control_peer(void *state, enum role_kind kind, uint16_t index, int fd)
{
	struct control_process *process = state;
	int r = connect_peer(process->control, kind, index, fd);
	metrics_push(process->control->metrics);
	return error_trace(r);
}

/* What has begun is answered, what runs comes to its end, and both are recorded, as long as the
 * grace lasts. New requests are refused meanwhile; what waits for its turn is started next time. */
static void check_stopped(struct loop_timer *timer)
{
	struct control_process *process = container_of(timer, struct control_process, stop);
	struct control *control = process->control;
	if (!control_is_quiet(control) && loop_now_ms(control->loop) < process->stop_by_ms)
		return;
	loop_timer_stop(timer);
	control->store->base->flush(control->store);
	role_exit(process->role, 0);
}

static void control_stop(void *state, uint32_t grace_ms)
{
	struct control_process *process = state;
	struct loop *loop = process->control->loop;
	process->control->stopping = true;
	operations_stop(process->control->operations);
	process->stop_by_ms = loop_now_ms(loop) + grace_ms;
	metrics_push(process->control->metrics);
	if (loop_timer_start(&process->stop, loop, 0, STOP_CHECK_MS, check_stopped) < 0)
		role_exit(process->role, 0); /* every write that was told is durable */
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
