/* What may follow in the log of one operation: one `queued`, at most one `started`, chunks numbered
 * without a gap from 1, one terminal event. Decides from what came before; knows no log and does no
 * I/O.
 *
 *              queued    started   chunk              completed or failed
 *   nothing    next      refused   refused            refused
 *   queued     already   next      refused            next
 *   started    already   already   the next: next     next
 *                                  before: already
 *                                  beyond: refused
 *   ended      already   as it was before: already    the same: already
 *                        else refused                 the other: refused
 */
#pragma once

#include "proto/event.h"

enum order_stage { ORDER_NOTHING, ORDER_QUEUED, ORDER_STARTED, ORDER_ENDED, ORDER_STAGES };

struct order {
	uint8_t stage;    /* enum order_stage */
	uint8_t terminal; /* the event that ended it */
	bool started;
	uint32_t chunks; /* written; the next one's sequence is one more */
};

enum order_verdict { ORDER_NEXT, ORDER_ALREADY, ORDER_REFUSED };

enum order_verdict order_judge(const struct order *order, uint8_t type, uint32_t sequence);

/* After ORDER_NEXT. */
void order_advance(struct order *order, uint8_t type);
