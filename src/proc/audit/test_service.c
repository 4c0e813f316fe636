/* The role's conversation with control, over a real channel: order, repeats, a control that is
 * replaced, a full disk. */
#include "base/descriptor.h"
#include "proc/audit/service.h"
#include "proc/audit/test_log.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { ANSWERS_MAX = 4000 };

struct control {
	struct test_log log;
	struct loop *loop;
	struct service *service;
	struct channel *channel;
	size_t n_answers;
	struct control_audit_appended answers[ANSWERS_MAX];
	size_t wanted; /* answers, pages and contents to wait for */
	size_t n_others;
	struct buffer content;
	uint64_t next;
	uint8_t status;
};

static int on_message(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct control *control = owner;
	if (type == CONTROL_AUDIT_APPENDED) {
		control->answers[control->n_answers++] =
		    *(const struct control_audit_appended *)body;
	} else if (type == CONTROL_AUDIT_PAGE) {
		const struct control_audit_page *page = body;
		control->status = page->status;
		control->next = page->next;
		buffer_append(&control->content, page->entries.data, page->entries.size);
		control->n_others++;
	} else {
		const struct control_audit_content *content = body;
		control->status = content->status;
		buffer_append(&control->content, content->content.data, content->content.size);
		control->n_others++;
	}
	if (control->n_answers + control->n_others >= control->wanted)
		loop_stop(control->loop);
	return 0;
}

static void on_closed(void *owner ATTR_UNUSED, struct channel *channel ATTR_UNUSED,
		      int why ATTR_UNUSED)
{
}

static void connect_control(struct control *control)
{
	static const struct channel_events events = {on_message, on_closed, NULL};
	int pair[2];
	channel_free(control->channel);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
			 0);
	assert_int_equal(channel_new(&control->channel, control->loop, pair[0],
				     &control_audit_protocol, &events, control),
			 0);
	assert_int_equal(service_connect(control->service, pair[1]), 0);
}

static int set_up(void **state)
{
	struct control *control = calloc(1, sizeof(*control));
	test_log_set_up(&control->log);
	assert_int_equal(loop_new(&control->loop), 0);
	assert_int_equal(service_new(&control->service, control->loop, control->log.log), 0);
	connect_control(control);
	*state = control;
	return 0;
}

static int tear_down(void **state)
{
	struct control *control = *state;
	channel_free(control->channel);
	service_free(control->service);
	control->log.log = NULL; /* the service's */
	loop_free(control->loop);
	test_log_tear_down(&control->log);
	buffer_free(&control->content);
	free(control);
	return 0;
}

static void append(struct control *control, uint64_t i)
{
	struct control_audit_append entry = test_log_entry(i);
	assert_int_equal(channel_send(control->channel, CONTROL_AUDIT_APPEND, &entry), 0);
}

static void wait_for(struct control *control, size_t messages)
{
	control->wanted = control->n_answers + control->n_others + messages;
	loop_run(control->loop);
	assert_true(control->n_answers + control->n_others >= control->wanted);
}

static void test_answers_come_in_order(void **state)
{
	struct control *control = *state;
	for (uint64_t i = 0; i < 3000; i++)
		append(control, i);
	wait_for(control, 3000);
	for (uint64_t i = 0; i < 3000; i++) {
		assert_int_equal(control->answers[i].token, i);
		assert_int_equal(control->answers[i].sequence, i);
		assert_int_equal(control->answers[i].status, 0);
	}
	assert_int_equal(control->log.log->edge.size, 3000);
}

/* Control died and its successor sends again what it never heard about. */
static void test_replaced_control(void **state)
{
	struct control *control = *state;
	for (uint64_t i = 0; i < 100; i++)
		append(control, i);
	channel_flush(control->channel);
	loop_turn(control->loop);
	connect_control(control);
	control->n_answers = 0;
	for (uint64_t i = 0; i < 110; i++)
		append(control, i);
	wait_for(control, 110);
	for (uint64_t i = 0; i < 110; i++) {
		assert_int_equal(control->answers[i].sequence, i);
		assert_int_equal(control->answers[i].status, 0);
	}
	assert_int_equal(control->log.log->edge.size, 110);
}

static void test_full_disk_passes(void **state)
{
	struct control *control = *state;
	struct rlimit kept, tight;
	signal(SIGXFSZ, SIG_IGN);
	append(control, 0);
	wait_for(control, 1);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &kept), 0);
	tight = kept;
	tight.rlim_cur = control->log.log->journal_size + 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	append(control, 1);
	append(control, 2);
	append(control, 0);
	wait_for(control, 3);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &kept), 0);
	assert_int_equal(control->answers[1].status, 1);
	assert_int_equal(control->answers[2].status, 1);
	assert_int_equal(control->answers[3].status, 0); /* it is there */
	append(control, 2);
	wait_for(control, 1);
	assert_int_equal(control->answers[4].status, 0);
	assert_int_equal(control->answers[4].sequence, 1);
}

static void test_reading(void **state)
{
	struct control *control = *state;
	struct control_audit_query query = {
	    .token = 7, .workspace = TEXT("ws_a"), .with_proof = true};
	struct control_audit_read read = {.token = 8, .name = TEXT("checkpoint")};
	struct verify_report report;
	struct checkpoint checkpoint;
	for (uint64_t i = 0; i < 30; i++)
		append(control, i);
	wait_for(control, 30);
	assert_int_equal(channel_send(control->channel, CONTROL_AUDIT_QUERY, &query), 0);
	wait_for(control, 1);
	assert_int_equal(control->status, 0);
	assert_int_equal(control->next, 0);
	assert_int_equal(verify_export(buffer_text(&control->content), &control->log.log->key,
				       (struct text){0}, &report),
			 0);
	assert_int_equal(report.outcome, VERIFY_SOUND);
	assert_int_equal(report.entries, 10);
	buffer_clear(&control->content);
	assert_int_equal(channel_send(control->channel, CONTROL_AUDIT_READ, &read), 0);
	wait_for(control, 1);
	assert_int_equal(
	    checkpoint_open(buffer_text(&control->content), &control->log.log->key, &checkpoint),
	    0);
	assert_int_equal(checkpoint.size, 30);
	read.name = TEXT("signing.key");
	assert_int_equal(channel_send(control->channel, CONTROL_AUDIT_READ, &read), 0);
	wait_for(control, 1);
	assert_int_equal(control->status, 1);
}

/* Nobody asks, and the tree is signed all the same. */
static void test_checkpoint_follows(void **state)
{
	struct control *control = *state;
	append(control, 0);
	wait_for(control, 1);
	assert_int_equal(control->log.log->signed_root.size, 0);
	struct control_audit_read read = {.name = TEXT("checkpoint")};
	while (control->log.log->signed_root.size == 0) {
		assert_int_equal(channel_send(control->channel, CONTROL_AUDIT_READ, &read), 0);
		wait_for(control, 1);
	}
	assert_int_equal(control->log.log->signed_root.size, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_answers_come_in_order, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_replaced_control, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_full_disk_passes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_reading, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_checkpoint_follows, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
