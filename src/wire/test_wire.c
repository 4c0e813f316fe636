#include "base/descriptor.h"
#include "base/unit_test.h"
#include "wire/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct sample {
	uint32_t number;
	bool flag;
	struct uuid id;
	struct text name;
	struct bytes data;
	struct wire_list pairs;
};

static const struct wire_field sample_fields[] = {
    WIRE_FIELD(struct sample, WIRE_U32, number, 0),
    WIRE_FIELD(struct sample, WIRE_BOOL, flag, 0),
    WIRE_FIELD(struct sample, WIRE_UUID, id, 0),
    WIRE_FIELD(struct sample, WIRE_TEXT, name, 16),
    WIRE_FIELD(struct sample, WIRE_BYTES, data, 1 << 20),
    WIRE_FIELD_LIST(struct sample, pairs, 3, &wire_pair_element),
};
static const struct wire_struct sample_struct = WIRE_STRUCT(sample, sample_fields);

static struct wire_pair pairs[] = {{TEXT("a"), TEXT("1")}, {TEXT("b"), TEXT("")}};

static struct sample sample_value(void)
{
	return (struct sample){.number = 0xdeadbeef,
			       .flag = true,
			       .id = {{1, 2, 3}},
			       .name = TEXT("caf\xc3\xa9"),
			       .data = {(const uint8_t *)"\0\xff\n", 3},
			       .pairs = {pairs, ARRAY_SIZE(pairs)}};
}

static void assert_same(const struct sample *a, const struct sample *b)
{
	assert_int_equal(a->number, b->number);
	assert_int_equal(a->flag, b->flag);
	assert_true(uuid_equal(a->id, b->id));
	assert_true(text_equal(a->name, b->name));
	assert_true(text_equal(bytes_text(a->data), bytes_text(b->data)));
	assert_int_equal(a->pairs.count, b->pairs.count);
	for (size_t i = 0; i < a->pairs.count; i++) {
		const struct wire_pair *x = a->pairs.items, *y = b->pairs.items;
		assert_true(text_equal(x[i].name, y[i].name) && text_equal(x[i].value, y[i].value));
	}
}

static void messages_round_trip(void **state ATTR_UNUSED)
{
	struct buffer out ATTR_BUFFER = {0};
	struct arena arena ATTR_ARENA = {0};
	struct sample value = sample_value(), back;
	assert_int_equal(wire_encode(&sample_struct, &value, &out), 0);
	assert_int_equal(wire_decode(&sample_struct, buffer_bytes(&out), &arena, &back), 0);
	assert_same(&value, &back);
}

static void every_truncation_is_refused(void **state ATTR_UNUSED)
{
	struct buffer out ATTR_BUFFER = {0};
	struct sample value = sample_value(), back = {.number = 5};
	assert_int_equal(wire_encode(&sample_struct, &value, &out), 0);
	for (size_t size = 0; size < out.size; size++) {
		struct arena arena ATTR_ARENA = {0};
		assert_int_equal(
		    wire_decode(&sample_struct, (struct bytes){out.data, size}, &arena, &back),
		    -EBADMSG);
		assert_int_equal(back.number, 5);
	}
	struct arena arena ATTR_ARENA = {0};
	buffer_append_byte(&out, 0);
	assert_int_equal(wire_decode(&sample_struct, buffer_bytes(&out), &arena, &back), -EBADMSG);
}

static void limits_hold_on_both_sides(void **state ATTR_UNUSED)
{
	struct buffer out ATTR_BUFFER = {0};
	struct sample value = sample_value();
	value.name = TEXT("seventeen bytes!!");
	assert_int_equal(wire_encode(&sample_struct, &value, &out), -EMSGSIZE);
	value.name = TEXT("nul\0inside");
	assert_int_equal(wire_encode(&sample_struct, &value, &out), -EMSGSIZE);
	value.name = TEXT("\xff");
	assert_int_equal(wire_encode(&sample_struct, &value, &out), -EMSGSIZE);
	assert_int_equal(out.size, 0);
}

