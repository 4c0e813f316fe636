#include "proc/control/gateway_link.h"

#include "base/descriptor.h"
#include "base/error.h"
#include "base/log.h"
#include "proc/control/dispatch.h"

#include <errno.h>
#include <stdlib.h>

struct gateway_link {
	struct gateway_links *links;
	uint16_t index;
	struct channel *channel; /* NULL while it is away */
	struct list requests;    /* in the order of their coming */
	size_t n_requests;
};

struct gateway_links {
	struct control *control;
	struct gateway_link gateways[GATEWAYS_MAX];
	size_t n_requests; /* abandoned ones included */
};

static struct control_request *find(struct gateway_link *gateway, uint64_t number)
{
	struct control_request *request;
	list_for_each (request, &gateway->requests, node)
		if (request->in->request == number)
			return request;
	return NULL;
}

static void abandon(struct control_request *request)
{
	struct request_waiter *waiter = request->waiter;
	if (waiter && waiter->on_abandoned)
		waiter->on_abandoned(waiter);
}

static void refuse_overloaded(struct gateway_link *gateway, uint64_t number)
{
	struct wire_pair header = {TEXT("retry-after"), TEXT("1")};
	struct gateway_control_answer answer = {
	    .request = number,
	    .status = problem_kinds[PROBLEM_OVERLOADED].status,
	    .headers = {&header, 1},
	};
	channel_send(gateway->channel, GATEWAY_CONTROL_ANSWER, &answer);
}

static int on_request(struct gateway_link *gateway, const struct gateway_control_request *in,
		      struct channel_descriptors *descriptors)
{
	struct control_request *request;
	if (gateway->n_requests >= GATEWAY_REQUESTS_MAX) {
		refuse_overloaded(gateway, in->request);
		return 0;
	}
	int pipe = descriptors->count > 0 ? descriptor_take(&descriptors->fds[0]) : -1;
	int r = control_request_new(gateway->links->control, in, pipe, &request);
	if (r < 0)
		return error_trace(r);
	request->gateway = gateway;
	request->gateway_index = gateway->index;
	list_append(&gateway->requests, &request->node);
	gateway->n_requests++;
	gateway->links->n_requests++;
	dispatch_begin(request);
	return 0;
}

static void on_body_end(struct gateway_link *gateway, const struct gateway_control_body_end *end)
{
	struct control_request *request = find(gateway, end->request);
	if (request && request->waiter && request->waiter->on_body_end)
		request->waiter->on_body_end(request->waiter, end->whole, end->size);
}

static void on_abandon(struct gateway_link *gateway, const struct gateway_control_abandon *message)
{
	struct control_request *request = find(gateway, message->request);
	if (request)
		abandon(request);
}

static int on_message(void *owner, struct channel *channel ATTR_UNUSED, unsigned type,
		      const void *body, struct channel_descriptors *descriptors)
{
	struct gateway_link *gateway = owner;
	switch (type) {
	case GATEWAY_CONTROL_REQUEST:
		return on_request(gateway, body, descriptors);
	case GATEWAY_CONTROL_BODY_END:
		on_body_end(gateway, body);
		return 0;
	case GATEWAY_CONTROL_ABANDON:
		on_abandon(gateway, body);
		return 0;
	default:
		return error_origin(-EPROTO);
	}
}

static void leave(struct control_request *request)
{
	if (!request->gateway)
		return;
	request->gateway->n_requests--;
	request->gateway = NULL;
	list_remove(&request->node);
}

/* Requests answer inside their abandonment or later; both are safe, for each leaves the list first.
 */
static void lose_requests(struct gateway_link *gateway)
{
	while (!list_is_empty(&gateway->requests)) {
		struct control_request *request =
		    list_first(&gateway->requests, struct control_request, node);
		leave(request);
		abandon(request);
	}
}

static void on_closed(void *owner, struct channel *channel, int why)
{
	struct gateway_link *gateway = owner;
	log_warning("gateway %u is away: %s", gateway->index, strerror(-why));
	gateway->channel = NULL;
	channel_free(channel);
	lose_requests(gateway);
}

static const struct channel_events channel_events = {.on_message = on_message,
						     .on_closed = on_closed};

int gateway_links_connect(struct gateway_links *links, uint16_t index, int fd)
{
	if (index >= GATEWAYS_MAX) {
		descriptor_close(&fd);
		return error_origin(-EPROTO);
	}
	struct gateway_link *gateway = &links->gateways[index];
	channel_free(gateway->channel);
	gateway->channel = NULL;
	lose_requests(gateway);
	return error_trace(channel_new(&gateway->channel, links->control->loop, fd,
				       &gateway_control_protocol, &channel_events, gateway));
}

void gateway_link_send(struct control_request *request, unsigned type,
		       const struct gateway_control_answer *answer)
{
	struct gateway_link *gateway = request->gateway;
	if (gateway && gateway->channel && channel_send(gateway->channel, type, answer) < 0)
		log_error("cannot answer a request size=%zu", answer->body.size);
	if (type == GATEWAY_CONTROL_ANSWER)
		gateway_link_leave(request);
}

void gateway_link_leave(struct control_request *request)
{
	leave(request);
	request->control->gateways->n_requests--;
}

static void broadcast(struct gateway_links *links, unsigned type, const void *message)
{
	for (size_t i = 0; i < GATEWAYS_MAX; i++)
		if (links->gateways[i].channel)
			channel_send(links->gateways[i].channel, type, message);
}

void gateway_links_withdraw(struct gateway_links *links, struct uuid key)
{
	struct gateway_control_withdraw withdraw = {key};
	broadcast(links, GATEWAY_CONTROL_WITHDRAW, &withdraw);
}

void gateway_links_metrics(struct gateway_links *links,
			   const struct gateway_control_metrics *metrics)
{
	broadcast(links, GATEWAY_CONTROL_METRICS, metrics);
}

size_t gateway_links_requests(const struct gateway_links *links)
{
	return links->n_requests;
}

int gateway_links_new(struct control *control, struct gateway_links **out)
{
	struct gateway_links *links = calloc(1, sizeof(*links));
	if (!links)
		return error_origin(-ENOMEM);
	links->control = control;
	for (uint16_t i = 0; i < GATEWAYS_MAX; i++) {
		links->gateways[i] = (struct gateway_link){.links = links, .index = i};
		list_init(&links->gateways[i].requests);
	}
	*out = links;
	return 0;
}

void gateway_links_free(struct gateway_links *links)
{
	if (!links)
		return;
	for (size_t i = 0; i < GATEWAYS_MAX; i++)
		channel_free(links->gateways[i].channel);
	free(links);
}
