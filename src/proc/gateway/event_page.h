/* The way of GET …/events with Accept: application/json: one page, after at most waitMs. */
#pragma once

#include "proc/gateway/exchange.h"

void event_page_start(struct exchange *exchange);
