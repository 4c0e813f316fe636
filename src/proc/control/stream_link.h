/* control's end of the channel to the stream role: events that control writes, and the readers that
 * it admits.
 *
 * An event is kept until the stream role says that it is durable and is sent again, in the order of
 * appending, on a new channel; the log tells repeats. So of two events of one operation the first
 * is never behind the second. What must outlive this process lies in the store (operation.h). */
#pragma once

#include "base/list.h"
#include "loop/loop.h"
#include "proto/control_stream.h"

struct control;
struct stream_link;

struct stream_append;
/* `refused`: it would have broken the order of its operation, and was not written. */
typedef void stream_on_appended(struct stream_append *append, bool refused);

/* Embedded in who appends; idle when zeroed or told. */
struct stream_append {
	struct list node;
	stream_on_appended *on_appended;
	struct buffer frame; /* it is kept encoded: what it points at belongs to others */
	uint64_t token;
	bool under_way;
	bool repeated;      /* told: it was in the log already */
	bool is_waited_for; /* by a client: told when there is no room, instead of sent again */
	bool no_space;      /* told: that is why it was not written */
};

int stream_link_new(struct control *control, struct stream_link **link) ATTR_MUST_CHECK;
void stream_link_free(struct stream_link *link);
int stream_link_connect(struct stream_link *link, int fd) ATTR_MUST_CHECK; /* takes it */
bool stream_link_is_up(const struct stream_link *link);

void stream_link_flush(struct stream_link *link); /* now instead of at the end of the turn */

/* The token is filled in. The end is told later, never from inside. 0 or negative. */
int stream_link_append(struct stream_link *link, const struct event_append *event,
		       struct stream_append *append) ATTR_MUST_CHECK;
void stream_append_detach(struct stream_append *append); /* it may still become durable */

/* -EPIPE while the stream role is away. */
int stream_link_open_reader(struct stream_link *link,
			    const struct control_stream_reader_open *open) ATTR_MUST_CHECK;
void stream_link_stop_readers(struct stream_link *link, struct uuid key, struct uuid project);
void stream_link_forget(struct stream_link *link, struct uuid workspace, struct uuid project);

/* The stream role's figures as it said them last, as Prometheus text. */
struct bytes stream_link_figures(const struct stream_link *link);
