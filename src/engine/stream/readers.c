#include "engine/stream/readers.h"

#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum reader_place { PLACE_READY, PLACE_PARKED, PLACE_TAIL, PLACES };

/* The feeds of one subject: more than one only where the wanted types differ. */
struct subject {
	struct map_node node;
	uint64_t number;
	struct list feeds;
};

struct reader_feed {
	struct list by_subject;
	struct list by_turn; /* in readers->ready while it has ready readers */
	struct subject *subject;
	struct reader_filter filter;
	struct list places[PLACES];
};

struct reader {
	struct map_node node;
	struct list place;
	struct reader_feed *feed;
	struct reader_name name;
	uint8_t key_bytes[sizeof(uint16_t) + sizeof(uint64_t)];
	struct uuid key;
	uint64_t position;
	int64_t credit;
	bool blocked;
	bool at_tail;
};

/* ---- filters ---- */

static bool same_name(const struct reader_filter *filter, struct text name)
{
	return text_equal((struct text){filter->name, filter->name_size}, name);
}

static bool in_scope(const struct reader_filter *filter, const struct event_record *record)
{
	switch (filter->scope) {
	case READER_OPERATION:
		return uuid_equal(filter->operation, record->operation);
	case READER_CORRELATION:
		return same_name(filter, record->correlation);
	case READER_PROJECT:
		return true;
	case READER_NAMED_STREAM:
		return same_name(filter, record->stream_name);
	default:
		return false;
	}
}

bool reader_filter_matches(const struct reader_filter *filter, const struct event_record *record)
{
	if (filter->types && !(filter->types & 1u << record->type))
		return false;
	if (!uuid_equal(filter->workspace, record->workspace))
		return false;
	if (filter->scope != READER_CORRELATION && !uuid_equal(filter->project, record->project))
		return false;
	return in_scope(filter, record);
}

static bool same_filter(const struct reader_filter *a, const struct reader_filter *b)
{
	return a->subject == b->subject && a->scope == b->scope && a->types == b->types &&
	       uuid_equal(a->workspace, b->workspace) && uuid_equal(a->project, b->project) &&
	       uuid_equal(a->operation, b->operation) &&
	       same_name(a, (struct text){b->name, b->name_size});
}

/* ---- feeds ---- */

static struct bytes subject_key(const uint64_t *number)
{
	return (struct bytes){(const uint8_t *)number, sizeof(*number)};
}

static struct subject *find_subject(const struct readers *readers, uint64_t number)
{
	return map_object(&readers->subjects, subject_key(&number), struct subject, node);
}

static struct subject *take_subject(struct readers *readers, uint64_t number)
{
	struct subject *subject = find_subject(readers, number);
	if (subject)
		return subject;
	subject = calloc(1, sizeof(*subject));
	if (!subject)
		return NULL;
	subject->number = number;
	list_init(&subject->feeds);
	if (map_insert(&readers->subjects, &subject->node, subject_key(&subject->number)) != 0) {
		free(subject);
		return NULL;
	}
	return subject;
}

static void drop_subject_if_empty(struct readers *readers, struct subject *subject)
{
	if (!list_is_empty(&subject->feeds))
		return;
	map_remove(&readers->subjects, &subject->node);
	free(subject);
}

static struct reader_feed *feed_new(struct subject *subject, const struct reader_filter *filter)
{
	struct reader_feed *feed = calloc(1, sizeof(*feed));
	if (!feed)
		return NULL;
	feed->subject = subject;
	feed->filter = *filter;
	list_init(&feed->by_turn);
	for (int i = 0; i < PLACES; i++)
		list_init(&feed->places[i]);
	list_append(&subject->feeds, &feed->by_subject);
	return feed;
}

