/* Control's own parts together, between a gateway and an audit role that the test plays over real
 * channels: what is answered, and that nothing privileged happens before its entry is acknowledged.
 */
#include "base/descriptor.h"
#include "crypt/token.h"
#include "port/store/faulty.h"
#include "proc/control/audit_link.h"
#include "proc/control/gateway_link.h"
#include "proc/control/open.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { ENTRIES_MAX = 256, TURNS_MAX = 100000 };
static const char admin_key[] = "croft_admin_0123456789";

struct seen_entry {
	bool allow;
	char action[32], rule[48], state[16], workspace[32];
};

struct fixture {
	char folder[64], path[80];
	struct loop *loop;
	struct loop_timer idle;
	struct control *control;
	struct channel *gateway, *audit;
	uint64_t last_request;

	/* what the gateway has received */
	uint64_t answered;
	uint16_t status;
	struct buffer body;
	char next_header[8][2][200];
	size_t n_headers;
	size_t withdrawn;

	/* what the audit role has received */
	struct seen_entry entries[ENTRIES_MAX];
	uint64_t tokens[ENTRIES_MAX];
	size_t n_entries, n_acknowledged;
	bool acknowledges; /* at once */
};

static void nothing(struct loop_timer *timer ATTR_UNUSED)
{
}

/* ---- the roles around it ---- */

static void copy(char *out, size_t size, struct text text)
{
	snprintf(out, size, "%.*s", (int)text.size, text.data);
}

static int gateway_received(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
			    const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct fixture *fixture = owner;
	const struct gateway_control_answer *answer = body;
	fixture->withdrawn += type == GATEWAY_CONTROL_WITHDRAW;
	if (type != GATEWAY_CONTROL_ANSWER)
		return 0;
	const struct wire_pair *headers = answer->headers.items;
	fixture->answered = answer->request;
	fixture->status = answer->status;
	buffer_clear(&fixture->body);
	buffer_append(&fixture->body, answer->body.data, answer->body.size);
	buffer_append_byte(&fixture->body, '\0');
	fixture->n_headers = answer->headers.count < 8 ? answer->headers.count : 8;
	for (size_t i = 0; i < fixture->n_headers; i++) {
		copy(fixture->next_header[i][0], 200, headers[i].name);
		copy(fixture->next_header[i][1], 200, headers[i].value);
	}
	return 0;
}

static void acknowledge(struct fixture *fixture)
{
	while (fixture->n_acknowledged < fixture->n_entries) {
		size_t i = fixture->n_acknowledged++;
		struct control_audit_appended appended = {fixture->tokens[i], 0, i};
		channel_send(fixture->audit, CONTROL_AUDIT_APPENDED, &appended);
	}
}

static int audit_received(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
			  const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct fixture *fixture = owner;
	const struct control_audit_append *append = body;
	if (type != CONTROL_AUDIT_APPEND)
		return 0;
	assert_true(fixture->n_entries < ENTRIES_MAX);
	struct seen_entry *entry = &fixture->entries[fixture->n_entries];
	entry->allow = append->allow;
	copy(entry->action, sizeof(entry->action), append->action);
	copy(entry->rule, sizeof(entry->rule), append->rule);
	copy(entry->state, sizeof(entry->state), append->result_state);
	copy(entry->workspace, sizeof(entry->workspace), append->workspace);
	fixture->tokens[fixture->n_entries++] = append->token;
	if (fixture->acknowledges)
		acknowledge(fixture);
	return 0;
}

static void lost(void *owner ATTR_UNUSED, struct channel *channel ATTR_UNUSED, int why ATTR_UNUSED)
{
}

static const struct channel_events gateway_events = {.on_message = gateway_received,
						     .on_closed = lost};
static const struct channel_events audit_events = {.on_message = audit_received, .on_closed = lost};

static void connect_audit(struct fixture *fixture)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	fixture->n_entries = fixture->n_acknowledged = 0;
	assert_int_equal(channel_new(&fixture->audit, fixture->loop, pair[0],
				     &control_audit_protocol, &audit_events, fixture),
			 0);
	assert_int_equal(audit_link_connect(fixture->control->audit, pair[1]), 0);
}

