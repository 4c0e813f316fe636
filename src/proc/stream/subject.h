/* Under which numbers events are found again: keyed codes, so that no client can choose a name that
 * falls together with another's. */
#pragma once

#include "crypt/mac.h"
#include "engine/stream/readers.h"
#include "port/log/log.h"

/* Tags of the log's records: the event's type, and below it what is none. */
enum { TAG_FORGOTTEN = EVENT_TYPES };

uint64_t subject_of_operation(const struct mac_key *key, struct uuid operation);
uint64_t subject_of_message(const struct mac_key *key, struct uuid message);
uint64_t subject_of_forgotten(const struct mac_key *key);
uint64_t subject_of_filter(const struct mac_key *key, const struct reader_filter *filter);

/* All subjects of an event, into the record's. */
void subjects_of_event(const struct mac_key *key, const struct event_append *event,
		       struct log_append *record);
