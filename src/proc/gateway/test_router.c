#include "proc/gateway/router.h"

#include "proc/gateway/test.h"

static struct router router;

static int compile(void **state)
{
	(void)state;
	router_compile(&router);
	return 0;
}

static enum router_verdict find(const char *method, const char *path, struct router_match *match)
{
	*match = (struct router_match){0};
	return router_find(&router, text_of(method), text_of(path), match);
}

static void assert_text(struct text text, const char *expected)
{
	assert_int_equal(text.size, strlen(expected));
	assert_memory_equal(text.data, expected, text.size);
}

/* Every row is found by its own pattern: no row hides another. */
static void test_every_call_is_reached(void **state)
{
	(void)state;
	for (size_t i = 0; i < API_CALLS; i++) {
		struct router_match match;
		assert_int_equal(find(api_routes[i].method, api_routes[i].path, &match),
				 ROUTER_FOUND);
		assert_ptr_equal(match.route, &api_routes[i]);
	}
}

static void test_variables(void **state)
{
	(void)state;
	struct router_match match;
	assert_int_equal(find("GET", "/v1/projects/prj_1/streams/a%2Fb/events", &match),
			 ROUTER_FOUND);
	assert_int_equal(match.route->call, API_STREAM_EVENTS);
	assert_text(match.id, "prj_1");
	assert_text(match.name, "a%2Fb");
	assert_int_equal(find("GET", "/v1/workspaces/w/keys/k", &match), ROUTER_FOUND);
	assert_text(match.id, "w");
	assert_text(match.name, "k");
}

static void test_rest_of_the_path(void **state)
{
	(void)state;
	struct router_match match;
	assert_int_equal(find("PUT", "/v1/projects/p/files/a/../b//c/", &match), ROUTER_FOUND);
	assert_int_equal(match.route->call, API_FILE_PUT);
	assert_text(match.path, "a/../b//c/");
	assert_int_equal(find("GET", "/v1/projects/p/files/", &match), ROUTER_NO_PATH);
	assert_int_equal(find("GET", "/v1/projects/p/files", &match), ROUTER_NO_PATH);
}

static void test_unknown_paths(void **state)
{
	(void)state;
	static const char *const paths[] = {
	    "",
	    "/",
	    "*",
	    "/v1",
	    "/v1/",
	    "/v2/workspaces",
	    "/v1/workspaces/",
	    "/v1/workspaces//keys",
	    "/V1/workspaces",
	    "/v1/workspaces/w/nothing",
	    "/v1/operations",
	    "v1/workspaces",
	    "/healthz/",
	    "http://x/v1/workspaces",
	};
	struct router_match match;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		assert_int_equal(find("GET", paths[i], &match), ROUTER_NO_PATH);
}

static void test_methods(void **state)
{
	(void)state;
	struct router_match match;
	assert_int_equal(find("HEAD", "/v1/projects/p/files/x", &match), ROUTER_FOUND);
	assert_int_equal(match.route->call, API_FILE_GET);
	assert_int_equal(find("PATCH", "/v1/projects/p/files/x", &match), ROUTER_NO_METHOD);
	ATTR_BUFFER struct buffer allow = {0};
	router_allow(match.methods, &allow);
	assert_text(buffer_text(&allow), "GET, HEAD, PUT, DELETE, OPTIONS");
	assert_int_equal(find("get", "/healthz", &match), ROUTER_NO_METHOD);
	assert_int_equal(find("TRACE", "/healthz", &match), ROUTER_NO_METHOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_call_is_reached),
	    cmocka_unit_test(test_variables),
	    cmocka_unit_test(test_rest_of_the_path),
	    cmocka_unit_test(test_unknown_paths),
	    cmocka_unit_test(test_methods),
	};
	return cmocka_run_group_tests(tests, compile, NULL);
}
