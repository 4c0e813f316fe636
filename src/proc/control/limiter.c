#include "proc/control/limiter.h"

#include "base/error.h"
#include "base/map.h"
#include "tenant/bucket.h"

#include <errno.h>
#include <stdlib.h>

enum { LIMITER_TENANTS_MAX = 4096 };

struct limiter_tenant {
	struct map_node node;
	struct list recent;
	struct uuid id;
	struct bucket bucket;
};

struct limiter {
	struct limiter_limits limits;
	struct map tenants;
	struct list recent; /* the one used last stands first */
	struct bucket denials;
};

static struct bytes key_of(const struct uuid *id)
{
	return (struct bytes){id->b, sizeof(id->b)};
}

static void forget(struct limiter *limiter, struct limiter_tenant *tenant)
{
	map_remove(&limiter->tenants, &tenant->node);
	list_remove(&tenant->recent);
	free(tenant);
}

static struct limiter_tenant *tenant_new(struct limiter *limiter, const struct uuid *id)
{
	if (limiter->tenants.count >= LIMITER_TENANTS_MAX)
		forget(limiter,
		       container_of(limiter->recent.previous, struct limiter_tenant, recent));
	struct limiter_tenant *tenant = calloc(1, sizeof(*tenant));
	if (!tenant)
		return NULL;
	tenant->id = *id;
	if (map_insert(&limiter->tenants, &tenant->node, key_of(&tenant->id)) != 0) {
		free(tenant);
		return NULL;
	}
	list_prepend(&limiter->recent, &tenant->recent);
	return tenant;
}

static struct limiter_tenant *tenant_of(struct limiter *limiter, const struct uuid *id)
{
	struct limiter_tenant *tenant =
	    map_object(&limiter->tenants, key_of(id), struct limiter_tenant, node);
	if (!tenant)
		return tenant_new(limiter, id);
	list_remove(&tenant->recent);
	list_prepend(&limiter->recent, &tenant->recent);
	return tenant;
}

static uint64_t seconds(uint64_t ms)
{
	return (ms + 999) / 1000;
}

/* Takes one; `state` becomes this bucket's where it has less left than what stands there. Without
 * memory nobody is limited. */
static bool take(struct limiter *limiter, const struct uuid *id, uint64_t quota, const char *policy,
		 uint64_t now_ms, struct limiter_state *state)
{
	struct limiter_tenant *tenant;
	if (quota == 0 || uuid_is_zero(*id) || !(tenant = tenant_of(limiter, id)))
		return true;
	bool admitted = bucket_take(&tenant->bucket, quota, now_ms);
	uint64_t left = bucket_left(&tenant->bucket, quota);
	if (!state->policy || !admitted || left < state->left) {
		*state = (struct limiter_state){
		    .policy = policy,
		    .quota = quota,
		    .left = left,
		    .reset_s = seconds(bucket_full_ms(&tenant->bucket, quota)),
		    .retry_s = seconds(bucket_next_ms(&tenant->bucket, quota)),
		};
	}
	return admitted;
}

bool limiter_admit(struct limiter *limiter, struct uuid subject, struct uuid workspace,
		   uint64_t now_ms, struct limiter_state *state)
{
	*state = (struct limiter_state){0};
	return take(limiter, &subject, limiter->limits.key_per_minute, "key", now_ms, state) &&
	       take(limiter, &workspace, limiter->limits.workspace_per_minute, "workspace", now_ms,
		    state);
}

bool limiter_admit_denial(struct limiter *limiter, uint64_t now_ms)
{
	return bucket_take(&limiter->denials, LIMITER_DENIALS_PER_MINUTE, now_ms);
}

int limiter_new(struct limiter_limits limits, struct limiter **out)
{
	struct limiter *limiter = calloc(1, sizeof(*limiter));
	if (!limiter)
		return error_origin(-ENOMEM);
	if (limits.key_per_minute > BUCKET_PER_MINUTE_MAX)
		limits.key_per_minute = 0;
	if (limits.workspace_per_minute > BUCKET_PER_MINUTE_MAX)
		limits.workspace_per_minute = 0;
	limiter->limits = limits;
	list_init(&limiter->recent);
	*out = limiter;
	return 0;
}

void limiter_free(struct limiter *limiter)
{
	if (!limiter)
		return;
	while (!list_is_empty(&limiter->recent))
		forget(limiter, list_first(&limiter->recent, struct limiter_tenant, recent));
	map_free(&limiter->tenants);
	free(limiter);
}