static void connect_gateway(struct fixture *fixture)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(channel_new(&fixture->gateway, fixture->loop, pair[0],
				     &gateway_control_protocol, &gateway_events, fixture),
			 0);
	assert_int_equal(gateway_links_connect(fixture->control->gateways, 0, pair[1]), 0);
}

static void open_control(struct fixture *fixture, uint64_t key_per_minute)
{
	char hash[7 + DIGEST_HEX_SIZE] = "sha256:";
	struct digest_value digest = token_hash(text_of(admin_key));
	encode_hex(digest_bytes(&digest), hash + 7);
	struct control_settings settings = {
	    .database = fixture->path,
	    .limits.key_per_minute = key_per_minute,
	    .identity.admin_key_hash = text_of(hash),
	    .keep_ms = 1000,
	};
	assert_int_equal(control_open(fixture->loop, &settings, &fixture->control), 0);
	connect_audit(fixture);
	connect_gateway(fixture);
}

static void close_control(struct fixture *fixture)
{
	channel_free(fixture->gateway);
	channel_free(fixture->audit);
	control_close(fixture->control);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	strcpy(fixture->folder, "/tmp/croft-calls-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->path, sizeof(fixture->path), "%s/croft.db", fixture->folder);
	assert_int_equal(loop_new(&fixture->loop), 0);
	assert_int_equal(loop_timer_start(&fixture->idle, fixture->loop, 3600000, 0, nothing), 0);
	fixture->acknowledges = true;
	open_control(fixture, 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char path[96];
	close_control(fixture);
	loop_timer_stop(&fixture->idle);
	loop_free(fixture->loop);
	buffer_free(&fixture->body);
	snprintf(path, sizeof(path), "%s-wal", fixture->path);
	unlink(path);
	unlink(fixture->path);
	rmdir(fixture->folder);
	free(fixture);
	return 0;
}

/* ---- one request ---- */

struct ask {
	enum api_call call;
	const char *key, *id, *name, *body, *idempotency_key;
	uint8_t credential_kind; /* 0: an API key, where there is one */
	const char *target;
	bool connected;
	struct wire_pair query;
};

static void send_request(struct fixture *fixture, const struct ask *ask)
{
	struct gateway_control_request request = {
	    .request = ++fixture->last_request,
	    .call = (uint16_t)ask->call,
	    .credential = text_of(ask->key),
	    .id = text_of(ask->id),
	    .name = text_of(ask->name),
	    .target = text_of(ask->target),
	    .connected = ask->connected,
	    .request_id = TEXT("request"),
	    .address = TEXT("192.0.2.1"),
	    .user_agent = TEXT("test\xff"),
	    .body = text_bytes(text_of(ask->body)),
	    .idempotency_key = text_of(ask->idempotency_key),
	    .has_idempotency_key = ask->idempotency_key != NULL,
	};
	struct wire_pair query = ask->query;
	if (query.name.data)
		request.query = (struct wire_list){&query, 1};
	request.credential_kind = ask->credential_kind
				      ? ask->credential_kind
				      : (ask->key ? CREDENTIAL_API_KEY : CREDENTIAL_NONE);
	assert_int_equal(channel_send(fixture->gateway, GATEWAY_CONTROL_REQUEST, &request), 0);
}

static bool is_answered(const struct fixture *fixture)
{
	return fixture->answered == fixture->last_request;
}

static uint16_t answer_of(struct fixture *fixture, struct ask ask)
{
	send_request(fixture, &ask);
	for (int i = 0; i < TURNS_MAX && !is_answered(fixture); i++)
		loop_turn(fixture->loop);
	assert_true(is_answered(fixture));
	return fixture->status;
}

#define ASK(...) answer_of(fixture, (struct ask){__VA_ARGS__})

/* The value of a text member of the answer, as a NUL-terminated copy to be freed. */
static char *member(struct fixture *fixture, const char *name)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_error error;
	struct bytes json = {fixture->body.data, fixture->body.size - 1};
	assert_int_equal(document_parse(json, 1 << 20, &document, &error), 0);
	const struct document_value *value = document_member(document_root(document), name);
	assert_non_null(value);
	return text_dup(document_text(value));
}

static const char *header(const struct fixture *fixture, const char *name)
{
	for (size_t i = 0; i < fixture->n_headers; i++)
		if (strcmp(fixture->next_header[i][0], name) == 0)
			return fixture->next_header[i][1];
	return NULL;
}

static bool says(const struct fixture *fixture, const char *text)
{
	return strstr((const char *)fixture->body.data, text) != NULL;
}

static char *new_workspace(struct fixture *fixture)
{
	assert_int_equal(ASK(API_WORKSPACE_CREATE, admin_key, .body = "{\"name\":\"w\"}"), 201);
	return member(fixture, "id");
}

static char *new_key(struct fixture *fixture, const char *workspace, const char *role)
{
	char body[64];
	snprintf(body, sizeof(body), "{\"name\":\"k\",\"role\":\"%s\"}", role);
	assert_int_equal(ASK(API_KEY_CREATE, admin_key, workspace, .body = body), 201);
	return member(fixture, "secret");
}

/* ---- what is promised ---- */

static void nothing_privileged_runs_before_its_entry(void **state)
{
	struct fixture *fixture = *state;
	struct ask create = {API_WORKSPACE_CREATE, admin_key, .body = "{\"name\":\"w\"}"};
	fixture->acknowledges = false;
	send_request(fixture, &create);
	for (int i = 0; i < TURNS_MAX && fixture->n_entries == 0; i++)
		loop_turn(fixture->loop);
	assert_int_equal(fixture->n_entries, 1);
	assert_string_equal(fixture->entries[0].action, "workspace.create");
	assert_string_equal(fixture->entries[0].state, "accepted");

	struct arena arena ATTR_ARENA = {0};
	struct store_workspace *rows;
	struct store *store = fixture->control->store;
	size_t count;
	assert_int_equal(store->workspaces->list(store, (struct uuid){0}, (struct uuid){0}, 10,
						 &arena, &rows, &count),
			 0);
	assert_int_equal(count, 0);
	assert_false(is_answered(fixture));

	fixture->acknowledges = true;
	acknowledge(fixture);
	for (int i = 0; i < TURNS_MAX && !is_answered(fixture); i++)
		loop_turn(fixture->loop);
	assert_int_equal(fixture->status, 201);
	for (int i = 0; i < TURNS_MAX && fixture->n_entries < 2; i++)
		loop_turn(fixture->loop);
	assert_string_equal(fixture->entries[1].state, "completed");
	assert_true(fixture->entries[1].workspace[0] != '\0');
}

static void an_entry_survives_the_death_of_the_audit_role(void **state)
{
	struct fixture *fixture = *state;
	struct ask create = {API_WORKSPACE_CREATE, admin_key, .body = "{\"name\":\"w\"}"};
	fixture->acknowledges = false;
	send_request(fixture, &create);
	for (int i = 0; i < TURNS_MAX && fixture->n_entries == 0; i++)
		loop_turn(fixture->loop);
	channel_free(fixture->audit);
	for (int i = 0; i < TURNS_MAX && audit_link_is_up(fixture->control->audit); i++)
		loop_turn(fixture->loop);
	assert_false(audit_link_is_up(fixture->control->audit));
	fixture->acknowledges = true;
	connect_audit(fixture);
	for (int i = 0; i < TURNS_MAX && !is_answered(fixture); i++)
		loop_turn(fixture->loop);
	assert_int_equal(fixture->status, 201);
}

static void an_entry_that_cannot_be_written_refuses_the_call(void **state)
{
	struct fixture *fixture = *state;
	struct ask create = {API_WORKSPACE_CREATE, admin_key, .body = "{\"name\":\"w\"}"};
	fixture->acknowledges = false;
	send_request(fixture, &create);
	for (int i = 0; i < TURNS_MAX && fixture->n_entries == 0; i++)
		loop_turn(fixture->loop);
	struct control_audit_appended full = {fixture->tokens[0], 1, 0};
	channel_send(fixture->audit, CONTROL_AUDIT_APPENDED, &full);
	for (int i = 0; i < TURNS_MAX && !is_answered(fixture); i++)
		loop_turn(fixture->loop);
	assert_int_equal(fixture->status, 503);
	assert_true(says(fixture, "audit_unavailable"));
	fixture->acknowledges = true;
	assert_int_equal(ASK(API_WORKSPACE_LIST, admin_key), 200);
	assert_true(says(fixture, "\"items\":[]"));
}

static void tenants_do_not_see_each_other(void **state)
{
	struct fixture *fixture = *state;
	char *mine = new_workspace(fixture), *theirs = new_workspace(fixture);
	char *key = new_key(fixture, mine, "owner");
	static const enum api_call calls[] = {
	    API_WORKSPACE_GET,  API_WORKSPACE_UPDATE, API_WORKSPACE_DELETE, API_MEMBER_LIST,
	    API_KEY_LIST,       API_KEY_CREATE,       API_USAGE_GET,        API_PROJECT_LIST,
	    API_PROJECT_CREATE, API_AUDIT_LIST};
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		size_t before = fixture->n_entries;
		assert_int_equal(ASK(calls[i], key, theirs, .body = "{}"), 404);
		struct seen_entry *entry = &fixture->entries[before];
		assert_int_equal(fixture->n_entries,
				 before + 1); /* the denial, before its answer */
		assert_false(entry->allow);
		assert_string_equal(entry->rule, "deny.not_member");
		assert_string_equal(entry->workspace, theirs);
	}
	assert_int_equal(ASK(API_WORKSPACE_LIST, key), 200);
	assert_true(says(fixture, mine) && !says(fixture, theirs));
	free(mine);
	free(theirs);
	free(key);
}

