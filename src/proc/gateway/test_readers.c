/* Readers and calls while the roles behind them come and go: control and the stream role are played
 * here, over real channels. */
#include "proc/gateway/readers.h"

#include "proc/gateway/test.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { REQUESTS_MAX = 16, TURNS = 50 };

struct asked {
	uint64_t request, reader;
	bool again;
	char cursor[CURSOR_TEXT_LIMIT + 1];
	bool has_from;
};

/* The far ends. */
struct roles {
	struct channel *control, *stream;
	struct asked asked[REQUESTS_MAX];
	size_t n_asked;
	uint64_t abandoned;
	uint64_t credit;
	uint64_t closed; /* reader that the gateway closed last */
};

struct client {
	struct reader reader;
	size_t opened, events, refused, ended;
	enum reader_verdict verdict;
	size_t backlog;
};

static struct loop *loop;
static struct control_link control;
static struct readers readers;
static struct roles roles;

static void turn(void)
{
	for (int i = 0; i < TURNS; i++)
		loop_turn(loop);
}

/* ---- the roles ---- */

static void note_request(const struct gateway_control_request *request)
{
	assert_true(roles.n_asked < REQUESTS_MAX);
	struct asked *asked = &roles.asked[roles.n_asked++];
	*asked = (struct asked){
	    .request = request->request, .reader = request->reader, .again = request->again};
	for (size_t i = 0; i < request->query.count; i++) {
		const struct wire_pair *pair = (const struct wire_pair *)request->query.items + i;
		if (text_equal(pair->name, TEXT("cursor")))
			memcpy(asked->cursor, pair->value.data, pair->value.size);
		asked->has_from |= text_equal(pair->name, TEXT("from"));
	}
}

static int control_message(void *owner, struct channel *channel, unsigned type, const void *body,
			   struct channel_descriptors *descriptors)
{
	(void)owner;
	(void)channel;
	(void)descriptors;
	if (type == GATEWAY_CONTROL_REQUEST)
		note_request(body);
	if (type == GATEWAY_CONTROL_ABANDON)
		roles.abandoned = ((const struct gateway_control_abandon *)body)->request;
	return 0;
}

static int stream_message(void *owner, struct channel *channel, unsigned type, const void *body,
			  struct channel_descriptors *descriptors)
{
	(void)owner;
	(void)channel;
	(void)descriptors;
	if (type == GATEWAY_STREAM_CREDIT)
		roles.credit += ((const struct gateway_stream_credit *)body)->bytes;
	if (type == GATEWAY_STREAM_CLOSE)
		roles.closed = ((const struct gateway_stream_close *)body)->reader;
	return 0;
}

static void role_closed(void *owner, struct channel *channel, int why)
{
	(void)owner;
	(void)channel;
	(void)why;
}

static const struct channel_events control_events = {control_message, role_closed, NULL};
static const struct channel_events stream_events = {stream_message, role_closed, NULL};

static int pair(struct channel **far, const struct protocol *protocol,
		const struct channel_events *events)
{
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(channel_new(far, loop, fds[1], protocol, events, NULL), 0);
	return fds[0];
}

static void start_control(void)
{
	int fd = pair(&roles.control, &gateway_control_protocol, &control_events);
	assert_int_equal(control_link_connect(&control, fd), 0);
	turn();
}

static void start_stream(void)
{
	int fd = pair(&roles.stream, &gateway_stream_protocol, &stream_events);
	assert_int_equal(readers_connect(&readers, fd), 0);
	turn();
}

static void stop(struct channel **role)
{
	channel_free(*role);
	*role = NULL;
	turn();
}

static void say_opened(uint64_t reader, enum reader_verdict verdict)
{
	struct gateway_stream_opened opened = {
	    .reader = reader, .verdict = (uint8_t)verdict, .oldest = TEXT("old")};
	channel_send(roles.stream, GATEWAY_STREAM_OPENED, &opened);
	turn();
}