enum { SAMPLE = 3 };
static const struct wire_struct *const messages[] = {[SAMPLE] = &sample_struct};
static const struct protocol protocol = {"test", 1, messages, ARRAY_SIZE(messages)};
static const struct protocol other_version = {"test", 2, messages, ARRAY_SIZE(messages)};

struct end {
	struct channel *channel;
	struct sample expected;
	size_t received;
	int why;
	int pipe;
	bool free_inside;
};

static int on_message(void *owner, struct channel *channel, unsigned type, const void *body,
		      struct channel_descriptors *descriptors)
{
	struct end *end = owner;
	const struct sample *got = body;
	assert_int_equal(type, SAMPLE);
	assert_int_equal(got->number, (uint32_t)end->received);
	end->received++;
	if (descriptors->count)
		end->pipe = descriptor_take(&descriptors->fds[0]);
	if (end->free_inside) {
		channel_free(channel);
		end->channel = NULL;
	}
	return 0;
}

static void on_closed(void *owner, struct channel *channel ATTR_UNUSED, int why)
{
	((struct end *)owner)->why = why;
}

static const struct channel_events events = {on_message, on_closed, NULL};

struct pair {
	struct loop *loop;
	int fds[2];
	struct end a, b;
};

static void open_pair(struct pair *pair, const struct protocol *second)
{
	*pair = (struct pair){.a.pipe = -1, .b.pipe = -1};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair->fds), 0);
	assert_int_equal(loop_new(&pair->loop), 0);
	assert_int_equal(
	    channel_new(&pair->a.channel, pair->loop, pair->fds[0], &protocol, &events, &pair->a),
	    0);
	if (second)
		assert_int_equal(channel_new(&pair->b.channel, pair->loop, pair->fds[1], second,
					     &events, &pair->b),
				 0);
}

static void close_pair(struct pair *pair)
{
	channel_free(pair->a.channel);
	channel_free(pair->b.channel);
	loop_free(pair->loop);
}

static void many_messages_arrive_in_order_with_descriptors(void **state ATTR_UNUSED)
{
	enum { COUNT = 2000 };
	struct pair pair;
	open_pair(&pair, &protocol);
	uint8_t *bulk = calloc(1, 20000);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct sample value = {.number = i, .data = {bulk, i % 7 ? 10 : 20000}};
		int pipe_fds[2];
		if (i == 1234) {
			assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
			assert_int_equal(write(pipe_fds[1], "hi", 2), 2);
			close(pipe_fds[1]);
			assert_int_equal(
			    channel_send_descriptors(pair.a.channel, SAMPLE, &value, pipe_fds, 1),
			    0);
		} else {
			assert_int_equal(channel_send(pair.a.channel, SAMPLE, &value), 0);
		}
	}
	while (pair.b.received < COUNT && !pair.b.why)
		loop_turn(pair.loop);
	assert_int_equal(pair.b.received, COUNT);
	char text[2];
	assert_int_equal(read(pair.b.pipe, text, 2), 2);
	close(pair.b.pipe);
	assert_int_equal(channel_backlog(pair.a.channel), 0);
	free(bulk);
	close_pair(&pair);
}

static void another_version_is_refused(void **state ATTR_UNUSED)
{
	struct pair pair;
	open_pair(&pair, &other_version);
	while (!pair.a.why && !pair.b.why)
		loop_turn(pair.loop);
	assert_int_equal(pair.a.why ? pair.a.why : pair.b.why, -EPROTO);
	close_pair(&pair);
}

static void a_bad_frame_closes_the_channel(void **state ATTR_UNUSED)
{
	static const uint8_t frames[][8] = {
	    {0, 0, 0, 0, SAMPLE, 0, 0, 0},             /* before the greeting */
	    {0xff, 0xff, 0xff, 0xff, SAMPLE, 0, 0, 0}, /* too large */
	    {0, 0, 0, 0, 99, 0, 0, 0},                 /* unknown */
	    {0, 0, 0, 0, SAMPLE, 0, 1, 0},             /* a descriptor that did not come */
	};
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		struct pair pair;
		open_pair(&pair, NULL);
		assert_int_equal(write(pair.fds[1], frames[i], 8), 8);
		while (!pair.a.why)
			loop_turn(pair.loop);
		assert_int_not_equal(pair.a.why, 0);
		assert_int_equal(pair.a.received, 0);
		close(pair.fds[1]);
		close_pair(&pair);
	}
}

