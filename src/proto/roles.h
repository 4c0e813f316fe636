/* The roles, and which of them talk to each other: the edges of ARCHITECTURE.md's picture. */
#pragma once

#include "base/text.h"

#include <stdint.h>

enum role_kind {
	ROLE_SUPERVISOR,
	ROLE_GATEWAY,
	ROLE_CONTROL,
	ROLE_STREAM,
	ROLE_AUDIT,
	ROLE_WORKER,
	ROLE_ISSUER, /* fetches an OIDC issuer's key set; runs only where one is configured by URL
		      */
	ROLE_KINDS
};

#define ROLE_BIT(kind) (1u << (kind))

extern const char *const role_names[ROLE_KINDS];
int role_parse(struct text name, enum role_kind *kind); /* 1 if it is none */

struct protocol;

/* A channel between two roles. `first` is the side that the protocol's name begins with. */
struct role_edge {
	enum role_kind first;
	enum role_kind second;
	const struct protocol *protocol;
};

extern const struct role_edge role_edges[];
extern const size_t n_role_edges;
