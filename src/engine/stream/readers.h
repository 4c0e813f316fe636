/* Who reads what, and whose turn it is. Decides; knows no log and does no I/O.
 *
 * A reader is a position in the log, a filter and a credit: what it costs does not depend on how
 * far behind it is. Readers with the same filter share a feed. In its feed a reader stands in one
 * of three places:
 *
 *   ready   something may lie behind its position, or it was not yet told that nothing does; it has
 * credit parked  the same, but it has no credit, or its gateway takes no more at present tail
 * nothing lies behind its position, and it knows
 *
 *     open -> ready <-> parked      readers_published() brings those at the tail to the new record,
 * all to the same position |  ^ v  | tail
 *
 * A turn serves all ready readers of one feed that stand at the same position: their records are
 * read once. Feeds take turns in a circle, so that one that replays a long past delays the others
 * by one turn each time, no more.
 *
 * The owner must not close readers or drop gateways between readers_next() and the end of that
 * turn. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "engine/stream/event_record.h"
#include "proto/gateway_stream.h"

enum { READERS_TURN_MAX = 4096, READERS_SUBJECTS_MAX = 4 };

/* What a feed carries. Texts are compared, so that no collision of subjects shows an event to the
 * wrong reader. */
struct reader_filter {
	uint64_t subject;
	uint8_t scope;  /* enum reader_scope */
	uint32_t types; /* bits 1 << event_type; 0: all */
	struct uuid workspace;
	struct uuid project;
	struct uuid operation;
	size_t name_size;
	char name[CORRELATION_LIMIT];
};

bool reader_filter_matches(const struct reader_filter *filter, const struct event_record *record);

struct reader;
struct reader_feed;

struct reader_name {
	uint16_t gateway;
	uint64_t number;
};

struct reader_request {
	struct reader_name name;
	const struct reader_filter *filter;
	uint64_t position; /* the first that it wants */
	struct uuid key;   /* zero: none */
	bool blocked;      /* its gateway takes no more at present */
};

struct readers {
	struct map by_name;
	struct map subjects;
	struct list ready; /* feeds with ready readers, next first */
	struct reader *turn[READERS_TURN_MAX];
	size_t limit;
};

void readers_init(struct readers *readers, size_t limit);
void readers_free(struct readers *readers);
size_t readers_count(const struct readers *readers);

enum readers_outcome { READERS_TOO_MANY = 1, READERS_EXISTS };

int readers_open(struct readers *readers,
		 const struct reader_request *request) ATTR_MUST_CHECK; /* -ENOMEM */
void readers_close(struct readers *readers, struct reader_name name); /* nothing if there is none */
void readers_credit(struct readers *readers, struct reader_name name, uint32_t bytes);
void readers_drop_gateway(struct readers *readers, uint16_t gateway);

/* A gateway takes no more at present, or again. */
void readers_block(struct readers *readers, uint16_t gateway, bool blocked);

/* Calls `found` for each reader of the key, or (with a zero key) of the project, and closes it. */
typedef void readers_on_withdrawn(void *owner, struct reader_name name);
void readers_withdraw(struct readers *readers, struct uuid key, struct uuid project,
		      readers_on_withdrawn *found, void *owner);

/* A record is durable. In the order of positions. */
void readers_published(struct readers *readers, const uint64_t *subjects, size_t n_subjects,
		       uint64_t position);

struct readers_turn {
	const struct reader_filter *filter;
	uint64_t position; /* where its readers stand */
	int64_t credit;    /* of the one that has least; above 0 */
	size_t count;
};

/* False if nobody can be served. Each turn is ended by one of the two functions behind. */
bool readers_next(struct readers *readers, struct readers_turn *turn);

struct reader_name readers_turn_name(const struct readers *readers, size_t i);

struct readers_progress {
	uint64_t position; /* the next that they want */
	uint64_t cost;     /* of what they were handed */
	bool at_end;       /* nothing that matches lies behind */
};
void readers_advance(struct readers *readers, const struct readers_turn *turn,
		     const struct readers_progress *progress);
void readers_end(struct readers *readers, const struct readers_turn *turn); /* closes them all */