static void credentials_that_are_wrong_are_all_alike(void **state)
{
	struct fixture *fixture = *state;
	char *workspace = new_workspace(fixture), *key = new_key(fixture, workspace, "viewer");
	char wrong[200];
	snprintf(wrong, sizeof(wrong), "%s", key);
	wrong[strlen(wrong) - 1] = wrong[strlen(wrong) - 1] == '0' ? '1' : '0';
	const char *const keys[] = {
	    wrong, "croft_", "croft_admin_wrong", "x",
	    "croft_00000000000000000000000000_"
	    "0000000000000000000000000000000000000000000000000000000000000000"};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		assert_int_equal(ASK(API_WHOAMI, keys[i]), 401);
		assert_true(says(fixture, "\"unauthenticated\""));
		assert_non_null(header(fixture, "www-authenticate"));
	}
	assert_int_equal(ASK(API_WHOAMI, NULL), 401);
	assert_int_equal(ASK(API_WHOAMI, "a.b.c", .credential_kind = CREDENTIAL_JWT), 401);
	assert_int_equal(ASK(API_WHOAMI, key), 200);
	free(workspace);
	free(key);
}

static void a_revoked_key_is_dead_at_once(void **state)
{
	struct fixture *fixture = *state;
	char *workspace = new_workspace(fixture), *key = new_key(fixture, workspace, "viewer");
	char id[40];
	assert_int_equal(ASK(API_WHOAMI, key), 200);
	snprintf(id, sizeof(id), "key_%.26s", key + strlen("croft_"));
	assert_int_equal(ASK(API_KEY_REVOKE, admin_key, workspace, id), 204);
	assert_int_equal(fixture->withdrawn, 1);
	assert_int_equal(ASK(API_WHOAMI, key), 401);
	assert_int_equal(ASK(API_KEY_REVOKE, admin_key, workspace, id), 404);
	free(workspace);
	free(key);
}

