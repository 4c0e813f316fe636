/* Heads of requests: what is understood, and what is refused because two readers could understand
 * it in two ways. */
#include "http/exchange.h"
#include "http/http1_head.h"

#include "base/unit_test.h"

#include <stdlib.h>

struct parsed {
	struct http1_head head;
	struct http_refusal refusal;
	struct http_field fields[HTTP_FIELDS_MAX];
	struct buffer raw;
	int r;
};

static void parse_bytes(struct parsed *parsed, struct text raw)
{
	*parsed = (struct parsed){0};
	parsed->head.fields = parsed->fields;
	buffer_append_text(&parsed->raw, raw);
	parsed->r = http1_head_parse((char *)parsed->raw.data, parsed->raw.size, &parsed->head,
				     &parsed->refusal);
}

static void parse(struct parsed *parsed, const char *raw)
{
	parse_bytes(parsed, text_of(raw));
}

static void end(struct parsed *parsed)
{
	buffer_free(&parsed->raw);
}

static void assert_text(struct text text, const char *wanted)
{
	assert_int_equal(text.size, strlen(wanted));
	assert_memory_equal(text.data, wanted, text.size);
}

static void assert_field(const struct parsed *parsed, size_t index, const char *name,
			 const char *value)
{
	assert_true(index < parsed->head.n_fields);
	assert_text(parsed->fields[index].name, name);
	assert_text(parsed->fields[index].value, value);
}

/* ---- understood ---- */

static void test_a_head_is_taken_apart(void **state ATTR_UNUSED)
{
	struct parsed parsed;
	parse(&parsed, "PUT /a%20b?c=d HTTP/1.1\r\nHost: h:1\r\nX-Mixed:\t v \t\r\nEmpty:\r\n"
		       "Content-Length: 12\r\nExpect: 100-Continue\r\n\r\n");
	assert_int_equal(parsed.r, 0);
	assert_text(parsed.head.method, "PUT");
	assert_text(parsed.head.target, "/a%20b?c=d");
	assert_field(&parsed, 0, "host", "h:1");
	assert_field(&parsed, 1, "x-mixed", "v");
	assert_field(&parsed, 2, "empty", "");
	assert_int_equal(parsed.head.length, 12);
	assert_true(parsed.head.has_length && parsed.head.keeps_alive);
	assert_true(parsed.head.expects_continue && !parsed.head.is_chunked);
	end(&parsed);
}

