/* croft-gateway: see README.md. */
#include "proc/gateway/gateway.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "proc/gateway/local.h"
#include "proc/gateway/powers.h"
#include "proc/gateway/server.h"
#include "proc/gateway/socket.h"

#include <errno.h>
#include <stdlib.h>

static void on_withdraw(void *owner, struct uuid key)
{
	sockets_withdraw(owner, key);
}

static void on_metrics(void *owner, const struct gateway_control_metrics *metrics)
{
	local_take_report(owner, metrics);
}

static int configure(struct gateway *gateway)
{
	const struct role *role = gateway->role;
	if (cors_parse(role_setting(role, "cors.origins"), &gateway->cors)) {
		log_error("cors.origins names more than %d origins", CORS_ORIGINS_MAX);
		return error_origin(-EINVAL);
	}
	gateway->upload_limit = role_setting_number(role, "gateway.upload_bytes");
	address_limit_init(&gateway->addresses,
			   (uint32_t)role_setting_number(role, "rate.address"));
	return 0;
}

static int start(struct role *role, void **state)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	if (!gateway)
		return error_origin(-ENOMEM);
	gateway->role = role;
	gateway->loop = role_loop(role);
	list_init(&gateway->sockets);
	router_compile(&gateway->router);
	control_link_init(&gateway->control, gateway->loop, gateway);
	gateway->control.on_withdraw = on_withdraw;
	gateway->control.on_metrics = on_metrics;
	readers_init(&gateway->readers, gateway->loop, &gateway->control);
	int r = configure(gateway);
	if (r == 0)
		r = server_start(gateway);
	if (r < 0)
		return error_trace(r); /* the process ends with it */
	*state = gateway;
	role_ready(role, "");
	return 0;
}

static int peer(void *state, enum role_kind kind, uint16_t index, int fd)
{
	struct gateway *gateway = state;
	(void)index;
	switch (kind) {
	case ROLE_CONTROL:
		return error_trace(control_link_connect(&gateway->control, fd));
	case ROLE_STREAM:
		return error_trace(readers_connect(&gateway->readers, fd));
	default:
		descriptor_close(&fd);
		return error_origin(-EPROTO);
	}
}

static void on_stopped(void *owner)
{
	struct gateway *gateway = owner;
	loop_timer_stop(&gateway->grace);
	role_exit(gateway->role, 0);
}

static void on_grace_over(struct loop_timer *timer)
{
	on_stopped(container_of(timer, struct gateway, grace));
}

static void stop(void *state, uint32_t grace_ms)
{
	struct gateway *gateway = state;
	if (loop_timer_start(&gateway->grace, gateway->loop, grace_ms, 0, on_grace_over) < 0)
		on_stopped(gateway);
	else
		server_stop(gateway, on_stopped);
}

static const struct role_definition definition = {
    .kind = ROLE_GATEWAY,
    .powers = &gateway_powers,
    .start = start,
    .peer = peer,
    .stop = stop,
};

/* The crypto library reads its configuration when it is first used; once the process is confined it
 * could not. */
static void initialise_crypto(void)
{
	(void)digest_of((struct bytes){NULL, 0});
}

int main(void)
{
	initialise_crypto();
	return role_main(&definition);
}