static void say_event(uint64_t reader, const char *cursor)
{
	struct event_delivered event = {
	    .cursor = text_of(cursor), .type = EVENT_CHUNK, .utf8 = true};
	struct gateway_stream_deliver message = {.readers = {&reader, 1}, .events = {&event, 1}};
	channel_send(roles.stream, GATEWAY_STREAM_DELIVER, &message);
	turn();
}

static void answer(uint64_t request, uint16_t status)
{
	struct gateway_control_answer message = {.request = request, .status = status};
	channel_send(roles.control, GATEWAY_CONTROL_ANSWER, &message);
	turn();
}

/* ---- the client ---- */

static struct client *client_of(struct reader *reader)
{
	return container_of(reader, struct client, reader);
}

static void on_opened(struct reader *reader)
{
	client_of(reader)->opened++;
}

static void on_deliver(struct reader *reader, struct delivery *delivery)
{
	client_of(reader)->events += delivery_count(delivery);
}

static void on_refused(struct reader *reader, const struct gateway_control_answer *message)
{
	(void)message;
	client_of(reader)->refused++;
}

static void on_ended(struct reader *reader, enum reader_verdict verdict, struct text oldest)
{
	(void)oldest;
	client_of(reader)->ended++;
	client_of(reader)->verdict = verdict;
}

static size_t on_backlog(struct reader *reader)
{
	return client_of(reader)->backlog;
}

static const struct reader_events events = {on_opened, on_deliver, on_refused, on_ended,
					    on_backlog};

static void start_client(struct client *client)
{
	struct wire_pair query[] = {{TEXT("from"), TEXT("start")}, {TEXT("cursor"), TEXT("first")}};
	struct gateway_control_request request = {
	    .call = API_PROJECT_EVENTS,
	    .credential_kind = CREDENTIAL_API_KEY,
	    .credential = TEXT("croft_x_y"),
	    .query = {query, ARRAY_SIZE(query)},
	};
	*client = (struct client){0};
	assert_int_equal(reader_start(&readers, &client->reader, &events, &request), 0);
	turn();
}

static const struct asked *last(void)
{
	assert_true(roles.n_asked > 0);
	return &roles.asked[roles.n_asked - 1];
}

/* ---- tests ---- */

static int set_up(void **state)
{
	(void)state;
	roles = (struct roles){0};
	if (loop_new(&loop) < 0)
		return -1;
	control_link_init(&control, loop, NULL);
	readers_init(&readers, loop, &control);
	start_control();
	start_stream();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	readers_free(&readers);
	control_link_free(&control);
	channel_free(roles.control);
	channel_free(roles.stream);
	loop_free(loop);
	return 0;
}

static void test_open_read_close(void **state)
{
	(void)state;
	struct client client;
	start_client(&client);
	assert_string_equal(last()->cursor, "first");
	assert_false(last()->again);
	say_opened(last()->reader, READER_OPEN);
	assert_int_equal(client.opened, 1);
	assert_int_equal(roles.credit, READER_WINDOW_FIRST);
	say_event(last()->reader, "c1");
	assert_int_equal(client.events, 1);
	reader_close(&client.reader);
	turn();
	assert_int_equal(roles.closed, last()->reader);
	assert_int_equal(readers.count, 0);
}

static void test_control_refuses(void **state)
{
	(void)state;
	struct client client;
	start_client(&client);
	answer(last()->request, 404);
	assert_int_equal(client.refused, 1);
	assert_int_equal(readers.count, 0);
}

static void test_bad_cursor(void **state)
{
	(void)state;
	struct client client;
	start_client(&client);
	say_opened(last()->reader, READER_EXPIRED);
	assert_int_equal(client.ended, 1);
	assert_int_equal(client.verdict, READER_EXPIRED);
}