static void an_idempotency_key_creates_once_also_after_a_restart(void **state)
{
	struct fixture *fixture = *state;
	char *workspace = new_workspace(fixture);
	static const char body[] = "{\"name\":\"p\"}";
	assert_int_equal(
	    ASK(API_PROJECT_CREATE, admin_key, workspace, .body = body, .idempotency_key = "one"),
	    201);
	char *id = member(fixture, "id");
	close_control(fixture);
	open_control(fixture, 0);
	assert_int_equal(
	    ASK(API_PROJECT_CREATE, admin_key, workspace, .body = body, .idempotency_key = "one"),
	    201);
	char *again = member(fixture, "id");
	assert_string_equal(id, again);
	assert_string_equal(header(fixture, "idempotent-replayed"), "true");
	assert_int_equal(ASK(API_PROJECT_CREATE, admin_key, workspace, .body = "{\"name\":\"q\"}",
			     .idempotency_key = "one"),
			 422);
	assert_int_equal(
	    ASK(API_PROJECT_CREATE, admin_key, workspace, .body = body, .idempotency_key = ""),
	    400);
	char *other = new_workspace(fixture);
	assert_int_equal(
	    ASK(API_PROJECT_CREATE, admin_key, other, .body = body, .idempotency_key = "one"), 422);
	free(workspace);
	free(other);
	free(id);
	free(again);
}

