#include "proto/roles.h"

#include "proto/control_audit.h"
#include "proto/control_issuer.h"
#include "proto/control_stream.h"
#include "proto/control_worker.h"
#include "proto/gateway_control.h"
#include "proto/gateway_stream.h"
#include "proto/worker_stream.h"

const char *const role_names[ROLE_KINDS] = {
    [ROLE_SUPERVISOR] = "supervisor", [ROLE_GATEWAY] = "gateway", [ROLE_CONTROL] = "control",
    [ROLE_STREAM] = "stream",         [ROLE_AUDIT] = "audit",     [ROLE_WORKER] = "worker",
    [ROLE_ISSUER] = "issuer",
};

const struct role_edge role_edges[] = {
    {ROLE_GATEWAY, ROLE_CONTROL, &gateway_control_protocol},
    {ROLE_GATEWAY, ROLE_STREAM, &gateway_stream_protocol},
    {ROLE_CONTROL, ROLE_STREAM, &control_stream_protocol},
    {ROLE_CONTROL, ROLE_AUDIT, &control_audit_protocol},
    {ROLE_CONTROL, ROLE_WORKER, &control_worker_protocol},
    {ROLE_CONTROL, ROLE_ISSUER, &control_issuer_protocol},
    {ROLE_WORKER, ROLE_STREAM, &worker_stream_protocol},
};
const size_t n_role_edges = ARRAY_SIZE(role_edges);

int role_parse(struct text name, enum role_kind *kind)
{
	for (int i = 0; i < ROLE_KINDS; i++) {
		if (text_equal(name, text_of(role_names[i]))) {
			*kind = (enum role_kind)i;
			return 0;
		}
	}
	return 1;
}
