#include "proc/gateway/socket.h"

#include "proc/gateway/event_feed.h"
#include "proc/gateway/socket_message.h"

#include <stdlib.h>

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

struct subscription {
	struct map_node node;
	struct socket *socket;
	struct reader reader;
	bool one_operation;
	size_t id_size;
	char id[SOCKET_ID_LIMIT];
};

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

/* ---- what is said ---- */

static void send_message(struct socket *socket, struct buffer *message)
{
	if (buffer_check(message) != 0)
		exchange_socket_close(socket->exchange, SOCKET_CLOSE_INTERNAL);
	else
		exchange_socket_send(socket->exchange, buffer_text(message));
}

static struct json begin_message(struct buffer *out, const char *type, struct text id)
{
	struct json json = json_to(out);
	json_object(&json);
	json_key(&json, "type");
	json_cstring(&json, type);
	if (id.size > 0) {
		json_key(&json, "id");
		json_text(&json, id);
	}
	return json;
}

static void say(struct socket *socket, const char *type, struct text id)
{
	ATTR_BUFFER struct buffer message = {0};
	struct json json = begin_message(&message, type, id);
	json_object_end(&json);
	send_message(socket, &message);
}

static void say_error(struct socket *socket, struct text id, struct problem problem)
{
	ATTR_BUFFER struct buffer message = {0};
	struct json json = begin_message(&message, "error", id);
	json_key(&json, "error");
	problem_write(&json, &problem);
	json_object_end(&json);
	send_message(socket, &message);
}

/* Control's answer holds the problem already written. */
static void say_refusal(struct socket *socket, struct text id,
			const struct gateway_control_answer *answer)
{
	ATTR_BUFFER struct buffer message = {0};
	struct json json = begin_message(&message, "error", id);
	json_key(&json, "error");
	json_raw(&json, bytes_text(answer->body));
	json_object_end(&json);
	send_message(socket, &message);
}

/* ---- subscriptions ---- */

static struct subscription *subscription_of(struct reader *reader)
{
	return container_of(reader, struct subscription, reader);
}

static struct text subscription_id(const struct subscription *subscription)
{
	return (struct text){subscription->id, subscription->id_size};
}

static void free_subscription(struct subscription *subscription)
{
	reader_close(&subscription->reader);
	map_remove(&subscription->socket->subscriptions, &subscription->node);
	free(subscription);
}

static void write_problem(struct json *json, const struct problem *problem, struct text oldest)
{
	json_key(json, "error");
	problem_begin(json, problem);
	if (oldest.size > 0) {
		json_key(json, "oldestCursor");
		json_text(json, oldest);
		json_key(json, "archiveUrl");
		json_null(json);
	}
	json_object_end(json);
}

static void say_ended(struct socket *socket, struct text id, const char *reason)
{
	ATTR_BUFFER struct buffer message = {0};
	struct json json = begin_message(&message, "ended", id);
	json_key(&json, "reason");
	json_cstring(&json, reason);
	json_object_end(&json);
	send_message(socket, &message);
}

/* An `error` where the subscription never was, `ended` where it was. */
static void say_failed(struct subscription *subscription, enum reader_verdict verdict,
		       struct text oldest)
{
	ATTR_BUFFER struct buffer message = {0};
	struct problem problem = event_feed_problem(verdict);
	bool was_open = subscription->reader.was_open;
	struct json json =
	    begin_message(&message, was_open ? "ended" : "error", subscription_id(subscription));
	if (was_open) {
		json_key(&json, "reason");
		json_cstring(&json, "error");
	}
	write_problem(&json, &problem, oldest);
	json_object_end(&json);
	send_message(subscription->socket, &message);
}

static void on_opened(struct reader *reader)
{
	struct subscription *subscription = subscription_of(reader);
	say(subscription->socket, "subscribed", subscription_id(subscription));
}

static void append_event(struct buffer *message, const struct subscription *subscription,
			 struct text event)
{
	struct json json = begin_message(message, "event", subscription_id(subscription));
	json_key(&json, "event");
	json_raw(&json, event);
	json_object_end(&json);
}

static bool is_over(const struct subscription *subscription, struct delivery *delivery)
{
	size_t count = delivery_count(delivery);
	return subscription->one_operation && count > 0 &&
	       event_is_terminal(delivery_event(delivery, count - 1)->type);
}