static void a_channel_may_be_freed_by_its_own_message(void **state ATTR_UNUSED)
{
	struct pair pair;
	open_pair(&pair, &protocol);
	pair.b.free_inside = true;
	struct sample value = {.number = 0};
	assert_int_equal(channel_send(pair.a.channel, SAMPLE, &value), 0);
	while (!pair.a.why)
		loop_turn(pair.loop);
	assert_int_equal(pair.b.received, 1);
	close_pair(&pair);
}

static void a_paused_channel_keeps_what_came(void **state ATTR_UNUSED)
{
	struct pair pair;
	open_pair(&pair, &protocol);
	for (int i = 0; i < 20; i++)
		loop_turn(pair.loop);
	channel_pause(pair.b.channel);
	for (uint32_t i = 0; i < 100; i++) {
		struct sample value = {.number = i};
		assert_int_equal(channel_send(pair.a.channel, SAMPLE, &value), 0);
	}
	for (int i = 0; i < 20; i++)
		loop_turn(pair.loop);
	assert_int_equal(pair.b.received, 0);
	channel_resume(pair.b.channel);
	while (pair.b.received < 100)
		loop_turn(pair.loop);
	close_pair(&pair);
}

struct shared {
	struct channel_budget budget;
	struct pair *pairs;
	unsigned exceeded;
};

static void free_the_largest(struct channel_budget *budget)
{
	struct shared *shared = container_of(budget, struct shared, budget);
	struct channel **first = &shared->pairs[0].a.channel,
		       **second = &shared->pairs[1].a.channel;
	struct channel **largest =
	    channel_unfinished(*first) > channel_unfinished(*second) ? first : second;
	assert_int_equal(channel_unfinished(*first) + channel_unfinished(*second), budget->held);
	channel_free(*largest);
	*largest = NULL;
	shared->exceeded++;
}

/* Sends a part of a frame that never ends, and waits until it has been taken. */
static void send_part(struct pair *pair, const uint8_t *part, size_t size)
{
	size_t before = channel_unfinished(pair->a.channel);
	assert_int_equal(write(pair->fds[1], part, size), (ssize_t)size);
	while (pair->a.channel && channel_unfinished(pair->a.channel) < before + size)
		loop_turn(pair->loop);
}

static void halves_of_messages_are_held_up_to_a_budget(void **state ATTR_UNUSED)
{
	enum { PART = 32 << 10 };
	static uint8_t part[PART] = {0, 0, 16, 0}; /* 1 MiB is announced */
	struct pair two[2];
	struct shared shared = {{0, 4 * PART, free_the_largest}, two, 0};
	for (size_t i = 0; i < ARRAY_SIZE(two); i++) {
		open_pair(&two[i], NULL);
		channel_share(two[i].a.channel, &shared.budget);
	}
	for (int i = 0; i < 3; i++)
		send_part(&two[0], part, PART);
	send_part(&two[1], part, PART);
	assert_int_equal(shared.exceeded, 0);
	assert_int_equal(shared.budget.held, 4 * PART);
	send_part(&two[1], part, 1);
	assert_int_equal(shared.exceeded, 1);
	assert_null(two[0].a.channel); /* it held more, though the other came last */
	assert_int_equal(shared.budget.held, PART + 1);
	for (size_t i = 0; i < ARRAY_SIZE(two); i++) {
		close(two[i].fds[1]);
		close_pair(&two[i]);
	}
	assert_int_equal(shared.budget.held, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_round_trip),
	    cmocka_unit_test(every_truncation_is_refused),
	    cmocka_unit_test(limits_hold_on_both_sides),
	    cmocka_unit_test(many_messages_arrive_in_order_with_descriptors),
	    cmocka_unit_test(another_version_is_refused),
	    cmocka_unit_test(a_bad_frame_closes_the_channel),
	    cmocka_unit_test(a_channel_may_be_freed_by_its_own_message),
	    cmocka_unit_test(a_paused_channel_keeps_what_came),
	    cmocka_unit_test(halves_of_messages_are_held_up_to_a_budget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
