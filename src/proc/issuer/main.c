#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "proc/issuer/issuer.h"
#include "proc/issuer/powers.h"
#include "proc/issuer/url.h"
#include "role/role.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

struct state {
	struct role *role;
	struct issuer *issuer;
};

static int issuer_start(struct role *role, void **out)
{
	struct state *state = calloc(1, sizeof(*state));
	char *url =
	    text_dup(role_setting(role, "oidc.keys_url")); /* lives as long as the process */
	struct fetch_target target = {url, role_setting(role, "oidc.ca")};
	int r = state && url && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;
	if (r == 0 && !url_is_allowed(url)) {
		log_error("oidc.keys_url must be https, or http on the loopback, without a user");
		r = -EINVAL;
	}
	if (r == 0)
		r = issuer_new(&state->issuer, role_loop(role), &target);
	if (r < 0) {
		free(state);
		free(url);
		return error_origin(r);
	}
	state->role = role;
	*out = state;
	role_ready(role, "");
	return 0;
}

static int issuer_peer(void *owner, enum role_kind kind, uint16_t index ATTR_UNUSED, int fd)
{
	struct state *state = owner;
	if (kind == ROLE_CONTROL)
		return error_trace(issuer_connect(state->issuer, fd));
	descriptor_close(&fd);
	return error_origin(-EPROTO);
}

static void issuer_stop(void *owner, uint32_t grace_ms ATTR_UNUSED)
{
	struct state *state = owner;
	role_exit(state->role, 0);
}

int main(void)
{
	static const struct role_definition definition = {
	    .kind = ROLE_ISSUER,
	    .powers = &issuer_powers,
	    .start = issuer_start,
	    .peer = issuer_peer,
	    .stop = issuer_stop,
	};
	return role_main(&definition);
}
