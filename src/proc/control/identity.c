#include "proc/control/identity.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "crypt/jwt.h"
#include "crypt/secret.h"
#include "crypt/token.h"
#include "proc/control/fields.h"
#include "proc/control/key_cache.h"
#include "proc/control/tickets.h"
#include "proto/control_issuer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct identities {
	struct control *control;
	struct digest_value admin_hash;
	bool has_admin;
	char *issuer;
	char *audience;
	struct jwks *keys; /* NULL until known */
	struct key_cache *cache;
	struct channel *issuer_channel;
};

static const struct text key_prefix = TEXT("croft_");

/* ---- texts ---- */

void identity_new_key(struct uuid id, char text[IDENTITY_KEY_TEXT_SIZE],
		      uint8_t hash[STORE_KEY_HASH_SIZE])
{
	char digits[BASE32_SIZE], secret[TOKEN_TEXT_SIZE];
	encode_base32(id.b, digits);
	token_new(secret);
	snprintf(text, IDENTITY_KEY_TEXT_SIZE, "croft_%.*s_%s", BASE32_SIZE, digits, secret);
	secret_wipe(secret, sizeof(secret));
	struct digest_value digest = token_hash(text_of(text));
	memcpy(hash, digest.b, STORE_KEY_HASH_SIZE);
}

int identity_parse_key(struct text text, struct uuid *id)
{
	if (text.size != IDENTITY_KEY_TEXT_SIZE - 1 || !text_starts(text, key_prefix) ||
	    text.data[key_prefix.size + BASE32_SIZE] != '_')
		return 1;
	return decode_base32(text.data + key_prefix.size, id->b);
}

/* ---- each kind of credential ---- */

static int refuse(const char **why, const char *rule)
{
	*why = rule;
	return IDENTITY_REFUSED;
}

static int name_caller(struct control_request *request, enum id_kind kind, struct uuid id)
{
	request->caller.name = arena_text(&request->arena, text_of(id_format(kind, id).data));
	return request->caller.name.data ? 0 : error_origin(-ENOMEM);
}

static int be_administrator(struct control_request *request)
{
	request->caller = (struct control_caller){
	    .kind = CALLER_ADMINISTRATOR,
	    .type = "admin",
	    .name = TEXT("admin"),
	    .role = TENANT_OWNER,
	};
	return 0;
}

static int be_key(struct control_request *request, const struct store_key *key)
{
	size_t size = key->n_projects * sizeof(*key->projects);
	struct uuid *projects = arena_alloc(&request->arena, size);
	if (!projects)
		return error_origin(-ENOMEM);
	if (size > 0)
		memcpy(projects, key->projects, size);
	request->caller = (struct control_caller){
	    .kind = CALLER_KEY,
	    .type = "key",
	    .key = key->id,
	    .ends_ms = key->expires_ms,
	    .workspace = key->workspace,
	    .role = key->role,
	    .projects = projects,
	    .n_projects = key->n_projects,
	};
	return name_caller(request, ID_KEY, key->id);
}

static int find_key(struct identities *identities, struct uuid id, const struct store_key **key,
		    const char **why)
{
	int r = key_cache_get(identities->cache, identities->control->store, id, key);
	if (r == STORE_NOT_FOUND)
		return refuse(why, "deny.key_unknown");
	if (r != 0)
		return r;
	if ((*key)->revoked_ms != 0)
		return refuse(why, "deny.key_revoked");
	if ((*key)->expires_ms != 0 && (*key)->expires_ms <= clock_wall_ms())
		return refuse(why, "deny.key_expired");
	return 0;
}

static int of_api_key(struct identities *identities, struct control_request *request,
		      const char **why)
{
	struct text credential = request->in->credential;
	struct digest_value hash = token_hash(credential), expected;
	const struct store_key *key = NULL;
	struct uuid id;
	if (identities->has_admin && digest_equal(&hash, &identities->admin_hash))
		return be_administrator(request);
	if (identity_parse_key(credential, &id))
		return refuse(why, "deny.key_malformed");
	int r = find_key(identities, id, &key, why);
	if (r == IDENTITY_REFUSED && key == NULL)
		return r;
	if (r != 0 && r != IDENTITY_REFUSED)
		return r;
	memcpy(expected.b, key->hash, sizeof(expected.b));
	if (!digest_equal(&hash, &expected))
		return refuse(why, "deny.key_wrong");
	return r == 0 ? be_key(request, key) : r;
}

