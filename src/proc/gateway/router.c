#include "proc/gateway/router.h"

#include <assert.h>

const char *const router_method_names[METHODS] = {
    [METHOD_GET] = "GET",         [METHOD_HEAD] = "HEAD",   [METHOD_POST] = "POST",
    [METHOD_PUT] = "PUT",         [METHOD_PATCH] = "PATCH", [METHOD_DELETE] = "DELETE",
    [METHOD_OPTIONS] = "OPTIONS",
};

static bool is_variable(struct text segment)
{
	return segment.size > 0 && segment.data[0] == '{';
}

static bool takes_rest(struct text segment)
{
	return text_equal(segment, TEXT("{path...}"));
}

static int find_method(struct text name)
{
	for (int i = 0; i < METHODS; i++)
		if (text_equal(name, text_of(router_method_names[i])))
			return i;
	return -1;
}

/* ---- compiling ---- */

static struct router_node *add_child(struct router *router, struct router_node *parent,
				     struct text segment)
{
	assert(router->count < ROUTER_NODES_MAX);
	uint8_t *link = &parent->first_child;
	while (*link && !is_variable(router->nodes[*link].segment))
		link = &router->nodes[*link].next_sibling;
	assert(!*link || !is_variable(segment)); /* one variable at a place */
	struct router_node *node = &router->nodes[router->count];
	*node = (struct router_node){.segment = segment, .next_sibling = *link};
	*link = (uint8_t)router->count++;
	return node;
}

static struct router_node *child_named(struct router *router, struct router_node *parent,
				       struct text segment)
{
	for (uint8_t i = parent->first_child; i; i = router->nodes[i].next_sibling)
		if (text_equal(router->nodes[i].segment, segment))
			return &router->nodes[i];
	return add_child(router, parent, segment);
}

void router_compile(struct router *router)
{
	*router = (struct router){.count = 1};
	for (size_t i = 0; i < API_CALLS; i++) {
		const struct api_route *route = &api_routes[i];
		assert(route->call == i && route->path && route->path[0] == '/');
		struct text rest = text_of(route->path + 1), segment;
		struct router_node *node = &router->nodes[0];
		while (rest.data) {
			text_split(&rest, '/', &segment);
			node = child_named(router, node, segment);
		}
		int method = find_method(text_of(route->method));
		assert(method >= 0 && !node->routes[method]);
		node->routes[method] = route;
		if (method == METHOD_GET)
			node->routes[METHOD_HEAD] = route;
	}
}

/* ---- matching ---- */

static void keep_variable(struct router_match *match, struct text variable, struct text value)
{
	if (text_equal(variable, TEXT("{id}")) || text_equal(variable, TEXT("{name}")))
		match->name = value;
	else
		match->id = value;
}

static const struct router_node *step(const struct router *router, const struct router_node *node,
				      struct text segment, struct text *rest,
				      struct router_match *match)
{
	for (uint8_t i = node->first_child; i; i = router->nodes[i].next_sibling) {
		const struct router_node *child = &router->nodes[i];
		if (takes_rest(child->segment)) {
			size_t size = segment.size + (rest->data ? 1 + rest->size : 0);
			match->path = (struct text){segment.data, size};
			*rest = (struct text){NULL, 0};
			return size > 0 ? child : NULL;
		}
		if (is_variable(child->segment)) {
			keep_variable(match, child->segment, segment);
			return segment.size > 0 ? child : NULL;
		}
		if (text_equal(child->segment, segment))
			return child;
	}
	return NULL;
}

static unsigned methods_of(const struct router_node *node)
{
	unsigned methods = 0;
	for (unsigned i = 0; i < METHODS; i++)
		if (node->routes[i])
			methods |= 1u << i;
	return methods;
}

enum router_verdict router_find(const struct router *router, struct text method, struct text path,
				struct router_match *match)
{
	struct router_match found = {0};
	if (path.size == 0 || path.data[0] != '/')
		return ROUTER_NO_PATH;
	struct text rest = text_skip(path, 1), segment;
	const struct router_node *node = &router->nodes[0];
	while (node && rest.data) {
		text_split(&rest, '/', &segment);
		node = step(router, node, segment, &rest, &found);
	}
	found.methods = node ? methods_of(node) : 0;
	if (!found.methods)
		return ROUTER_NO_PATH;
	found.methods |= 1u << METHOD_OPTIONS;
	int index = find_method(method);
	found.route = index >= 0 ? node->routes[index] : NULL;
	*match = found;
	return found.route ? ROUTER_FOUND : ROUTER_NO_METHOD;
}

void router_allow(unsigned methods, struct buffer *out)
{
	size_t start = out->size;
	for (unsigned i = 0; i < METHODS; i++) {
		if (!(methods & 1u << i))
			continue;
		if (out->size > start)
			buffer_append_text(out, TEXT(", "));
		buffer_append_text(out, text_of(router_method_names[i]));
	}
}
