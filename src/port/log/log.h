/* The event log: a contract, and implementations beside it. Lives in the stream role, which owns
 * the log alone.
 *
 * A log is a dense sequence of records. Each has a position (from 0, in the order of appending), a
 * tag, and up to LOG_SUBJECTS_MAX subjects: numbers under which it is found again without a scan of
 * what others wrote. The log does not look into a record's data.
 *
 * Appending gathers; log_commit() makes all that was gathered durable at once (group commit), and
 * only then is it part of the log: it can be found and read, and its positions are never given to
 * anything else. After an outcome other than 0 nothing of the batch is in the log, and what was
 * gathered is dropped; the producers keep it until it is acknowledged.
 *
 * One thread. Views that log_read() hands out are valid until the next call on the same log. */
#pragma once

#include "base/text.h"

enum {
	LOG_SUBJECTS_MAX = 4,
	LOG_TAG_MAX = 15,
	LOG_DATA_LIMIT = 4 << 20, /* of one record */
	LOG_BATCH_LIMIT =
	    4 << 20, /* gathered bytes, after which the caller has to commit before it goes on */
};

enum log_outcome {
	LOG_NO_SPACE = 1, /* there is no room; nothing was written; later there may be */
	LOG_UNCERTAIN,    /* writing failed: the batch is not in the log, but a restart may bring it
			     back */
	LOG_CORRUPT, /* damaged: the record, or one that may have belonged to what was asked for */
	LOG_GONE,    /* before what is kept, or not in the log */
};

struct log_append {
	int64_t time_ms; /* never decides an order; retention goes by it */
	uint8_t tag;
	uint8_t n_subjects;
	uint64_t subjects[LOG_SUBJECTS_MAX];
	struct bytes data;
};

/* Where a record lies. To be handed to log_read(); only `position` and `tag` mean something to
 * others. */
struct log_place {
	uint64_t position;
	uint32_t segment;
	uint32_t offset;
	uint8_t tag;
};

struct log_record {
	uint64_t position;
	int64_t time_ms;
	uint8_t tag;
	struct bytes data;
};

struct log_query {
	uint64_t subject;
	uint64_t from; /* first position that counts */
	size_t max;    /* places wanted at most */
};

struct log_found {
	size_t count;
	uint64_t lost; /* the first damaged position in the range that was searched; LOG_NONE_LOST
			  without one */
};

#define LOG_NONE_LOST UINT64_MAX

struct log_bounds {
	uint64_t first; /* oldest position kept */
	uint64_t end;   /* the next position that will be given */
	uint64_t bytes; /* on disk */
};

struct log_retention {
	uint64_t bytes;  /* 0: no limit */
	uint64_t age_ms; /* 0: no limit */
};

struct log {
	const struct log_class *class;
};

struct log_class {
	const char *name;
	int (*append)(struct log *log, const struct log_append *append, uint64_t *position);
	size_t (*gathered)(const struct log *log);
	int (*commit)(struct log *log);
	int (*find)(struct log *log, const struct log_query *query, struct log_place *places,
		    struct log_found *found);
	int (*find_last)(struct log *log, uint64_t subject, uint64_t from, struct log_place *place);
	int (*read)(struct log *log, const struct log_place *place, struct log_record *record);
	uint64_t (*since)(const struct log *log, int64_t time_ms);
	void (*bounds)(const struct log *log, struct log_bounds *bounds);
	int (*expire)(struct log *log, const struct log_retention *retention, int64_t now_ms);
	void (*close)(struct log *log);
};

/* 0 and the position that it gets if the commit succeeds; -EMSGSIZE, -ENOMEM. */
static inline int log_append(struct log *log, const struct log_append *append, uint64_t *position)
{
	return log->class->append(log, append, position);
}

/* Bytes that wait for log_commit(). */
static inline size_t log_gathered(const struct log *log)
{
	return log->class->gathered(log);
}

/* 0, LOG_NO_SPACE, LOG_UNCERTAIN; -ENOMEM. */
static inline int log_commit(struct log *log)
{
	return log->class->commit(log);
}

/* The first `max` records with the subject, in order; fewer only where the log ends there. Two
 * subjects are told apart by nothing but their 64 bits: who needs certainty compares the record's
 * data. Where a record was lost to damage nobody knows its subject: `lost` tells, and the caller
 * decides what that means for the places behind it. LOG_GONE if `from` lies before what is kept. */
static inline int log_find(struct log *log, const struct log_query *query, struct log_place *places,
			   struct log_found *found)
{
	return log->class->find(log, query, places, found);
}

/* The newest record with the subject at `from` or behind it; LOG_GONE if there is none. */
static inline int log_find_last(struct log *log, uint64_t subject, uint64_t from,
				struct log_place *place)
{
	return log->class->find_last(log, subject, from, place);
}

/* 0; LOG_CORRUPT, LOG_GONE; negative where the disk fails. */
static inline int log_read(struct log *log, const struct log_place *place,
			   struct log_record *record)
{
	return log->class->read(log, place, record);
}

/* A position before which there is nothing that was appended at `time_ms` or later. */
static inline uint64_t log_since(const struct log *log, int64_t time_ms)
{
	return log->class->since(log, time_ms);
}

static inline void log_bounds(const struct log *log, struct log_bounds *bounds)
{
	log->class->bounds(log, bounds);
}

/* Drops the oldest records that are beyond the retention, in pieces of the implementation's choice.
 */
static inline int log_expire(struct log *log, const struct log_retention *retention, int64_t now_ms)
{
	return log->class->expire(log, retention, now_ms);
}

/* What was gathered and not committed is dropped. NULL is fine. */
static inline void log_close(struct log *log)
{
	if (log)
		log->class->close(log);
}