/* The account of a subject; at the first sign-in the one that was invited by this e-mail. None is
 * fine: a user without rights. */
static int find_user(struct control *control, struct text subject, struct text email,
		     struct uuid *user)
{
	const struct store_people *people = control->store->people;
	int r = people->user_by_subject(control->store, subject, user);
	if (r != STORE_NOT_FOUND || email.size == 0)
		return r == STORE_NOT_FOUND ? 0 : r;
	r = people->user_invited(control->store, email, user);
	if (r == 0)
		people->user_bind(control->store, *user, subject, NULL);
	return r == STORE_NOT_FOUND ? 0 : r;
}

static int be_user(struct identities *identities, struct control_request *request,
		   struct text subject, struct text email)
{
	struct uuid user = {0};
	email = field_email(&request->arena, email);
	int r = email.data ? find_user(identities->control, subject, email, &user)
			   : error_origin(-ENOMEM);
	if (r != 0)
		return r;
	request->caller = (struct control_caller){
	    .kind = CALLER_USER,
	    .type = "user",
	    .user = user,
	    .subject = arena_text(&request->arena, subject),
	    .email = email,
	};
	if (!request->caller.subject.data || !request->caller.email.data)
		return error_origin(-ENOMEM);
	request->caller.name = request->caller.subject;
	return uuid_is_zero(user) ? 0 : name_caller(request, ID_USER, user);
}

static const char *const jwt_rules[JWT_OUTCOMES] = {
    [JWT_MALFORMED] = "deny.jwt_malformed",     [JWT_ALGORITHM_REFUSED] = "deny.jwt_algorithm",
    [JWT_KEY_UNKNOWN] = "deny.jwt_key_unknown", [JWT_SIGNATURE_WRONG] = "deny.jwt_signature",
    [JWT_ISSUER_WRONG] = "deny.jwt_issuer",     [JWT_AUDIENCE_WRONG] = "deny.jwt_audience",
    [JWT_EXPIRED] = "deny.jwt_expired",         [JWT_NOT_YET_VALID] = "deny.jwt_not_yet_valid",
};

static void ask_for_keys(struct identities *identities)
{
	struct control_issuer_refresh refresh = {0};
	if (identities->issuer_channel)
		channel_send(identities->issuer_channel, CONTROL_ISSUER_REFRESH, &refresh);
}

static int of_jwt(struct identities *identities, struct control_request *request, const char **why)
{
	struct jwt_expected expected = {text_of(identities->issuer), text_of(identities->audience)};
	struct jwt_claims claims;
	if (expected.issuer.size == 0)
		return refuse(why, "deny.jwt_not_configured");
	if (!identities->keys) {
		ask_for_keys(identities);
		return refuse(why, "deny.jwt_no_keys");
	}
	int r = jwt_verify(identities->keys, &expected, request->in->credential, clock_wall_ms(),
			   &claims);
	if (r < 0)
		return error_trace(r);
	if (r == JWT_KEY_UNKNOWN)
		ask_for_keys(identities);
	if (r != JWT_VALID)
		return refuse(why, jwt_rules[r]);
	r = be_user(identities, request, text_of(claims.subject), text_of(claims.email));
	request->caller.ends_ms = claims.expires_ms;
	return r;
}

static int of_ticket(struct identities *identities, struct control_request *request,
		     const char **why)
{
	const struct gateway_control_request *in = request->in;
	struct control *control = identities->control;
	const struct store_key *key;
	struct ticket_owner owner;
	if (!in->connected && !(api_routes[in->call].flags & API_TICKET))
		return refuse(why, "deny.ticket_call");
	if (tickets_use(control->tickets, in->credential, in->target, in->connected,
			loop_now_ms(control->loop), &owner))
		return refuse(why, "deny.ticket");
	if (owner.administrator)
		return be_administrator(request);
	if (uuid_is_zero(owner.key))
		return be_user(identities, request, owner.subject, owner.email);
	int r = find_key(identities, owner.key, &key, why);
	return r == 0 ? be_key(request, key) : r;
}