/* The promise: behind a new stream role the reader goes on from the last event it was given. */
static void test_stream_role_is_replaced(void **state)
{
	(void)state;
	struct client client;
	start_client(&client);
	uint64_t before = last()->reader;
	say_opened(before, READER_OPEN);
	say_event(before, "c1");
	stop(&roles.stream);
	assert_int_equal(roles.n_asked, 1);
	start_stream();
	assert_int_equal(roles.n_asked, 2);
	assert_true(last()->again);
	assert_false(last()->has_from);
	assert_string_equal(last()->cursor, "c1");
	assert_true(last()->reader != before);
	say_opened(last()->reader, READER_OPEN);
	assert_int_equal(client.opened, 1);
	say_event(before, "stale"); /* for the number of before: nobody's */
	assert_int_equal(client.events, 1);
	say_event(last()->reader, "c2");
	assert_int_equal(client.events, 2);
	assert_int_equal(client.ended, 0);
	reader_close(&client.reader);
}

/* An opened reader needs nothing of control; its death goes unnoticed. */
static void test_control_is_replaced_while_reading(void **state)
{
	(void)state;
	struct client client;
	start_client(&client);
	say_opened(last()->reader, READER_OPEN);
	stop(&roles.control);
	start_control();
	assert_int_equal(roles.n_asked, 1);
	say_event(last()->reader, "c1");
	assert_int_equal(client.events, 1);
	reader_close(&client.reader);
}

/* The order of the old control may still arrive: it is for a number that nobody has any more. */
static void test_control_is_replaced_while_asking(void **state)
{
	(void)state;
	struct client client;
	start_client(&client);
	uint64_t before = last()->reader;
	stop(&roles.control);
	start_control();
	assert_int_equal(roles.n_asked, 2);
	say_opened(before, READER_OPEN);
	assert_int_equal(client.opened, 0);
	assert_int_equal(roles.closed, before);
	say_opened(last()->reader, READER_OPEN);
	assert_int_equal(client.opened, 1);
	reader_close(&client.reader);
}

static void test_the_right_was_withdrawn_meanwhile(void **state)
{
	(void)state;
	struct client client;
	start_client(&client);
	say_opened(last()->reader, READER_OPEN);
	stop(&roles.stream);
	start_stream();
	answer(last()->request, 401);
	assert_int_equal(client.ended, 1);
	assert_int_equal(client.verdict, READER_WITHDRAWN);
	assert_int_equal(client.refused, 0);
}

static void test_a_client_that_does_not_read_gets_no_more(void **state)
{
	(void)state;
	struct client client;
	start_client(&client);
	say_opened(last()->reader, READER_OPEN);
	client.backlog = READER_WINDOW_FIRST;
	uint64_t granted = roles.credit;
	for (int i = 0; i < 300; i++)
		say_event(last()->reader, "c");
	assert_int_equal(roles.credit, granted);
	client.backlog = 0;
	reader_drained(&client.reader);
	turn();
	assert_true(roles.credit > granted);
	reader_close(&client.reader);
	assert_int_equal(readers.backlog, 0);
}

static void test_waiting_for_control_is_bounded(void **state)
{
	(void)state;
	struct client client;
	stop(&roles.control);
	start_client(&client);
	assert_int_equal(client.ended, 0);
	control_link_expire(&control, loop_now_ms(loop) + CONTROL_WAIT_MS + 1);
	assert_int_equal(client.ended, 1);
	assert_int_equal(client.verdict, READER_UNAVAILABLE);
	assert_int_equal(control.calls.count, 0);
}

static void test_a_client_that_leaves_while_asking(void **state)
{
	(void)state;
	struct client client;
	start_client(&client);
	reader_close(&client.reader);
	turn();
	assert_int_equal(roles.abandoned, last()->request);
	say_opened(last()->reader, READER_OPEN);
	assert_int_equal(roles.closed, last()->reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_open_read_close),
	    TEST(test_control_refuses),
	    TEST(test_bad_cursor),
	    TEST(test_stream_role_is_replaced),
	    TEST(test_control_is_replaced_while_reading),
	    TEST(test_control_is_replaced_while_asking),
	    TEST(test_the_right_was_withdrawn_meanwhile),
	    TEST(test_a_client_that_does_not_read_gets_no_more),
	    TEST(test_waiting_for_control_is_bounded),
	    TEST(test_a_client_that_leaves_while_asking),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
