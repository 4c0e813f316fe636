/* The way of GET /v1/ws: one WebSocket for many subscriptions, and for input, signals and sizes
 * (openapi.yaml, /v1/ws). Each subscription is a reader; every other message is a call of its own
 * to control, with the credential that opened the socket. What the client makes us hold is bounded:
 * subscriptions, calls under way, and the bytes it has not taken. */
#pragma once

#include "proc/gateway/exchange.h"

enum {
	SOCKET_SUBSCRIPTIONS_MAX = 256,
	SOCKET_CALLS_MAX = 64, /* at that many, messages are not read until some are answered */
};

/* RFC 6455, section 7.4.1. */
enum socket_close_code {
	SOCKET_CLOSE_AWAY = 1001,
	SOCKET_CLOSE_NOT_JSON = 1007,
	SOCKET_CLOSE_POLICY = 1008,
	SOCKET_CLOSE_INTERNAL = 1011,
};

void socket_start(struct exchange *exchange);

/* A key was revoked: closes the sockets that it opened. */
void sockets_withdraw(struct gateway *gateway, struct uuid key);

void sockets_stop(struct gateway *gateway); /* the process ends */
