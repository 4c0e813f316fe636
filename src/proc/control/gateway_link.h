/* control's end of the channels to the gateways: requests come in, answers go out by the gateway's
 * number. When a gateway dies its requests are abandoned; what they have begun goes on and its
 * answer goes nowhere. */
#pragma once

#include "proc/control/request.h"

enum { GATEWAYS_MAX = 64, GATEWAY_REQUESTS_MAX = 20000 /* of one gateway, under way */ };

int gateway_links_new(struct control *control, struct gateway_links **links) ATTR_MUST_CHECK;
void gateway_links_free(struct gateway_links *links);
int gateway_links_connect(struct gateway_links *links, uint16_t index,
			  int fd) ATTR_MUST_CHECK; /* takes the descriptor */

/* Takes it off its gateway without an answer: the stream role answers. */
void gateway_link_leave(struct control_request *request);

/* `type` is HEAD or ANSWER. After ANSWER the request has left its gateway. */
void gateway_link_send(struct control_request *request, unsigned type,
		       const struct gateway_control_answer *answer);

/* To all gateways. */
void gateway_links_withdraw(struct gateway_links *links, struct uuid key);
void gateway_links_metrics(struct gateway_links *links,
			   const struct gateway_control_metrics *metrics);
size_t gateway_links_requests(const struct gateway_links *links); /* under way, of all gateways */
