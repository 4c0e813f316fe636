/* The way of a call that control answers: with a JSON body or none, with bytes from the client or
 * for it. */
#pragma once

#include "proc/gateway/exchange.h"

void call_start(struct exchange *exchange);
