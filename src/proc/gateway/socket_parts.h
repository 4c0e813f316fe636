/* What the parts of a WebSocket share (socket.h): its state, what can be said on it, subscriptions
 * and calls. For socket*.c alone. */
#pragma once

#include "proc/gateway/socket.h"
#include "proc/gateway/socket_message.h"

struct socket {
	struct list node; /* of gateway->sockets */
	struct exchange *exchange;
	struct control_call admission;
	struct map subscriptions; /* by the client's id */
	struct list calls;
	size_t n_calls;
	struct uuid key; /* of the API key that opened it; zero otherwise */
	bool open;
};

/* What is said may end the exchange, and with it the socket: callers that go on look at
 * exchange->own. */
void socket_say(struct socket *socket, const char *type, struct text id);
void socket_say_error(struct socket *socket, struct text id, struct problem problem);
/* Control's answer holds the problem already written. */
void socket_say_refusal(struct socket *socket, struct text id,
			const struct gateway_control_answer *answer);
/* For messages with more members: begin, write them, end the object, say. */
struct json socket_begin_message(struct buffer *out, const char *type, struct text id);
void socket_write_problem(struct json *json, const struct problem *problem, struct text oldest);
void socket_say_message(struct socket *socket, struct buffer *message);

/* A request of what the client sends on the socket, with the credential that opened it. */
struct gateway_control_request socket_request(const struct socket *socket, enum api_call call);

/* socket_subscription.c */
void subscription_start(struct socket *socket, const struct socket_message *message);
void subscription_stop(struct socket *socket, const struct socket_message *message);
void subscriptions_drained(struct socket *socket);
void subscriptions_free(struct socket *socket);

/* socket_call.c: input, signal, resize */
void socket_call_start(struct socket *socket, const struct socket_message *message);
void socket_calls_free(struct socket *socket);
