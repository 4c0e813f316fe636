#include "proc/control/audit_link.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { RETRY_MS = 1000 };

/* One entry on its way. It is kept encoded: what it points at belongs to others. */
struct audit_entry {
	struct list node;
	uint64_t token;
	struct buffer frame;
	struct audit_wait *wait; /* or NULL */
};

struct audit_link {
	struct loop *loop;
	struct channel *channel; /* NULL while the audit role is away */
	struct list pending;     /* entries, in the order of their tokens */
	size_t n_pending;
	struct list waits; /* in the order of their ends */
	struct list told;  /* settled, to be told at the end of this turn */
	struct list reads;
	uint64_t last_token;
	struct loop_timer timer;
	struct loop_deferred tell;
};

static const struct wire_struct *append_struct(void)
{
	return control_audit_protocol.messages[CONTROL_AUDIT_APPEND];
}

/* ---- waits ---- */

void audit_wait_detach(struct audit_wait *wait)
{
	if (!wait->under_way)
		return;
	if (wait->entry)
		wait->entry->wait = NULL;
	wait->entry = NULL;
	wait->under_way = false;
	list_remove(&wait->node);
}

static void tell_settled(struct loop_deferred *deferred)
{
	struct audit_link *link = container_of(deferred, struct audit_link, tell);
	while (!list_is_empty(&link->told)) {
		struct audit_wait *wait = list_first(&link->told, struct audit_wait, node);
		audit_wait_detach(wait);
		wait->on_recorded(wait, wait->outcome);
	}
}

static void settle(struct audit_link *link, struct audit_wait *wait, enum audit_outcome outcome)
{
	if (wait->entry)
		wait->entry->wait = NULL;
	wait->entry = NULL;
	wait->outcome = outcome;
	list_remove(&wait->node);
	list_append(&link->told, &wait->node);
	loop_defer(&link->tell, link->loop, tell_settled);
}

/* ---- entries ---- */

static void drop_entry(struct audit_link *link, struct audit_entry *entry)
{
	assert(!entry->wait);
	list_remove(&entry->node);
	link->n_pending--;
	buffer_free(&entry->frame);
	free(entry);
}

static void send_entry(struct audit_link *link, const struct audit_entry *entry)
{
	struct arena arena ATTR_ARENA = {0};
	struct control_audit_append append;
	if (wire_decode(append_struct(), buffer_bytes(&entry->frame), &arena, &append) == 0)
		channel_send(link->channel, CONTROL_AUDIT_APPEND, &append);
}

static void send_pending(struct audit_link *link)
{
	struct audit_entry *entry;
	list_for_each (entry, &link->pending, node)
		if (link->channel)
			send_entry(link, entry);
}

static int keep_entry(struct audit_link *link, const struct control_audit_append *append,
		      struct audit_entry **out)
{
	if (link->n_pending >= AUDIT_PENDING_MAX)
		return -ENOBUFS;
	struct audit_entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		return error_origin(-ENOMEM);
	int r = wire_encode(append_struct(), append, &entry->frame);
	if (r < 0) {
		buffer_free(&entry->frame);
		free(entry);
		return error_trace(r);
	}
	entry->token = append->token;
	list_append(&link->pending, &entry->node);
	link->n_pending++;
	*out = entry;
	return 0;
}

void audit_link_append(struct audit_link *link, const struct control_audit_append *given,
		       struct audit_wait *wait)
{
	struct control_audit_append append = *given;
	struct audit_entry *entry = NULL;
	append.token = ++link->last_token;
	append.time_ms = clock_wall_ms();
	append.entry = uuid_new(append.time_ms);
	append.unhurried = !wait;
	int r = keep_entry(link, &append, &entry);
	if (wait) {
		assert(!wait->under_way && wait->on_recorded);
		wait->under_way = true;
		wait->until_ms = loop_now_ms(link->loop) + AUDIT_PATIENCE_MS;
		wait->entry = entry;
		list_append(&link->waits, &wait->node);
	}
	if (r < 0) {
		log_error("an audit entry is lost: %s pending=%zu", strerror(-r), link->n_pending);
		if (wait)
			settle(link, wait, AUDIT_UNAVAILABLE);
		return;
	}
	entry->wait = wait;
	if (link->channel)
		channel_send(link->channel, CONTROL_AUDIT_APPEND, &append);
}

static struct audit_entry *find_entry(struct audit_link *link, uint64_t token)
{
	struct audit_entry *entry;
	list_for_each (entry, &link->pending, node)
		if (entry->token == token)
			return entry;
	return NULL;
}

/* What somebody waited for and could not be written is given up: its call is refused. What only
 * records an end stays and is sent again by the timer. */
static void on_appended(struct audit_link *link, const struct control_audit_appended *appended)
{
	struct audit_entry *entry = find_entry(link, appended->token);
	if (!entry || (appended->status != 0 && !entry->wait))
		return;
	if (entry->wait)
		settle(link, entry->wait,
		       appended->status == 0 ? AUDIT_RECORDED : AUDIT_UNAVAILABLE);
	drop_entry(link, entry);
}

/* ---- reading the log ---- */