static struct reader_feed *take_feed(struct readers *readers, const struct reader_filter *filter)
{
	struct subject *subject = take_subject(readers, filter->subject);
	struct reader_feed *feed;
	if (!subject)
		return NULL;
	list_for_each (feed, &subject->feeds, by_subject)
		if (same_filter(&feed->filter, filter))
			return feed;
	feed = feed_new(subject, filter);
	if (!feed)
		drop_subject_if_empty(readers, subject);
	return feed;
}

static void drop_feed_if_empty(struct readers *readers, struct reader_feed *feed)
{
	for (int i = 0; i < PLACES; i++)
		if (!list_is_empty(&feed->places[i]))
			return;
	struct subject *subject = feed->subject;
	list_remove(&feed->by_turn);
	list_remove(&feed->by_subject);
	free(feed);
	drop_subject_if_empty(readers, subject);
}

/* ---- places ---- */

static enum reader_place place_of(const struct reader *reader)
{
	if (reader->at_tail)
		return PLACE_TAIL;
	return reader->credit > 0 && !reader->blocked ? PLACE_READY : PLACE_PARKED;
}

static void put_in_place(struct readers *readers, struct reader *reader)
{
	struct reader_feed *feed = reader->feed;
	list_remove(&reader->place);
	list_append(&feed->places[place_of(reader)], &reader->place);
	if (list_is_empty(&feed->places[PLACE_READY]))
		list_remove(&feed->by_turn);
	else if (list_is_empty(&feed->by_turn))
		list_append(&readers->ready, &feed->by_turn);
}

/* ---- readers ---- */

void readers_init(struct readers *readers, size_t limit)
{
	readers->by_name = (struct map){0};
	readers->subjects = (struct map){0};
	readers->limit = limit;
	list_init(&readers->ready);
}

static void drop(struct readers *readers, struct reader *reader)
{
	struct reader_feed *feed = reader->feed;
	map_remove(&readers->by_name, &reader->node);
	list_remove(&reader->place);
	if (list_is_empty(&feed->places[PLACE_READY]))
		list_remove(&feed->by_turn);
	drop_feed_if_empty(readers, feed);
	free(reader);
}

void readers_free(struct readers *readers)
{
	map_for_each (node, &readers->by_name)
		drop(readers, container_of(node, struct reader, node));
	map_free(&readers->by_name);
	map_free(&readers->subjects);
}

size_t readers_count(const struct readers *readers)
{
	return readers->by_name.count;
}

static struct bytes name_key(struct reader_name name,
			     uint8_t key[sizeof(uint16_t) + sizeof(uint64_t)])
{
	memcpy(key, &name.gateway, sizeof(name.gateway));
	memcpy(key + sizeof(name.gateway), &name.number, sizeof(name.number));
	return (struct bytes){key, sizeof(name.gateway) + sizeof(name.number)};
}

static struct reader *find(const struct readers *readers, struct reader_name name)
{
	uint8_t key[sizeof(uint16_t) + sizeof(uint64_t)];
	return map_object(&readers->by_name, name_key(name, key), struct reader, node);
}

int readers_open(struct readers *readers, const struct reader_request *request)
{
	if (find(readers, request->name))
		return READERS_EXISTS;
	if (readers->by_name.count >= readers->limit)
		return READERS_TOO_MANY;
	struct reader *reader = calloc(1, sizeof(*reader));
	struct reader_feed *feed = reader ? take_feed(readers, request->filter) : NULL;
	if (!feed) {
		free(reader);
		return error_origin(-ENOMEM);
	}
	reader->feed = feed;
	reader->name = request->name;
	reader->key = request->key;
	reader->position = request->position;
	reader->blocked = request->blocked;
	list_init(&reader->place);
	if (map_insert(&readers->by_name, &reader->node,
		       name_key(reader->name, reader->key_bytes)) != 0) {
		drop_feed_if_empty(readers, feed);
		free(reader);
		return error_origin(-ENOMEM);
	}
	put_in_place(readers, reader);
	return 0;
}

void readers_close(struct readers *readers, struct reader_name name)
{
	struct reader *reader = find(readers, name);
	if (reader)
		drop(readers, reader);
}

