#include "engine/stream/order.h"

#include <assert.h>

typedef enum order_verdict judge(const struct order *order, uint8_t type, uint32_t sequence);

#define JUDGE(name, verdict)                                                                       \
	static enum order_verdict name(const struct order *order ATTR_UNUSED,                      \
				       uint8_t type ATTR_UNUSED, uint32_t sequence ATTR_UNUSED)    \
	{                                                                                          \
		return verdict;                                                                    \
	}

JUDGE(next, ORDER_NEXT)
JUDGE(already, ORDER_ALREADY)
JUDGE(refused, ORDER_REFUSED)
JUDGE(if_started, order->started ? ORDER_ALREADY : ORDER_REFUSED)
JUDGE(if_same, order->terminal == type ? ORDER_ALREADY : ORDER_REFUSED)

static enum order_verdict chunk(const struct order *order, uint8_t type ATTR_UNUSED,
				uint32_t sequence)
{
	if (sequence == 0 || sequence > order->chunks + (uint64_t)1)
		return ORDER_REFUSED;
	if (sequence <= order->chunks)
		return ORDER_ALREADY;
	return order->stage == ORDER_ENDED ? ORDER_REFUSED : ORDER_NEXT;
}

/* The picture in the header, row by row. */
static judge *const rules[ORDER_STAGES][EVENT_TYPES] = {
    [ORDER_NOTHING] = {next, refused, refused, refused, refused},
    [ORDER_QUEUED] = {already, next, refused, next, next},
    [ORDER_STARTED] = {already, already, chunk, next, next},
    [ORDER_ENDED] = {already, if_started, chunk, if_same, if_same},
};

enum order_verdict order_judge(const struct order *order, uint8_t type, uint32_t sequence)
{
	assert(order->stage < ORDER_STAGES);
	return type < EVENT_TYPES ? rules[order->stage][type](order, type, sequence)
				  : ORDER_REFUSED;
}

void order_advance(struct order *order, uint8_t type)
{
	assert(type < EVENT_TYPES && order->stage < ORDER_ENDED);
	if (type == EVENT_QUEUED) {
		order->stage = ORDER_QUEUED;
	} else if (type == EVENT_STARTED) {
		order->stage = ORDER_STARTED;
		order->started = true;
	} else if (type == EVENT_CHUNK) {
		order->chunks++;
	} else {
		order->stage = ORDER_ENDED;
		order->terminal = type;
	}
}