static void a_key_that_is_replayed_keeps_its_secret(void **state)
{
	struct fixture *fixture = *state;
	char *workspace = new_workspace(fixture);
	static const char body[] = "{\"name\":\"k\",\"role\":\"viewer\"}";
	assert_int_equal(
	    ASK(API_KEY_CREATE, admin_key, workspace, .body = body, .idempotency_key = "k"), 201);
	assert_true(says(fixture, "\"secret\""));
	assert_int_equal(
	    ASK(API_KEY_CREATE, admin_key, workspace, .body = body, .idempotency_key = "k"), 201);
	assert_false(says(fixture, "\"secret\""));
	free(workspace);
}

static void cursors_belong_to_their_list(void **state)
{
	struct fixture *fixture = *state;
	free(new_workspace(fixture));
	free(new_workspace(fixture));
	struct wire_pair limit = {TEXT("limit"), TEXT("1")};
	assert_int_equal(ASK(API_WORKSPACE_LIST, admin_key, .query = limit), 200);
	char *cursor = member(fixture, "nextCursor");
	struct wire_pair next = {TEXT("cursor"), text_of(cursor)};
	assert_int_equal(ASK(API_WORKSPACE_LIST, admin_key, .query = next), 200);
	assert_true(says(fixture, "\"nextCursor\":null"));
	char *workspace = new_workspace(fixture);
	assert_int_equal(ASK(API_PROJECT_LIST, admin_key, workspace, .query = next), 400);
	assert_true(says(fixture, "invalid_cursor"));
	for (size_t i = 0; i < strlen(cursor); i++) {
		char kept = cursor[i];
		cursor[i] = kept == '1' ? '2' : '1';
		assert_int_equal(ASK(API_WORKSPACE_LIST, admin_key, .query = next), 400);
		cursor[i] = kept;
	}
	free(cursor);
	free(workspace);
}

static void a_ticket_is_good_once_and_for_its_path(void **state)
{
	struct fixture *fixture = *state;
	char *workspace = new_workspace(fixture), *key = new_key(fixture, workspace, "viewer");
	assert_int_equal(ASK(API_TICKET_CREATE, key, .body = "{\"path\":\"/v1/ws\"}"), 201);
	char *ticket = member(fixture, "ticket");
#define USE(call_, target_, connected_)                                                            \
	ASK(call_, ticket, .credential_kind = CREDENTIAL_TICKET, .target = target_,                \
	    .connected = connected_)
	assert_int_equal(USE(API_SOCKET, "/v1/ws2", false), 401);
	assert_int_equal(USE(API_WHOAMI, "/v1/ws", false), 401); /* takes no ticket */
	assert_int_equal(USE(API_SOCKET, "/v1/ws", true), 401);  /* nothing was opened with it */
	assert_int_equal(USE(API_SOCKET, "/v1/ws", false), 200);
	assert_int_equal(USE(API_SOCKET, "/v1/ws", false), 401);
	assert_int_equal(USE(API_WHOAMI, "/v1/ws", true), 200); /* by the socket that it opened */
	char id[40];
	snprintf(id, sizeof(id), "key_%.26s", key + strlen("croft_"));
	assert_int_equal(ASK(API_KEY_REVOKE, admin_key, workspace, id), 204);
	assert_int_equal(USE(API_WHOAMI, "/v1/ws", true), 401);
#undef USE
	free(workspace);
	free(key);
	free(ticket);
}

static void a_key_has_its_rate(void **state)
{
	struct fixture *fixture = *state;
	char *workspace = new_workspace(fixture), *key = new_key(fixture, workspace, "viewer");
	close_control(fixture);
	open_control(fixture, 3);
	assert_int_equal(ASK(API_WHOAMI, key), 200);
	assert_string_equal(header(fixture, "ratelimit-policy"), "\"key\";q=3;w=60");
	assert_int_equal(ASK(API_WHOAMI, key), 200);
	assert_int_equal(ASK(API_WHOAMI, key), 200);
	assert_int_equal(ASK(API_WHOAMI, key), 429);
	assert_true(says(fixture, "rate_limited"));
	assert_true(atoi(header(fixture, "retry-after")) > 0);
	assert_int_equal(ASK(API_WHOAMI, admin_key), 200);
	free(workspace);
	free(key);
}

