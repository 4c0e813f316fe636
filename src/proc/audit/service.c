#include "proc/audit/service.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "proc/audit/query.h"

#include <errno.h>
#include <stdlib.h>

/* An answer that waits for the commit, so that answers keep the order of the entries. */
struct answer {
	uint64_t token;
	uint64_t seq;
	uint8_t status;
	bool staged; /* its status is the commit's */
};

enum { ANSWERS_MAX = 1024 };

struct service {
	struct loop *loop;
	struct audit_log *log;
	struct channel *control;
	struct loop_deferred commit;
	struct loop_timer linger; /* of entries that nobody waits for */
	struct loop_timer checkpoint;
	struct loop_timer walk;
	uint64_t signed_at;
	size_t n_answers;
	struct answer answers[ANSWERS_MAX];
};

static void schedule_checkpoint(struct service *service);

static void on_checkpoint_time(struct loop_timer *timer)
{
	struct service *service = container_of(timer, struct service, checkpoint);
	service->signed_at = loop_now_ms(service->loop);
	if (audit_log_checkpoint(service->log) == AUDIT_LOG_NO_SPACE)
		schedule_checkpoint(service);
}

static void schedule_checkpoint(struct service *service)
{
	uint64_t now = loop_now_ms(service->loop), delay = SERVICE_CHECKPOINT_DELAY_MS;
	if (loop_timer_is_running(&service->checkpoint) ||
	    service->log->signed_root.size == service->log->edge.size)
		return;
	uint64_t earliest = service->signed_at + SERVICE_CHECKPOINT_INTERVAL_MS;
	if (service->signed_at > 0 && earliest > now + delay)
		delay = earliest - now;
	if (loop_timer_start(&service->checkpoint, service->loop, delay, 0, on_checkpoint_time) < 0)
		log_warning("no timer for the checkpoint of the audit log");
}

static void on_walk_time(struct loop_timer *timer)
{
	struct service *service = container_of(timer, struct service, walk);
	if (audit_log_walk(service->log) != 0)
		loop_timer_stop(&service->walk);
}

static void send_answers(struct service *service, int outcome)
{
	for (size_t i = 0; i < service->n_answers; i++) {
		const struct answer *answer = &service->answers[i];
		struct control_audit_appended appended = {
		    .token = answer->token, .status = answer->status, .sequence = answer->seq};
		if (answer->staged)
			appended.status = (uint8_t)outcome;
		if (service->control)
			channel_send(service->control, CONTROL_AUDIT_APPENDED, &appended);
	}
	service->n_answers = 0;
}

static void commit(struct service *service)
{
	loop_timer_stop(&service->linger);
	int outcome = audit_log_commit(service->log);
	send_answers(service, outcome);
	schedule_checkpoint(service);
}

static void on_linger_time(struct loop_timer *timer)
{
	commit(container_of(timer, struct service, linger));
}

static void on_turn_end(struct loop_deferred *deferred)
{
	commit(container_of(deferred, struct service, commit));
}

/* It shares its sync with the next entry that somebody waits for. */
static int linger(struct service *service)
{
	if (loop_timer_is_running(&service->linger))
		return 0;
	return loop_timer_start(&service->linger, service->loop, SERVICE_LINGER_MS, 0,
				on_linger_time);
}

static int on_append(struct service *service, const void *body)
{
	const struct control_audit_append *append = body;
	struct answer answer = {.token = append->token};
	int r = audit_log_stage(service->log, append, &answer.seq);
	if (r == AUDIT_LOG_REPEATED)
		answer.staged = answer.seq >= service->log->edge.size;
	else if (r == 0)
		answer.staged = true;
	else
		answer.status = (uint8_t)r;
	service->answers[service->n_answers++] = answer;
	if (service->n_answers == ANSWERS_MAX || audit_log_is_full(service->log))
		commit(service);
	else if (!append->unhurried || linger(service) < 0)
		loop_defer(&service->commit, service->loop, on_turn_end);
	return 0;
}

static int on_query(struct service *service, const void *body)
{
	const struct control_audit_query *query = body;
	struct buffer lines ATTR_BUFFER = {.limit = CHANNEL_FRAME_LIMIT - 256};
	struct control_audit_page page = {.token = query->token};
	page.status = (uint8_t)audit_query(service->log, query, &lines, &page.next);
	if (page.status == 0)
		page.entries = buffer_bytes(&lines);
	return channel_send(service->control, CONTROL_AUDIT_PAGE, &page);
}

static int on_read(struct service *service, const void *body)
{
	const struct control_audit_read *read = body;
	struct buffer file ATTR_BUFFER = {.limit = CHANNEL_FRAME_LIMIT - 256};
	struct control_audit_content content = {.token = read->token};
	content.status = audit_log_read(service->log, read->name, &file) == 0 ? 0 : 1;
	if (content.status == 0)
		content.content = buffer_bytes(&file);
	return channel_send(service->control, CONTROL_AUDIT_CONTENT, &content);
}

static int on_message(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	static int (*const handlers[CONTROL_AUDIT_TYPES])(struct service *, const void *) = {
	    [CONTROL_AUDIT_APPEND] = on_append,
	    [CONTROL_AUDIT_QUERY] = on_query,
	    [CONTROL_AUDIT_READ] = on_read,
	};
	if (!handlers[type])
		return error_origin(-EPROTO);
	return handlers[type](owner, body);
}

/* What was staged for a control that has died is kept: it will ask again, and be told that it is
 * there. */
static void disconnect(struct service *service)
{
	channel_free(service->control);
	service->control = NULL;
	service->n_answers = 0;
}

static void on_closed(void *owner, struct channel *channel ATTR_UNUSED, int why)
{
	log_info("control is gone: %s", strerror(-why));
	disconnect(owner);
}

int service_connect(struct service *service, int fd)
{
	static const struct channel_events events = {on_message, on_closed, NULL};
	disconnect(service);
	return error_trace(channel_new(&service->control, service->loop, fd,
				       &control_audit_protocol, &events, service));
}

int service_new(struct service **service, struct loop *loop, struct audit_log *log)
{
	struct service *made = calloc(1, sizeof(*made));
	if (!made)
		return error_origin(-ENOMEM);
	made->loop = loop;
	made->log = log;
	int r = loop_timer_start(&made->walk, loop, SERVICE_WALK_MS, SERVICE_WALK_MS, on_walk_time);
	if (r < 0) {
		free(made);
		return error_trace(r);
	}
	*service = made;
	return 0;
}

void service_finish(struct service *service)
{
	commit(service);
	if (audit_log_checkpoint(service->log))
		log_warning("the newest audit entries are durable, but not signed yet");
	if (service->control)
		channel_flush(service->control);
}

void service_free(struct service *service)
{
	disconnect(service);
	loop_deferred_cancel(&service->commit);
	loop_timer_stop(&service->linger);
	loop_timer_stop(&service->checkpoint);
	loop_timer_stop(&service->walk);
	audit_log_close(service->log);
	free(service);
}

const char *service_state(const struct service *service)
{
	return service->log->broken ? service->log->reason : "";
}
