/* Which call a method and a path stand for. The table is api_routes (proto/api.c); the router is
 * the same as a tree of segments, so that a path is walked once. It looks at raw bytes:
 * percent-decoding comes after routing, so an encoded slash never makes a segment. */
#pragma once

#include "base/buffer.h"
#include "proto/api.h"

enum { ROUTER_NODES_MAX = 128 };

enum router_method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_OPTIONS,
	METHODS,
};

extern const char *const router_method_names[METHODS];

struct router_node {
	struct text segment;  /* a literal, or what stands in for the variable, "{ws}" */
	uint8_t first_child;  /* index; 0: none */
	uint8_t next_sibling; /* a variable is the last among its siblings: literals win */
	const struct api_route *routes[METHODS];
};

struct router {
	struct router_node nodes[ROUTER_NODES_MAX];
	size_t count;
};

struct router_match {
	const struct api_route *route;
	unsigned methods; /* 1 << enum router_method that the path has */
	struct text id;   /* {ws}, {prj} or {op}, as it stands in the path */
	struct text name; /* {id} or {name}, not decoded */
	struct text path; /* {path...}, not decoded */
};

enum router_verdict { ROUTER_FOUND, ROUTER_NO_PATH, ROUTER_NO_METHOD };

void router_compile(struct router *router); /* asserts that the table is sound */

/* `match` is written with ROUTER_FOUND, and its `methods` with ROUTER_NO_METHOD. HEAD stands for
 * GET. */
enum router_verdict router_find(const struct router *router, struct text method, struct text path,
				struct router_match *match);

/* "GET, HEAD, OPTIONS" */
void router_allow(unsigned methods, struct buffer *out);
