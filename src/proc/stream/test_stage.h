/* The stream role between played peers: a control, a worker and gateways on one loop, over real
 * channels and a real log on disk. */
#pragma once

#include "proc/stream/broker.h"
#include "proto/worker_stream.h"

enum { STAGE_APPENDED_MAX = 20000, STAGE_READERS = 64, STAGE_GATEWAYS = 2 };

struct stage_reader {
	bool opened;
	uint8_t verdict;
	bool ended;
	uint8_t ended_verdict;
	bool at_end;
	size_t events;
	uint64_t bytes;
	uint64_t hash; /* over the data of its chunks, in order */
	uint32_t out_of_order;
	uint32_t last_type;
	uint64_t cost; /* of what came */
	uint64_t messages;
	char cursor[CURSOR_TEXT_LIMIT + 1]; /* of the last event */
	char position[CURSOR_TEXT_LIMIT + 1];
	char oldest[CURSOR_TEXT_LIMIT + 1];
};

struct stage_peer {
	struct stage *stage;
	struct channel *channel;
	uint16_t index;
	bool closed;
};

struct stage {
	char path[64];
	int directory;
	struct loop *loop;
	struct broker *broker;
	struct mac_key key;
	const struct disk *disk;
	uint64_t segment_bytes;
	size_t readers_max;
	struct stage_peer control, worker, gateways[STAGE_GATEWAYS];
	struct event_appended appended[STAGE_APPENDED_MAX];
	size_t n_appended;
	size_t n_figures;
	struct stage_reader readers[STAGE_READERS];
	uint64_t delivers; /* DELIVER messages of all gateways */
};

void stage_open(struct stage *stage);  /* a fresh directory */
void stage_close(struct stage *stage); /* and everything goes */
void stage_restart(
    struct stage *stage); /* the role ends and starts again on the same log, with new channels */

void stage_connect_gateway(struct stage *stage, uint16_t index);
void stage_settle(struct stage *stage); /* turns of the loop until nobody has anything to say */

/* The peer's append; the answer lands in `appended`. */
void stage_append(struct stage_peer *peer, const struct event_append *event);
uint8_t stage_append_status(struct stage *stage, struct stage_peer *peer,
			    const struct event_append *event);

struct event_append stage_event(uint8_t type, uint8_t operation, uint32_t sequence);
void stage_open_reader(struct stage *stage, const struct control_stream_reader_open *open);
void stage_credit(struct stage *stage, uint16_t gateway, uint64_t reader, uint32_t bytes);