static void test_the_size_of_a_head(void **state ATTR_UNUSED)
{
	static const char head[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\nrest";
	size_t size = strlen(head) - strlen("rest");
	for (size_t given = 0; given <= strlen(head); given++)
		assert_int_equal(http1_head_size((struct bytes){(const uint8_t *)head, given}),
				 given < size ? 0 : size);
}

static void test_who_keeps_the_connection(void **state ATTR_UNUSED)
{
	static const struct {
		const char *rest;
		bool keeps_alive;
	} cases[] = {
	    {"HTTP/1.1\r\nHost: h\r\n\r\n", true},
	    {"HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n", false},
	    {"HTTP/1.1\r\nHost: h\r\nConnection: a , close\r\n\r\n", false},
	    {"HTTP/1.1\r\nHost: h\r\nConnection: close\r\nConnection: x\r\n\r\n", false},
	    {"HTTP/1.1\r\nHost: h\r\nConnection: x\r\nConnection: close\r\n\r\n", false},
	    {"HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n", true},
	    {"HTTP/1.0\r\n\r\n", false},
	    {"HTTP/1.0\r\nConnection: x\r\nConnection: keep-alive\r\n\r\n", true},
	    {"HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed parsed;
		struct buffer raw ATTR_BUFFER = {0};
		buffer_append_format(&raw, "GET / %s", cases[i].rest);
		parse_bytes(&parsed, buffer_text(&raw));
		assert_int_equal(parsed.r, 0);
		assert_int_equal(parsed.head.keeps_alive, cases[i].keeps_alive);
		end(&parsed);
	}
}

static void test_forms_of_the_target(void **state ATTR_UNUSED)
{
	static const struct {
		const char *raw, *target, *host;
	} cases[] = {
	    {"GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "/a", "h"},
	    {"GET //a HTTP/1.1\r\nHost: h\r\n\r\n", "//a", "h"},
	    {"GET http://x:8080/a?b HTTP/1.1\r\nHost: h\r\n\r\n", "/a?b", "x:8080"},
	    {"GET HtTpS://[::1]/ HTTP/1.1\r\nHost: h\r\n\r\n", "/", "[::1]"},
	    {"GET http://x HTTP/1.1\r\nHost: h\r\n\r\n", "/", "x"},
	    {"GET http://x?q HTTP/1.1\r\nHost: h\r\n\r\n", "/?q", "x"},
	    {"GET http://x/http://y HTTP/1.0\r\nHost: h\r\n\r\n", "/http://y", "x"},
	    {"GET http://x/ HTTP/1.0\r\n\r\n", "/", "x"},
	    {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "*", "h"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed parsed;
		parse(&parsed, cases[i].raw);
		assert_int_equal(parsed.r, 0);
		assert_text(parsed.head.target, cases[i].target);
		assert_int_equal(parsed.head.n_fields, 1);
		assert_field(&parsed, 0, "host", cases[i].host);
		end(&parsed);
	}
}

/* ---- refused ---- */

static void assert_refused(struct text raw, int status)
{
	struct parsed parsed;
	parse_bytes(&parsed, raw);
	if (parsed.r != 1 || parsed.refusal.status != status)
		print_error("not refused with %d: %.*s\n", status, (int)raw.size, raw.data);
	assert_int_equal(parsed.r, 1);
	assert_int_equal(parsed.refusal.status, status);
	assert_non_null(parsed.refusal.detail);
	end(&parsed);
}

static void test_request_lines_that_are_refused(void **state ATTR_UNUSED)
{
	static const struct {
		struct text line;
		int status;
	} cases[] = {
	    {TEXT("GET  / HTTP/1.1"), 400},
	    {TEXT("GET / HTTP/1.1 "), 400},
	    {TEXT(" GET / HTTP/1.1"), 400},
	    {TEXT("GET /"), 400},
	    {TEXT("GET\t/\tHTTP/1.1"), 400},
	    {TEXT("G(T / HTTP/1.1"), 400},
	    {TEXT("SEVENTEENLETTERSX / HTTP/1.1"), 400},
	    {TEXT("GET a HTTP/1.1"), 400},
	    {TEXT("GET /a b HTTP/1.1"), 400},
	    {TEXT("GET /#a HTTP/1.1"), 400},
	    {TEXT("GET /\0a HTTP/1.1"), 400},
	    {TEXT("GET /\x7f HTTP/1.1"), 400},
	    {TEXT("GET /\xc3\xa4 HTTP/1.1"), 400},
	    {TEXT("GET * HTTP/1.1"), 400},
	    {TEXT("OPTIONS ** HTTP/1.1"), 400},
	    {TEXT("CONNECT h:80 HTTP/1.1"), 400},
	    {TEXT("GET http:///a HTTP/1.1"), 400},
	    {TEXT("GET http:// HTTP/1.1"), 400},
	    {TEXT("GET http://u:p@h/ HTTP/1.1"), 400},
	    {TEXT("GET http:/h/ HTTP/1.1"), 400},
	    {TEXT("GET ftp://h/ HTTP/1.1"), 400},
	    {TEXT("GET / http/1.1"), 400},
	    {TEXT("GET / HTTP/1,1"), 400},
	    {TEXT("GET / HTTP/1.10"), 400},
	    {TEXT("GET / HTTP/0.9"), 505},
	    {TEXT("GET / HTTP/1.2"), 505},
	    {TEXT("GET / HTTP/2.0"), 505},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buffer raw ATTR_BUFFER = {0};
		buffer_append_text(&raw, cases[i].line);
		buffer_append_text(&raw, TEXT("\r\nHost: h\r\n\r\n"));
		assert_refused(buffer_text(&raw), cases[i].status);
	}
}

static void test_fields_that_are_refused(void **state ATTR_UNUSED)
{
	static const struct {
		struct text fields;
		int status;
	} cases[] = {
	    /* two ways to tell where the body ends */
	    {TEXT("Content-Length: 1\r\nContent-Length: 1\r\n"), 400},
	    {TEXT("Content-Length: 1\r\nContent-Length: 2\r\n"), 400},
	    {TEXT("Content-Length: 1, 1\r\n"), 400},
	    {TEXT("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400},
	    {TEXT("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"), 400},
	    {TEXT("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
	    {TEXT("Transfer-Encoding: chunked, identity\r\n"), 501},
	    {TEXT("Transfer-Encoding: gzip, chunked\r\n"), 501},
	    {TEXT("Transfer-Encoding: xchunked\r\n"), 501},
	    {TEXT("Transfer-Encoding:\r\n"), 501},
	    {TEXT("Transfer-Encoding: \x0b"
		  "chunked\r\n"),
	     400},
	    {TEXT("Content-Length: +1\r\n"), 400},
	    {TEXT("Content-Length: -1\r\n"), 400},
	    {TEXT("Content-Length: 0x1\r\n"), 400},
	    {TEXT("Content-Length: 1 \x0c\r\n"), 400},
	    {TEXT("Content-Length:\r\n"), 400},
	    {TEXT("Content-Length: 9223372036854775808\r\n"), 400},
	    {TEXT("Content-Length: 00000000000000000001\r\n"), 400},
	    /* lines that end, names that are read, differently elsewhere */
	    {TEXT("Content-Length : 1\r\n"), 400},
	    {TEXT("Content-Length\t: 1\r\n"), 400},
	    {TEXT(" Content-Length: 1\r\n"), 400},
	    {TEXT("X: a\r\n b\r\n"), 400},
	    {TEXT("X: a\r\n\tb\r\n"), 400},
	    {TEXT("X: a\nContent-Length: 1\r\n"), 400},
	    {TEXT("X: a\rContent-Length: 1\r\n"), 400},
	    {TEXT("X: a\0b\r\n"), 400},
	    {TEXT("X\0Y: a\r\n"), 400},
	    {TEXT("X: \x7f\r\n"), 400},
	    {TEXT("X Y: a\r\n"), 400},
	    {TEXT("X\r\n"), 400},
	    {TEXT(": a\r\n"), 400},
	    {TEXT("\xc3\xa4: a\r\n"), 400},
	    /* who is meant */
	    {TEXT("Host: other\r\n"), 400},
	    {TEXT("Expect: 100-continue\r\nExpect: 100-continue\r\n"), 417},
	    {TEXT("Expect: something\r\n"), 417},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buffer raw ATTR_BUFFER = {0};
		buffer_append_text(&raw, TEXT("POST / HTTP/1.1\r\nHost: h\r\n"));
		buffer_append_text(&raw, cases[i].fields);
		buffer_append_text(&raw, TEXT("\r\n"));
		assert_refused(buffer_text(&raw), cases[i].status);
	}
}

static void test_hosts_that_are_refused(void **state ATTR_UNUSED)
{
	static const char *const hosts[] = {"",
					    "Host: a b\r\n",
					    "Host: a,b\r\n",
					    "Host: a/b\r\n",
					    "Host: u@h\r\n",
					    "Host: a\\b\r\n"};
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct buffer raw ATTR_BUFFER = {0};
		buffer_append_format(&raw, "GET http://x/ HTTP/1.1\r\n%s\r\n", hosts[i]);
		assert_refused(buffer_text(&raw), 400);
	}
	assert_refused(TEXT("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

static void test_limits(void **state ATTR_UNUSED)
{
	for (int over = 0; over <= 1; over++) {
		struct buffer raw ATTR_BUFFER = {0}, fields ATTR_BUFFER = {0};
		struct parsed parsed;
		buffer_append_text(&raw, TEXT("GET /"));
		for (int i = 1; i < HTTP_TARGET_MAX + over; i++)
			buffer_append_byte(&raw, 'a');
		buffer_append_text(&raw, TEXT(" HTTP/1.1\r\nHost: h\r\n\r\n"));
		parse_bytes(&parsed, buffer_text(&raw));
		assert_int_equal(parsed.r, over);
		assert_int_equal(parsed.refusal.status, over ? 414 : 0);
		end(&parsed);
		buffer_append_text(&fields, TEXT("GET / HTTP/1.1\r\nHost: h\r\n"));
		for (int i = 1; i < HTTP_FIELDS_MAX + over; i++)
			buffer_append_text(&fields, TEXT("X: a\r\n"));
		buffer_append_text(&fields, TEXT("\r\n"));
		parse_bytes(&parsed, buffer_text(&fields));
		assert_int_equal(parsed.r, over);
		assert_int_equal(parsed.refusal.status, over ? 431 : 0);
		end(&parsed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_head_is_taken_apart),
	    cmocka_unit_test(test_the_size_of_a_head),
	    cmocka_unit_test(test_who_keeps_the_connection),
	    cmocka_unit_test(test_forms_of_the_target),
	    cmocka_unit_test(test_request_lines_that_are_refused),
	    cmocka_unit_test(test_fields_that_are_refused),
	    cmocka_unit_test(test_hosts_that_are_refused),
	    cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests_name("http1 head", tests, NULL, NULL);
}
