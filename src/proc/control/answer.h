/* Answers to a request. Each of these but the first two ends the request: it must not be touched
 * afterwards. Headers of rate limits are added by themselves. */
#pragma once

#include "proc/control/request.h"

/* Before the answer; the texts are copied. */
void control_answer_header(struct control_request *request, const char *name, struct text value);

/* The head of a streamed answer: what follows comes through the request's pipe from somebody else.
 */
void control_answer_stream_head(struct control_request *request, uint16_t status, bool has_length,
				uint64_t length);
void control_answer_stream_end(struct control_request *request, bool broken);

/* A JSON body. A buffer that has failed answers `internal`. */
void control_answer_json(struct control_request *request, uint16_t status,
			 const struct buffer *body);
void control_answer_bytes(struct control_request *request, uint16_t status, const char *media_type,
			  struct bytes body);
/* No body. `length` is told by HEAD calls: UINT64_MAX for none. */
void control_answer_empty(struct control_request *request, uint16_t status, uint64_t length);

void control_answer_problem(struct control_request *request, enum problem_code code,
			    const char *detail, ...) ATTR_PRINTF(3, 4); /* detail may be NULL */
/* The same with a problem of the caller's making, such as one of an operation. */
void control_answer_problem_document(struct control_request *request,
				     const struct problem *problem);
/* What a store outcome means to a client, or a negative error. STORE_NOT_FOUND is not_found, EXISTS
 * already_exists, CONFLICT conflict. */
void control_answer_outcome(struct control_request *request, int outcome);

/* The request was handed to the stream role, which answers the gateway itself. */
void control_answer_elsewhere(struct control_request *request);
