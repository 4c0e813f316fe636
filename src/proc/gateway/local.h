/* The calls that the gateway answers itself: health, figures, version, contract. */
#pragma once

#include "proc/gateway/exchange.h"

void local_start(struct exchange *exchange);

/* Keeps what control says of itself and the roles behind it. */
void local_take_report(struct gateway *gateway, const struct gateway_control_metrics *report);