static void on_deliver(struct reader *reader, struct delivery *delivery)
{
	struct subscription *subscription = subscription_of(reader);
	struct socket *socket = subscription->socket;
	struct exchange *exchange = socket->exchange;
	bool over = is_over(subscription, delivery);
	for (size_t i = 0; i < delivery_count(delivery); i++) {
		ATTR_BUFFER struct buffer message = {0};
		append_event(&message, subscription, delivery_json(delivery, i));
		send_message(socket, &message);
		if (!exchange->own)
			return;
	}
	if (over) {
		say_ended(socket, subscription_id(subscription), "complete");
		if (exchange->own)
			free_subscription(subscription);
	}
}

/* The reader is over: so is the subscription, whatever is said. */
static void on_refused(struct reader *reader, const struct gateway_control_answer *answer)
{
	struct subscription *subscription = subscription_of(reader);
	struct exchange *exchange = subscription->socket->exchange;
	say_refusal(subscription->socket, subscription_id(subscription), answer);
	if (exchange->own)
		free_subscription(subscription);
}

static void on_ended(struct reader *reader, enum reader_verdict verdict, struct text oldest)
{
	struct subscription *subscription = subscription_of(reader);
	struct socket *socket = subscription->socket;
	struct exchange *exchange = socket->exchange;
	if (verdict == READER_WITHDRAWN && reader->was_open) {
		exchange_socket_close(exchange, SOCKET_CLOSE_POLICY);
		return;
	}
	if (verdict == READER_COMPLETE)
		say_ended(socket, subscription_id(subscription), "complete");
	else
		say_failed(subscription, verdict, oldest);
	if (exchange->own)
		free_subscription(subscription);
}

static size_t on_backlog(struct reader *reader)
{
	return exchange_backlog(subscription_of(reader)->socket->exchange);
}

static const struct reader_events reader_events = {on_opened, on_deliver, on_refused, on_ended,
						   on_backlog};

static struct gateway_control_request request_of(const struct socket *socket, enum api_call call)
{
	const struct gateway_control_request *opened = &socket->exchange->request.message;
	return (struct gateway_control_request){
	    .call = (uint16_t)call,
	    .credential_kind = opened->credential_kind,
	    .credential = opened->credential,
	    .target = opened->target,
	    .request_id = opened->request_id,
	    .address = opened->address,
	    .user_agent = opened->user_agent,
	    .connected = true,
	};
}

static enum api_call subscribed_call(const struct socket_message *message)
{
	if (message->operation.data)
		return API_OPERATION_EVENTS;
	if (message->correlation.data)
		return API_CORRELATION_EVENTS;
	return message->stream.data ? API_STREAM_EVENTS : API_PROJECT_EVENTS;
}

static int start_reader(struct subscription *subscription, const struct socket_message *message)
{
	struct socket *socket = subscription->socket;
	struct gateway_control_request request = request_of(socket, subscribed_call(message));
	struct wire_pair query[2];
	size_t count = 0;
	if (message->cursor.data)
		query[count++] = (struct wire_pair){TEXT("cursor"), message->cursor};
	if (message->from.data)
		query[count++] = (struct wire_pair){TEXT("from"), message->from};
	request.id = message->operation.data ? message->operation : message->project;
	request.name = message->correlation.data ? message->correlation : message->stream;
	request.query = (struct wire_list){query, count};
	return reader_start(&socket->exchange->gateway->readers, &subscription->reader,
			    &reader_events, &request);
}

static struct subscription *new_subscription(struct socket *socket,
					     const struct socket_message *message)
{
	struct subscription *subscription = calloc(1, sizeof(*subscription));
	if (!subscription)
		return NULL;
	subscription->socket = socket;
	subscription->one_operation = message->operation.data != NULL;
	subscription->id_size = message->id.size;
	memcpy(subscription->id, message->id.data, message->id.size);
	if (map_insert(&socket->subscriptions, &subscription->node,
		       text_bytes(subscription_id(subscription))) == 0)
		return subscription;
	free(subscription);
	return NULL;
}