void audit_read_detach(struct audit_read *read)
{
	if (!read->under_way)
		return;
	read->under_way = false;
	list_remove(&read->node);
}

static void tell_unreadable(struct audit_read *read)
{
	audit_read_detach(read);
	if (read->on_page)
		read->on_page(read, NULL);
	else
		read->on_content(read, NULL);
}

static void begin_read(struct audit_link *link, struct audit_read *read)
{
	assert(!read->under_way && (read->on_page || read->on_content));
	read->under_way = true;
	read->token = ++link->last_token;
	/* Without a channel the timer tells it: never from inside the call. */
	read->until_ms = loop_now_ms(link->loop) + (link->channel ? AUDIT_PATIENCE_MS : 0);
	list_append(&link->reads, &read->node);
}

void audit_link_query(struct audit_link *link, const struct control_audit_query *given,
		      struct audit_read *read)
{
	struct control_audit_query query = *given;
	begin_read(link, read);
	query.token = read->token;
	if (link->channel)
		channel_send(link->channel, CONTROL_AUDIT_QUERY, &query);
}

void audit_link_read(struct audit_link *link, struct text name, struct audit_read *read)
{
	begin_read(link, read);
	struct control_audit_read message = {read->token, name};
	if (link->channel)
		channel_send(link->channel, CONTROL_AUDIT_READ, &message);
}

static struct audit_read *find_read(struct audit_link *link, uint64_t token)
{
	struct audit_read *read;
	list_for_each (read, &link->reads, node)
		if (read->token == token)
			return read;
	return NULL;
}

static int on_page(struct audit_link *link, const struct control_audit_page *page)
{
	struct audit_read *read = find_read(link, page->token);
	if (!read)
		return 0;
	if (!read->on_page)
		return error_origin(-EPROTO);
	audit_read_detach(read);
	read->on_page(read, page->status == 0 ? page : NULL);
	return 0;
}

static int on_content(struct audit_link *link, const struct control_audit_content *content)
{
	struct audit_read *read = find_read(link, content->token);
	if (!read)
		return 0;
	if (!read->on_content)
		return error_origin(-EPROTO);
	audit_read_detach(read);
	read->on_content(read, content);
	return 0;
}

/* ---- the channel ---- */

static int on_message(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body, struct channel_descriptors *descriptors ATTR_UNUSED)
{
	struct audit_link *link = owner;
	switch (type) {
	case CONTROL_AUDIT_APPENDED:
		on_appended(link, body);
		return 0;
	case CONTROL_AUDIT_PAGE:
		return on_page(link, body);
	case CONTROL_AUDIT_CONTENT:
		return on_content(link, body);
	default:
		return error_origin(-EPROTO);
	}
}

static void on_closed(void *owner, struct channel *channel, int why)
{
	struct audit_link *link = owner;
	struct audit_read *read;
	log_warning("the audit role is away: %s", strerror(-why));
	link->channel = NULL;
	channel_free(channel);
	list_for_each (read, &link->reads, node)
		read->until_ms = 0;
}

static const struct channel_events channel_events = {.on_message = on_message,
						     .on_closed = on_closed};

int audit_link_connect(struct audit_link *link, int fd)
{
	channel_free(link->channel);
	link->channel = NULL;
	int r = channel_new(&link->channel, link->loop, fd, &control_audit_protocol,
			    &channel_events, link);
	if (r < 0)
		return error_trace(r);
	send_pending(link);
	return 0;
}

/* ---- life ---- */

static void on_time(struct loop_timer *timer)
{
	struct audit_link *link = container_of(timer, struct audit_link, timer);
	uint64_t now = loop_now_ms(link->loop);
	struct audit_wait *wait;
	struct audit_read *read;
	list_for_each (wait, &link->waits, node)
		if (wait->until_ms <= now)
			settle(link, wait, AUDIT_UNAVAILABLE);
	list_for_each (read, &link->reads, node)
		if (read->until_ms <= now)
			tell_unreadable(read);
	if (link->channel && channel_backlog(link->channel) == 0)
		send_pending(link);
}

int audit_link_new(struct loop *loop, struct audit_link **out)
{
	struct audit_link *link = calloc(1, sizeof(*link));
	if (!link)
		return error_origin(-ENOMEM);
	link->loop = loop;
	list_init(&link->pending);
	list_init(&link->waits);
	list_init(&link->told);
	list_init(&link->reads);
	int r = loop_timer_start(&link->timer, loop, RETRY_MS, RETRY_MS, on_time);
	if (r < 0) {
		free(link);
		return error_trace(r);
	}
	*out = link;
	return 0;
}

void audit_link_free(struct audit_link *link)
{
	if (!link)
		return;
	assert(list_is_empty(&link->waits) && list_is_empty(&link->told) &&
	       list_is_empty(&link->reads));
	loop_timer_stop(&link->timer);
	loop_deferred_cancel(&link->tell);
	channel_free(link->channel);
	while (!list_is_empty(&link->pending))
		drop_entry(link, list_first(&link->pending, struct audit_entry, node));
	free(link);
}

bool audit_link_is_up(const struct audit_link *link)
{
	return link->channel != NULL;
}

size_t audit_link_pending(const struct audit_link *link)
{
	return link->n_pending;
}
