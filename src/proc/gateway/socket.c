#include "proc/gateway/socket_parts.h"

#include <stdlib.h>

/* ---- what the client says ---- */

static void answer_ping(struct socket *socket, const struct socket_message *message)
{
	socket_say(socket, "pong", message->id);
}

static void (*const handlers[SOCKET_MESSAGE_TYPES])(struct socket *socket,
						    const struct socket_message *message) = {
    [SOCKET_SUBSCRIBE] = subscription_start, [SOCKET_UNSUBSCRIBE] = subscription_stop,
    [SOCKET_INPUT] = socket_call_start,      [SOCKET_SIGNAL] = socket_call_start,
    [SOCKET_RESIZE] = socket_call_start,     [SOCKET_PING] = answer_ping,
};

static void refuse_message(struct socket *socket, const struct socket_message *message,
			   const struct document_error *error)
{
	struct problem problem = problem_of(PROBLEM_INVALID_INPUT);
	problem.detail = text_of(error->message);
	socket_say_error(socket, message->id, problem);
}

static void on_message(struct exchange *exchange, struct text text)
{
	struct socket *socket = exchange->own;
	ATTR_ARENA struct arena arena = {0};
	ATTR_DOCUMENT struct document *document = NULL;
	struct socket_message message;
	struct document_error error;
	int r = socket_message_parse(text_bytes(text), &arena, &document, &message, &error);
	if (r == 0)
		handlers[message.type](socket, &message);
	else if (r == SOCKET_MESSAGE_REFUSED)
		refuse_message(socket, &message, &error);
	else
		exchange_socket_close(exchange,
				      r < 0 ? SOCKET_CLOSE_INTERNAL : SOCKET_CLOSE_NOT_JSON);
}

static void on_drained(struct exchange *exchange)
{
	subscriptions_drained(exchange->own);
}

/* ---- opening and closing ---- */

static int send_admission(struct control_call *control, struct channel *channel)
{
	struct socket *socket = container_of(control, struct socket, admission);
	struct gateway_control_request message = socket->exchange->request.message;
	message.request = control->number;
	return channel_send(channel, GATEWAY_CONTROL_REQUEST, &message);
}

static void on_admission(struct control_call *control, const struct gateway_control_answer *answer)
{
	struct socket *socket = container_of(control, struct socket, admission);
	struct exchange *exchange = socket->exchange;
	if (answer->status >= 300) {
		exchange_relay(exchange, answer);
		return;
	}
	exchange_note_verdict(exchange, answer->status);
	socket->open = true;
	exchange->gateway->metrics.value[METRIC_SOCKETS]++;
	exchange_upgrade(exchange);
}

static void on_admission_lost(struct control_call *control, bool sent)
{
	(void)sent;
	exchange_fail(container_of(control, struct socket, admission)->exchange,
		      PROBLEM_CONTROL_UNAVAILABLE, NULL);
}

static const struct control_call_events admission_events = {send_admission, NULL, on_admission,
							    on_admission_lost};

static void on_closed(struct exchange *exchange)
{
	struct socket *socket = exchange->own;
	control_link_abandon(&exchange->gateway->control, &socket->admission);
	subscriptions_free(socket);
	socket_calls_free(socket);
	list_remove(&socket->node);
	exchange->gateway->metrics.value[METRIC_SOCKETS] -= socket->open;
	free(socket);
}

static const struct exchange_way way = {
    .message = on_message, .drained = on_drained, .closed = on_closed};

/* "croft_", the digits of the key's id, "_" and the secret. */
static struct uuid key_of(const struct credential *credential)
{
	struct text rest = text_skip(credential->secret, strlen("croft_")), digits;
	struct uuid key = {{0}};
	text_split(&rest, '_', &digits);
	if (credential->kind != CREDENTIAL_API_KEY || digits.size != BASE32_SIZE ||
	    decode_base32(digits.data, key.b))
		return (struct uuid){{0}};
	return key;
}

void socket_start(struct exchange *exchange)
{
	struct socket *socket = calloc(1, sizeof(*socket));
	if (!socket) {
		exchange_fail(exchange, PROBLEM_OVERLOADED, NULL);
		return;
	}
	socket->exchange = exchange;
	socket->admission.events = &admission_events;
	socket->admission.repeatable = exchange->request.credential.kind != CREDENTIAL_TICKET;
	socket->key = key_of(&exchange->request.credential);
	list_init(&socket->calls);
	list_append(&exchange->gateway->sockets, &socket->node);
	exchange->own = socket;
	exchange->way = &way;
	int r = control_link_start(&exchange->gateway->control, &socket->admission);
	if (r < 0)
		exchange_cannot_ask(exchange, r);
}

/* Closing one may close no other, so the list may be walked. */
void sockets_withdraw(struct gateway *gateway, struct uuid key)
{
	struct socket *socket;
	list_for_each (socket, &gateway->sockets, node)
		if (socket->open && uuid_equal(socket->key, key))
			exchange_socket_close(socket->exchange, SOCKET_CLOSE_POLICY);
}

/* Those that are not open yet are answered as calls are. */
void sockets_stop(struct gateway *gateway)
{
	struct socket *socket;
	list_for_each (socket, &gateway->sockets, node)
		if (socket->open)
			exchange_socket_close(socket->exchange, SOCKET_CLOSE_AWAY);
}
