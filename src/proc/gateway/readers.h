/* The gateway's readers of events: each a client's position in the log, opened by way of control
 * and served by the stream role. When a role behind them is replaced they are opened again from
 * their position, and the client sees neither gap nor repeat.
 *
 *   start -> ASKING -> READING -> closed by the owner, or `ended`
 *              ^          |
 *              |      WAITING   the stream role is gone, or could not serve just now
 *              |__________|
 *
 * What is kept for that is the request itself, encoded, with its credential: it is wiped with the
 * reader. Every asking has a number of its own, so that what an earlier one still brings cannot be
 * mistaken. */
#pragma once

#include "proc/gateway/control_link.h"
#include "proc/gateway/delivery.h"
#include "proc/gateway/reader_credit.h"

enum {
	READER_OPEN_WAIT_MS = 5000,    /* for the stream role, of one that was not open yet */
	READER_REOPEN_WAIT_MS = 30000, /* of one that was */
	READER_RETRY_MS = 500,
	READERS_BACKLOG_LIMIT =
	    24
	    << 20, /* bytes that clients have not taken, of all readers: above it memory is tight */
};

struct reader;

struct reader_events {
	void (*opened)(struct reader *reader);
	/* The owner takes what it wants and may close the reader. */
	void (*deliver)(struct reader *reader, struct delivery *delivery);
	/* Control refused the first opening; the answer is for the client. The reader is over, as
	 * after `ended`. */
	void (*refused)(struct reader *reader, const struct gateway_control_answer *answer);
	void (*ended)(struct reader *reader, enum reader_verdict verdict, struct text oldest);
	/* Bytes written for the client that it has not taken. */
	size_t (*backlog)(struct reader *reader);
};

enum reader_state { READER_IDLE, READER_ASKING, READER_READING, READER_WAITING };

struct reader {
	struct map_node node;
	struct list waiting;
	struct readers *readers;
	const struct reader_events *events;
	struct control_call call;
	uint64_t number;
	uint64_t deadline_ms;
	uint64_t retry_ms;
	enum reader_state state;
	bool was_open;
	struct reader_credit credit;
	size_t backlog;   /* as counted in readers->backlog */
	uint8_t *request; /* SECRET: struct gateway_control_request, encoded */
	size_t request_size;
	size_t position_size;
	char position[CURSOR_TEXT_LIMIT];
};

struct readers {
	struct loop *loop;
	struct control_link *control;
	struct channel *stream; /* NULL while there is none */
	struct map open;        /* by number: ASKING and READING */
	struct list waiting;
	struct loop_timer timer;
	struct loop_deferred release;
	uint64_t next_number;
	size_t count;
	size_t backlog;
	uint64_t events_delivered, bytes_delivered, reopened;
	struct arena scratch;
	struct delivery delivery;
};

void readers_init(struct readers *readers, struct loop *loop, struct control_link *control);
void readers_free(struct readers *readers);
int readers_connect(struct readers *readers,
		    int fd) ATTR_MUST_CHECK; /* a new channel to the stream role */

void readers_stop(struct readers *readers); /* the process ends: all end as READER_UNAVAILABLE */

/* `request` is copied. 0 or -errno; nothing is told before it returns. */
int reader_start(struct readers *readers, struct reader *reader, const struct reader_events *events,
		 const struct gateway_control_request *request) ATTR_MUST_CHECK;
void reader_close(struct reader *reader); /* harmless when idle */

/* The client has taken something: grants what is due. */
void reader_drained(struct reader *reader);

static inline struct text reader_position(const struct reader *reader)
{
	return (struct text){reader->position, reader->position_size};
}

/* The request that opens the reader again behind `position`: the client's own cursor and start are
 * left out. Pure; in `arena`. */
int reader_resume_request(struct gateway_control_request *request, struct text position,
			  struct arena *arena) ATTR_MUST_CHECK;