/* Every call that writes, with a store that cannot: a clear problem, and afterwards nothing has
 * changed. */
static void a_store_that_fails_is_told(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		enum store_outcome outcome;
		uint16_t status;
		const char *code;
	} cases[] = {
	    {STORE_NO_SPACE, 507, "storage_full"},
	    {STORE_UNAVAILABLE, 503, "overloaded"},
	    {STORE_UNCERTAIN, 503, "control_unavailable"},
	};
	char *workspace = new_workspace(fixture);
	assert_int_equal(ASK(API_PROJECT_CREATE, admin_key, workspace, .body = "{\"name\":\"p\"}"),
			 201);
	char *project = member(fixture, "id");
	const struct ask asks[] = {
	    {API_WORKSPACE_CREATE, admin_key, .body = "{\"name\":\"w\"}"},
	    {API_WORKSPACE_UPDATE, admin_key, workspace, .body = "{\"name\":\"x\"}"},
	    {API_WORKSPACE_DELETE, admin_key, workspace},
	    {API_MEMBER_ADD, admin_key, workspace,
	     .body = "{\"subject\":\"s\",\"role\":\"viewer\"}"},
	    {API_KEY_CREATE, admin_key, workspace, .body = "{\"name\":\"k\",\"role\":\"viewer\"}"},
	    {API_PROJECT_CREATE, admin_key, workspace, .body = "{\"name\":\"q\"}"},
	    {API_PROJECT_UPDATE, admin_key, project, .body = "{\"name\":\"x\"}"},
	    {API_PROJECT_DELETE, admin_key, project},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct store_faults *faults;
		assert_int_equal(store_faults_install(fixture->control->store, fixture->loop,
						      cases[i].outcome, &faults),
				 0);
		for (size_t call = 0; call < ARRAY_SIZE(asks); call++) {
			assert_int_equal(answer_of(fixture, asks[call]), cases[i].status);
			assert_true(says(fixture, cases[i].code));
		}
		assert_int_equal(store_faults_count(faults), ARRAY_SIZE(asks));
		store_faults_remove(faults);
	}
	assert_int_equal(ASK(API_PROJECT_GET, admin_key, project), 200);
	assert_true(says(fixture, "\"name\":\"p\""));
	free(workspace);
	free(project);
}

static void a_dead_gateway_takes_its_requests_along(void **state)
{
	struct fixture *fixture = *state;
	struct ask create = {API_WORKSPACE_CREATE, admin_key, .body = "{\"name\":\"w\"}"};
	fixture->acknowledges = false;
	send_request(fixture, &create);
	for (int i = 0; i < TURNS_MAX && fixture->n_entries == 0; i++)
		loop_turn(fixture->loop);
	channel_free(fixture->gateway);
	connect_gateway(fixture);
	fixture->acknowledges = true;
	acknowledge(fixture);
	for (int i = 0; i < TURNS_MAX && !control_is_quiet(fixture->control); i++)
		loop_turn(fixture->loop);
	assert_true(control_is_quiet(fixture->control));
	assert_int_equal(ASK(API_WORKSPACE_LIST, admin_key),
			 200); /* it had been allowed: it happened */
	assert_true(says(fixture, "\"name\":\"w\""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nothing_privileged_runs_before_its_entry),
	    TEST(an_entry_survives_the_death_of_the_audit_role),
	    TEST(an_entry_that_cannot_be_written_refuses_the_call),
	    TEST(tenants_do_not_see_each_other),
	    TEST(credentials_that_are_wrong_are_all_alike),
	    TEST(a_revoked_key_is_dead_at_once),
	    TEST(an_idempotency_key_creates_once_also_after_a_restart),
	    TEST(a_key_that_is_replayed_keeps_its_secret),
	    TEST(cursors_belong_to_their_list),
	    TEST(a_ticket_is_good_once_and_for_its_path),
	    TEST(a_key_has_its_rate),
	    TEST(a_store_that_fails_is_told),
	    TEST(a_dead_gateway_takes_its_requests_along),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