void readers_credit(struct readers *readers, struct reader_name name, uint32_t bytes)
{
	struct reader *reader = find(readers, name);
	if (!reader)
		return;
	if (reader->credit > INT64_MAX - (int64_t)bytes)
		reader->credit = INT64_MAX;
	else
		reader->credit += bytes;
	put_in_place(readers, reader);
}

void readers_drop_gateway(struct readers *readers, uint16_t gateway)
{
	map_for_each (node, &readers->by_name) {
		struct reader *reader = container_of(node, struct reader, node);
		if (reader->name.gateway == gateway)
			drop(readers, reader);
	}
}

void readers_block(struct readers *readers, uint16_t gateway, bool blocked)
{
	map_for_each (node, &readers->by_name) {
		struct reader *reader = container_of(node, struct reader, node);
		if (reader->name.gateway != gateway || reader->blocked == blocked)
			continue;
		reader->blocked = blocked;
		put_in_place(readers, reader);
	}
}

void readers_withdraw(struct readers *readers, struct uuid key, struct uuid project,
		      readers_on_withdrawn *found, void *owner)
{
	bool by_key = !uuid_is_zero(key);
	map_for_each (node, &readers->by_name) {
		struct reader *reader = container_of(node, struct reader, node);
		struct uuid has = by_key ? reader->key : reader->feed->filter.project;
		if (!uuid_equal(has, by_key ? key : project) || uuid_is_zero(has))
			continue;
		struct reader_name name = reader->name;
		drop(readers, reader);
		found(owner, name);
	}
}

/* ---- turns ---- */

static void wake(struct readers *readers, struct reader_feed *feed, uint64_t position)
{
	struct reader *reader;
	list_for_each (reader, &feed->places[PLACE_TAIL], place) {
		reader->position = position;
		reader->at_tail = false;
		put_in_place(readers, reader);
	}
}

void readers_published(struct readers *readers, const uint64_t *subjects, size_t n_subjects,
		       uint64_t position)
{
	assert(n_subjects <= READERS_SUBJECTS_MAX);
	for (size_t i = 0; i < n_subjects; i++) {
		struct subject *subject = find_subject(readers, subjects[i]);
		struct reader_feed *feed;
		if (!subject)
			continue;
		list_for_each (feed, &subject->feeds, by_subject)
			wake(readers, feed, position);
	}
}

bool readers_next(struct readers *readers, struct readers_turn *turn)
{
	if (list_is_empty(&readers->ready))
		return false;
	struct reader_feed *feed = list_first(&readers->ready, struct reader_feed, by_turn);
	struct reader *reader = list_first(&feed->places[PLACE_READY], struct reader, place);
	*turn = (struct readers_turn){&feed->filter, reader->position, reader->credit, 0};
	list_for_each (reader, &feed->places[PLACE_READY], place) {
		if (reader->position != turn->position || turn->count == READERS_TURN_MAX)
			continue;
		readers->turn[turn->count++] = reader;
		if (reader->credit < turn->credit)
			turn->credit = reader->credit;
	}
	list_remove(&feed->by_turn);
	list_append(&readers->ready, &feed->by_turn);
	return true;
}

struct reader_name readers_turn_name(const struct readers *readers, size_t i)
{
	return readers->turn[i]->name;
}

void readers_advance(struct readers *readers, const struct readers_turn *turn,
		     const struct readers_progress *progress)
{
	for (size_t i = 0; i < turn->count; i++) {
		struct reader *reader = readers->turn[i];
		assert(progress->position >= reader->position);
		reader->position = progress->position;
		reader->credit -= (int64_t)progress->cost;
		reader->at_tail = progress->at_end;
		put_in_place(readers, reader);
	}
}

void readers_end(struct readers *readers, const struct readers_turn *turn)
{
	for (size_t i = 0; i < turn->count; i++)
		drop(readers, readers->turn[i]);
}
