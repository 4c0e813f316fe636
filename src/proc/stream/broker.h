/* The stream role: takes events from control and the worker into the log, and hands them from the
 * log to gateways.
 *
 *   control, worker   APPEND -> broker_append() -> log_append()       during a turn of the loop
 *                     APPENDED <- broker_commit() <- log_commit()     at its end: one write, one
 * sync gateway           DELIVER <- broker_serve() <- readers_next()     behind that, a bounded
 * piece a turn
 *
 * Everything here runs on the loop. What a peer sends is checked by its protocol's table and then
 * here; a peer that sends what its protocol does not allow loses its channel. */
#pragma once

#include "engine/stream/operations.h"
#include "engine/stream/readers.h"
#include "loop/loop.h"
#include "port/log/log.h"
#include "proc/stream/event_cursor.h"
#include "proc/stream/figures.h"
#include "proc/stream/forgotten.h"
#include "proto/roles.h"
#include "wire/channel.h"

struct broker;

struct peer {
	struct list node;
	struct broker *broker;
	struct channel *channel;
	enum role_kind kind;
	uint16_t index;
	bool full; /* of a gateway: its channel has to empty before more is handed out */
	bool dead; /* its channel has closed; it is freed between turns */
};

/* An append that waits for the commit. */
struct waiting {
	struct peer *peer;
	uint64_t token;
	uint64_t position;
	uint8_t status; /* enum event_append_status if the commit succeeds */
};

/* A record of the batch, for the readers. */
struct gathered {
	uint64_t position;
	uint64_t subjects[LOG_SUBJECTS_MAX];
	uint8_t n_subjects;
};

struct batch {
	struct buffer waiting;  /* of struct waiting */
	struct buffer gathered; /* of struct gathered */
};

struct broker_options {
	struct loop *loop;
	struct log *log;    /* the broker's from now on */
	struct mac_key key; /* of cursors and subjects; as old as the log */
	size_t readers;     /* at once */
	struct log_retention retention;
};

struct broker {
	struct loop *loop;
	struct log *log;
	struct mac_key key;
	struct log_retention retention;
	struct list peers;
	struct operations operations;
	struct readers readers;
	struct forgotten forgotten;
	struct batch batch;
	struct list postponed; /* readers whose gateway has not been announced yet */
	size_t n_postponed;
	struct buffer record; /* an event, encoded */
	struct arena arena;   /* of one turn of readers, or one look at a record */
	struct figures figures;
	bool failing; /* the last commit that had something to write */
	struct loop_deferred work;
	struct loop_timer more;   /* work is left over for the next turn */
	struct loop_timer chores; /* retention, figures */
};

int broker_open(struct broker **broker, const struct broker_options *options) ATTR_MUST_CHECK;
void broker_close(struct broker *broker); /* commits and closes the log */

/* Takes the descriptor, also on failure. */
int broker_peer(struct broker *broker, enum role_kind kind, uint16_t index, int fd) ATTR_MUST_CHECK;

/* ---- between the files of this room ---- */

/* publish.c */
int broker_append(struct broker *broker, struct peer *peer,
		  const struct event_append *event) ATTR_MUST_CHECK;
void broker_commit(struct broker *broker);

/* Where the operation stands, what was gathered included. 0, or what the log said. */
int broker_order(struct broker *broker, struct uuid operation,
		 struct order **order) ATTR_MUST_CHECK;

/* The first position that an event about something of this identifier can have. */
uint64_t broker_since(const struct broker *broker, struct uuid made);

/* admit.c */
int broker_admit(struct broker *broker,
		 const struct control_stream_reader_open *open) ATTR_MUST_CHECK;
void broker_admit_postponed(struct broker *broker, uint16_t gateway); /* it is there now */
void broker_drop_postponed(struct broker *broker, uint64_t before_ms);
void broker_withdraw(struct broker *broker, const struct control_stream_reader_stop *stop);
int broker_forget(struct broker *broker,
		  const struct control_stream_forget *forget) ATTR_MUST_CHECK;
struct peer *broker_gateway(const struct broker *broker, uint16_t index); /* alive, or NULL */
struct event_cursor_text broker_oldest(const struct broker *broker,
				       const struct reader_filter *filter);

/* serve.c: hands out what there is, a bounded amount; true if there is more. */
bool broker_serve(struct broker *broker);

/* broker.c */
void broker_work(struct broker *broker); /* at the end of this turn: commit, then serve */
