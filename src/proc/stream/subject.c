#include "proc/stream/subject.h"

#include <assert.h>

enum kind {
	KIND_OPERATION = 'o',
	KIND_MESSAGE = 'm',
	KIND_CORRELATION = 'c',
	KIND_PROJECT = 'p',
	KIND_STREAM = 's',
	KIND_FORGOTTEN = 'f',
};

static uint64_t code(const struct mac_key *key, enum kind kind, struct uuid id, struct text name)
{
	uint8_t bytes[1 + sizeof(id.b) + CORRELATION_LIMIT];
	assert(name.size <= CORRELATION_LIMIT);
	bytes[0] = (uint8_t)kind;
	memcpy(bytes + 1, id.b, sizeof(id.b));
	if (name.size)
		memcpy(bytes + 1 + sizeof(id.b), name.data, name.size);
	return mac_of(key, (struct bytes){bytes, 1 + sizeof(id.b) + name.size});
}

uint64_t subject_of_operation(const struct mac_key *key, struct uuid operation)
{
	return code(key, KIND_OPERATION, operation, (struct text){0});
}

uint64_t subject_of_message(const struct mac_key *key, struct uuid message)
{
	return code(key, KIND_MESSAGE, message, (struct text){0});
}

uint64_t subject_of_forgotten(const struct mac_key *key)
{
	return code(key, KIND_FORGOTTEN, (struct uuid){0}, (struct text){0});
}

uint64_t subject_of_filter(const struct mac_key *key, const struct reader_filter *filter)
{
	struct text name = {filter->name, filter->name_size};
	switch (filter->scope) {
	case READER_OPERATION:
		return subject_of_operation(key, filter->operation);
	case READER_CORRELATION:
		return code(key, KIND_CORRELATION, filter->workspace, name);
	case READER_PROJECT:
		return code(key, KIND_PROJECT, filter->project, (struct text){0});
	default:
		return code(key, KIND_STREAM, filter->project, name);
	}
}

static void add(struct log_append *record, uint64_t subject)
{
	assert(record->n_subjects < LOG_SUBJECTS_MAX);
	record->subjects[record->n_subjects++] = subject;
}

/* An event is of an operation or of a named stream, never of both, so four are enough. */
void subjects_of_event(const struct mac_key *key, const struct event_append *event,
		       struct log_append *record)
{
	add(record, code(key, KIND_PROJECT, event->project, (struct text){0}));
	if (event->correlation.size)
		add(record, code(key, KIND_CORRELATION, event->workspace, event->correlation));
	if (!uuid_is_zero(event->operation)) {
		add(record, subject_of_operation(key, event->operation));
		return;
	}
	add(record, code(key, KIND_STREAM, event->project, event->stream_name));
	if (!uuid_is_zero(event->message))
		add(record, subject_of_message(key, event->message));
}
