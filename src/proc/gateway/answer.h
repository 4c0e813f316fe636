/* The head and body of an answer in the making, with what every answer carries: the request's id,
 * CORS, and fields that keep browsers from taking a tenant's bytes for a page of ours. Holds views
 * only; pure. */
#pragma once

#include "base/arena.h"
#include "proto/problem.h"
#include "wire/codec.h"

enum { ANSWER_HEADERS_MAX = 48, CORS_ORIGINS_MAX = 32 };

struct answer {
	uint16_t status;
	size_t n_headers;
	struct wire_pair headers[ANSWER_HEADERS_MAX];
	struct bytes body;
	uint64_t length; /* of HEAD: of the body that is not sent; 0: the body's size */
};

/* The origins that browsers may call from. "*" stands for any: credentials are never sent by
 * themselves here. */
struct cors {
	struct text origins[CORS_ORIGINS_MAX];
	size_t count;
};

int cors_parse(struct text setting,
	       struct cors *cors); /* 1 if there are too many; views into `setting` */
bool cors_allows(const struct cors *cors, struct text origin);

void answer_begin(struct answer *answer, uint16_t status);
void answer_add(struct answer *answer, struct text name,
		struct text value); /* what is past the limit is left out */
void answer_add_all(struct answer *answer, const struct wire_list *pairs); /* of struct wire_pair */
bool answer_has(const struct answer *answer, struct text name);

/* What control or the gateway said takes precedence over the defaults here. `origin` has data NULL
 * if none was sent. */
void answer_add_common(struct answer *answer, struct text request_id, const struct cors *cors,
		       struct text origin);

/* Makes the answer a problem document; what it points at lies in `arena`. -ENOMEM. */
int answer_problem(struct answer *answer, const struct problem *problem,
		   struct arena *arena) ATTR_MUST_CHECK;

/* 410: the members that let a client go on. */
int answer_expired(struct answer *answer, const struct problem *problem, struct text oldest,
		   struct arena *arena) ATTR_MUST_CHECK;

/* Answers OPTIONS: the methods of the path, and what a preflight asks for. `methods` as
 * router_allow() writes them. */
void answer_options(struct answer *answer, struct text methods, bool preflight);
