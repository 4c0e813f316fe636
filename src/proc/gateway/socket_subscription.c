#include "proc/gateway/socket_parts.h"

#include "base/json.h"
#include "proc/gateway/event_feed.h"

#include <stdlib.h>

struct subscription {
	struct map_node node;
	struct socket *socket;
	struct reader reader;
	bool one_operation;
	size_t id_size;
	char id[SOCKET_ID_LIMIT];
};

static struct subscription *subscription_of(struct reader *reader)
{
	return container_of(reader, struct subscription, reader);
}

static struct text subscription_id(const struct subscription *subscription)
{
	return (struct text){subscription->id, subscription->id_size};
}

static void subscription_free(struct subscription *subscription)
{
	reader_close(&subscription->reader);
	map_remove(&subscription->socket->subscriptions, &subscription->node);
	free(subscription);
}

static void say_ended(struct socket *socket, struct text id, const char *reason)
{
	ATTR_BUFFER struct buffer message = {0};
	struct json json = socket_begin_message(&message, "ended", id);
	json_key(&json, "reason");
	json_cstring(&json, reason);
	json_object_end(&json);
	socket_say_message(socket, &message);
}

/* An `error` where the subscription never was, `ended` where it was. */
static void say_failed(struct subscription *subscription, enum reader_verdict verdict,
		       struct text oldest)
{
	ATTR_BUFFER struct buffer message = {0};
	struct problem problem = event_feed_problem(verdict);
	bool was_open = subscription->reader.was_open;
	struct json json = socket_begin_message(&message, was_open ? "ended" : "error",
						subscription_id(subscription));
	if (was_open) {
		json_key(&json, "reason");
		json_cstring(&json, "error");
	}
	socket_write_problem(&json, &problem, oldest);
	json_object_end(&json);
	socket_say_message(subscription->socket, &message);
}

static void on_opened(struct reader *reader)
{
	struct subscription *subscription = subscription_of(reader);
	socket_say(subscription->socket, "subscribed", subscription_id(subscription));
}

static void append_event(struct buffer *message, const struct subscription *subscription,
			 struct text event)
{
	struct json json = socket_begin_message(message, "event", subscription_id(subscription));
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
		socket_say_message(socket, &message);
		if (!exchange->own)
			return;
	}
	if (over) {
		say_ended(socket, subscription_id(subscription), "complete");
		if (exchange->own)
			subscription_free(subscription);
	}
}

/* The reader is over: so is the subscription, whatever is said. */
static void on_refused(struct reader *reader, const struct gateway_control_answer *answer)
{
	struct subscription *subscription = subscription_of(reader);
	struct exchange *exchange = subscription->socket->exchange;
	socket_say_refusal(subscription->socket, subscription_id(subscription), answer);
	if (exchange->own)
		subscription_free(subscription);
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
		subscription_free(subscription);
}

static size_t on_backlog(struct reader *reader)
{
	return exchange_backlog(subscription_of(reader)->socket->exchange);
}

static const struct reader_events reader_events = {on_opened, on_deliver, on_refused, on_ended,
						   on_backlog};
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
	struct gateway_control_request request = socket_request(socket, subscribed_call(message));
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

void subscription_start(struct socket *socket, const struct socket_message *message)
{
	struct exchange *exchange = socket->exchange;
	struct problem problem = problem_of(PROBLEM_CONFLICT);
	problem.detail = TEXT("There is a subscription with this id");
	if (map_find(&socket->subscriptions, text_bytes(message->id))) {
		socket_say_error(socket, message->id, problem);
		return;
	}
	struct subscription *subscription = NULL;
	if (socket->subscriptions.count < SOCKET_SUBSCRIPTIONS_MAX)
		subscription = new_subscription(socket, message);
	if (!subscription) {
		socket_say_error(socket, message->id, problem_of(PROBLEM_TOO_MANY_READERS));
	} else if (start_reader(subscription, message) < 0) {
		socket_say_error(socket, message->id, problem_of(PROBLEM_OVERLOADED));
		if (exchange->own)
			subscription_free(subscription);
	}
}

void subscription_stop(struct socket *socket, const struct socket_message *message)
{
	struct subscription *subscription =
	    map_object(&socket->subscriptions, text_bytes(message->id), struct subscription, node);
	if (!subscription) {
		socket_say_error(socket, message->id, problem_of(PROBLEM_NOT_FOUND));
		return;
	}
	subscription_free(subscription);
	say_ended(socket, message->id, "unsubscribed");
}

void subscriptions_drained(struct socket *socket)
{
	map_for_each (node, &socket->subscriptions)
		reader_drained(&container_of(node, struct subscription, node)->reader);
}

void subscriptions_free(struct socket *socket)
{
	map_for_each (node, &socket->subscriptions)
		subscription_free(container_of(node, struct subscription, node));
	map_free(&socket->subscriptions);
}
