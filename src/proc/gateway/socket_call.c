#include "proc/gateway/socket_parts.h"

#include <stdlib.h>

/* An input, signal or resize under way. */
struct socket_call {
	struct list node;
	struct socket *socket;
	struct control_call control;
	enum api_call call;
	struct buffer body;
	size_t id_size, operation_size;
	char id[SOCKET_ID_LIMIT];
	char operation[ID_TEXT_SIZE];
};

static struct text call_id(const struct socket_call *call)
{
	return (struct text){call->id, call->id_size};
}

/* The socket may be gone afterwards if the client was owed a word that could not be said. */
static void free_call(struct socket_call *call)
{
	struct socket *socket = call->socket;
	control_link_abandon(&socket->exchange->gateway->control, &call->control);
	list_remove(&call->node);
	buffer_free(&call->body);
	free(call);
	if (socket->n_calls-- == SOCKET_CALLS_MAX)
		exchange_resume_body(socket->exchange);
}

static int send_call(struct control_call *control, struct channel *channel)
{
	struct socket_call *call = container_of(control, struct socket_call, control);
	struct gateway_control_request request = socket_request(call->socket, call->call);
	request.request = control->number;
	request.id = (struct text){call->operation, call->operation_size};
	request.body = buffer_bytes(&call->body);
	request.body_size = call->body.size;
	return channel_send(channel, GATEWAY_CONTROL_REQUEST, &request);
}

static void on_call_answer(struct control_call *control,
			   const struct gateway_control_answer *answer)
{
	struct socket_call *call = container_of(control, struct socket_call, control);
	struct socket *socket = call->socket;
	struct exchange *exchange = socket->exchange;
	if (answer->status >= 400)
		socket_say_refusal(socket, call_id(call), answer);
	else if (call->id_size > 0)
		socket_say(socket, "done", call_id(call));
	if (exchange->own)
		free_call(call);
}

static void on_call_lost(struct control_call *control, bool sent)
{
	struct socket_call *call = container_of(control, struct socket_call, control);
	struct exchange *exchange = call->socket->exchange;
	(void)sent;
	socket_say_error(call->socket, call_id(call), problem_of(PROBLEM_CONTROL_UNAVAILABLE));
	if (exchange->own)
		free_call(call);
}

static const struct control_call_events call_events = {send_call, NULL, on_call_answer,
						       on_call_lost};

static const enum api_call message_calls[SOCKET_MESSAGE_TYPES] = {
    [SOCKET_INPUT] = API_OPERATION_INPUT,
    [SOCKET_SIGNAL] = API_OPERATION_SIGNAL,
    [SOCKET_RESIZE] = API_OPERATION_RESIZE,
};

static struct socket_call *new_call(struct socket *socket, const struct socket_message *message)
{
	struct socket_call *call = calloc(1, sizeof(*call));
	if (!call)
		return NULL;
	call->socket = socket;
	call->control.events = &call_events;
	call->call = message_calls[message->type];
	call->id_size = message->id.size;
	call->operation_size =
	    message->operation.size < sizeof(call->operation) ? message->operation.size : 0;
	if (message->id.size > 0)
		memcpy(call->id, message->id.data, call->id_size);
	memcpy(call->operation, message->operation.data, call->operation_size);
	list_append(&socket->calls, &call->node);
	if (++socket->n_calls == SOCKET_CALLS_MAX)
		exchange_pause_body(socket->exchange);
	socket_message_body(message, &call->body);
	return call;
}

void socket_call_start(struct socket *socket, const struct socket_message *message)
{
	struct exchange *exchange = socket->exchange;
	struct socket_call *call = new_call(socket, message);
	if (call && buffer_check(&call->body) == 0 &&
	    control_link_start(&exchange->gateway->control, &call->control) == 0)
		return;
	socket_say_error(socket, message->id, problem_of(PROBLEM_OVERLOADED));
	if (call && exchange->own)
		free_call(call);
}

void socket_calls_free(struct socket *socket)
{
	struct socket_call *call;
	list_for_each (call, &socket->calls, node)
		free_call(call);
}