static int of_nothing(struct identities *identities ATTR_UNUSED,
		      struct control_request *request ATTR_UNUSED, const char **why ATTR_UNUSED)
{
	return 0;
}

static int (*const credential_functions[])(struct identities *identities,
					   struct control_request *request, const char **why) = {
    [CREDENTIAL_NONE] = of_nothing,
    [CREDENTIAL_API_KEY] = of_api_key,
    [CREDENTIAL_JWT] = of_jwt,
    [CREDENTIAL_TICKET] = of_ticket,
};

int identity_of(struct identities *identities, struct control_request *request, const char **why)
{
	unsigned kind = request->in->credential_kind;
	if (kind >= ARRAY_SIZE(credential_functions))
		return refuse(why, "deny.credential_kind");
	return credential_functions[kind](identities, request, why);
}

void identities_forget_key(struct identities *identities, struct uuid key)
{
	key_cache_forget(identities->cache, key);
}

void identities_forget_all(struct identities *identities)
{
	key_cache_clear(identities->cache);
}

/* ---- the issuer ---- */

void identities_set_keys(struct identities *identities, struct bytes json)
{
	struct jwks *keys;
	int r = jwks_parse(json, &keys);
	if (r != 0) {
		log_warning("what the issuer published is not a usable key set");
		return;
	}
	jwks_free(identities->keys);
	identities->keys = keys;
	log_info("the issuer has %zu usable keys", jwks_count(keys));
}

static int on_issuer_message(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
			     const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	const struct control_issuer_keys *keys = body;
	if (type != CONTROL_ISSUER_KEYS)
		return error_origin(-EPROTO);
	identities_set_keys(owner, keys->jwks);
	return 0;
}

static void on_issuer_closed(void *owner, struct channel *channel, int why ATTR_UNUSED)
{
	struct identities *identities = owner;
	identities->issuer_channel = NULL;
	channel_free(channel);
}

static const struct channel_events issuer_events = {.on_message = on_issuer_message,
						    .on_closed = on_issuer_closed};

int identities_connect_issuer(struct identities *identities, int fd)
{
	channel_free(identities->issuer_channel);
	identities->issuer_channel = NULL;
	return error_trace(channel_new(&identities->issuer_channel, identities->control->loop, fd,
				       &control_issuer_protocol, &issuer_events, identities));
}

/* ---- life ---- */

static int read_admin_hash(struct identities *identities, struct text setting)
{
	static const struct text scheme = TEXT("sha256:");
	if (setting.size == 0)
		return 0;
	struct text digits = text_skip(setting, scheme.size);
	if (!text_starts(setting, scheme) || digits.size != 2 * DIGEST_SIZE ||
	    decode_hex(digits, identities->admin_hash.b)) {
		log_error("the setting admin.key_hash is malformed");
		return error_origin(-EINVAL);
	}
	identities->has_admin = true;
	return 0;
}

int identities_new(struct control *control, const struct identity_settings *settings,
		   struct identities **out)
{
	struct identities *identities = calloc(1, sizeof(*identities));
	if (!identities)
		return error_origin(-ENOMEM);
	identities->control = control;
	identities->issuer = text_dup(settings->issuer);
	identities->audience = text_dup(settings->audience);
	int r = identities->issuer && identities->audience ? 0 : error_origin(-ENOMEM);
	if (r == 0)
		r = read_admin_hash(identities, settings->admin_key_hash);
	if (r == 0)
		r = key_cache_new(&identities->cache);
	if (r < 0) {
		identities_free(identities);
		return error_trace(r);
	}
	if (settings->jwks.size > 0)
		identities_set_keys(identities, settings->jwks);
	*out = identities;
	return 0;
}

void identities_free(struct identities *identities)
{
	if (!identities)
		return;
	channel_free(identities->issuer_channel);
	key_cache_free(identities->cache);
	jwks_free(identities->keys);
	free(identities->issuer);
	free(identities->audience);
	free(identities);
}