static void subscribe(struct socket *socket, const struct socket_message *message)
{
	struct exchange *exchange = socket->exchange;
	struct problem problem = problem_of(PROBLEM_CONFLICT);
	problem.detail = TEXT("There is a subscription with this id");
	if (map_find(&socket->subscriptions, text_bytes(message->id))) {
		say_error(socket, message->id, problem);
		return;
	}
	struct subscription *subscription = NULL;
	if (socket->subscriptions.count < SOCKET_SUBSCRIPTIONS_MAX)
		subscription = new_subscription(socket, message);
	if (!subscription) {
		say_error(socket, message->id, problem_of(PROBLEM_TOO_MANY_READERS));
	} else if (start_reader(subscription, message) < 0) {
		say_error(socket, message->id, problem_of(PROBLEM_OVERLOADED));
		if (exchange->own)
			free_subscription(subscription);
	}
}

static void unsubscribe(struct socket *socket, const struct socket_message *message)
{
	struct subscription *subscription =
	    map_object(&socket->subscriptions, text_bytes(message->id), struct subscription, node);
	if (!subscription) {
		say_error(socket, message->id, problem_of(PROBLEM_NOT_FOUND));
		return;
	}
	free_subscription(subscription);
	say_ended(socket, message->id, "unsubscribed");
}

/* ---- input, signals, sizes ---- */

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
	struct gateway_control_request request = request_of(call->socket, call->call);
	request.request = control->number;
	request.id = (struct text){call->operation, call->operation_size};
	request.body = buffer_bytes(&call->body);
	request.body_size = call->body.size;
	return channel_send(channel, GATEWAY_CONTROL_REQUEST, &request);
}

static void on_call_head(struct control_call *control, const struct gateway_control_answer *head)
{
	(void)control;
	(void)head;
}

static void on_call_answer(struct control_call *control,
			   const struct gateway_control_answer *answer)
{
	struct socket_call *call = container_of(control, struct socket_call, control);
	struct socket *socket = call->socket;
	struct exchange *exchange = socket->exchange;
	if (answer->status >= 400)
		say_refusal(socket, call_id(call), answer);
	else if (call->id_size > 0)
		say(socket, "done", call_id(call));
	if (exchange->own)
		free_call(call);
}

static void on_call_lost(struct control_call *control, bool sent)
{
	struct socket_call *call = container_of(control, struct socket_call, control);
	struct exchange *exchange = call->socket->exchange;
	(void)sent;
	say_error(call->socket, call_id(call), problem_of(PROBLEM_CONTROL_UNAVAILABLE));
	if (exchange->own)
		free_call(call);
}

static const struct control_call_events call_events = {send_call, on_call_head, on_call_answer,
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

static void start_call(struct socket *socket, const struct socket_message *message)
{
	struct exchange *exchange = socket->exchange;
	struct socket_call *call = new_call(socket, message);
	if (call && buffer_check(&call->body) == 0 &&
	    control_link_start(&exchange->gateway->control, &call->control) == 0)
		return;
	say_error(socket, message->id, problem_of(PROBLEM_OVERLOADED));
	if (call && exchange->own)
		free_call(call);
}

/* ---- what the client says ---- */

static void answer_ping(struct socket *socket, const struct socket_message *message)
{
	say(socket, "pong", message->id);
}

static void (*const handlers[SOCKET_MESSAGE_TYPES])(struct socket *socket,
						    const struct socket_message *message) = {
    [SOCKET_SUBSCRIBE] = subscribe, [SOCKET_UNSUBSCRIBE] = unsubscribe, [SOCKET_INPUT] = start_call,
    [SOCKET_SIGNAL] = start_call,   [SOCKET_RESIZE] = start_call,       [SOCKET_PING] = answer_ping,
};

static void refuse_message(struct socket *socket, const struct socket_message *message,
			   const struct document_error *error)
{
	struct problem problem = problem_of(PROBLEM_INVALID_INPUT);
	problem.detail = text_of(error->message);
	say_error(socket, message->id, problem);
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
	struct socket *socket = exchange->own;
	map_for_each (node, &socket->subscriptions)
		reader_drained(&container_of(node, struct subscription, node)->reader);
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

static const struct control_call_events admission_events = {send_admission, on_call_head,
							    on_admission, on_admission_lost};

static void on_closed(struct exchange *exchange)
{
	struct socket *socket = exchange->own;
	control_link_abandon(&exchange->gateway->control, &socket->admission);
	map_for_each (node, &socket->subscriptions)
		free_subscription(container_of(node, struct subscription, node));
	struct socket_call *call;
	list_for_each (call, &socket->calls, node)
		free_call(call);
	map_free(&socket->subscriptions);
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
