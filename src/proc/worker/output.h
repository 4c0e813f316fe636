/* What operations have printed and the event log does not have on disk yet. Kept in the order in
 * which it was printed: what is to be sent, then what was sent and is not acknowledged. Owned by
 * the worker; no I/O.
 *
 * The log takes chunks of an operation without gaps only. When it has no space for one it refuses
 * what follows, too; so all that is under way then is called back, and sending starts again from
 * the oldest, later (`stalled`). */
#pragma once

#include "base/list.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct operation;

struct append {
	struct list node;
	struct operation *operation;
	uint64_t token; /* rises with the order */
	uint8_t type, stream;
	bool was_sent;
	uint32_t sequence;
	int64_t time_ms;
	size_t size, capacity;
	uint8_t *data;
};

struct output {
	struct list to_send, sent; /* of struct append */
	uint64_t next_token;
	size_t held; /* bytes in both lists */
	bool stalled;
};

struct output_piece {
	struct operation *operation;
	uint8_t type, stream;
	int64_t time_ms;
	struct bytes data;
};

void output_init(struct output *output);
void output_free(struct output *output);

/* The new append, or the last one when the piece could be put at its end: then its `sequence` is
 * already set. NULL: no memory. */
struct append *output_add(struct output *output, const struct output_piece *piece);

struct append *output_next(struct output *output); /* what is to be sent now, or NULL */
void output_sent(struct output *output, struct append *append);

enum output_settled { OUTPUT_DURABLE, OUTPUT_REFUSED, OUTPUT_LATER, OUTPUT_UNKNOWN };

/* What an acknowledgement means (`status`: enum event_append_status). For the first two *append is
 * out of the lists, and the caller gives it to output_release(). */
enum output_settled output_acknowledge(struct output *output, uint64_t token, uint8_t status,
				       struct append **append);
void output_release(struct output *output, struct append *append);

void output_call_back(
    struct output *output); /* the channel is lost: all that was sent is to be sent again */
bool output_resume(
    struct output *output); /* after a stall; false while answers are still to come */
