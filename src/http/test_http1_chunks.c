/* The chunked coding, whole and cut at every byte: the same comes out. */
#include "http/http1_chunks.h"

#include "base/buffer.h"
#include "base/unit_test.h"

/* Feeds `raw` in pieces of `step` bytes. `rest`: what is left behind the body. */
static enum http1_chunks_outcome decode(struct text raw, size_t step, struct buffer *body,
					size_t *rest)
{
	struct http1_chunks chunks = {.is_used = true};
	enum http1_chunks_outcome outcome = HTTP1_CHUNKS_MORE;
	while (raw.size > 0 && outcome == HTTP1_CHUNKS_MORE) {
		struct bytes piece,
		    input = {(const uint8_t *)raw.data, raw.size < step ? raw.size : step};
		size_t given = input.size;
		while ((outcome = http1_chunks_next(&chunks, &input, &piece)) == HTTP1_CHUNKS_DATA)
			buffer_append(body, piece.data, piece.size);
		raw = text_skip(raw, given - input.size);
	}
	*rest = raw.size;
	return outcome;
}

static void assert_decoded(struct text raw, struct text wanted, size_t wanted_rest)
{
	for (size_t step = 1; step <= raw.size; step++) {
		struct buffer body ATTR_BUFFER = {0};
		size_t rest;
		assert_int_equal(decode(raw, step, &body, &rest), HTTP1_CHUNKS_END);
		assert_int_equal(body.size, wanted.size);
		if (wanted.size > 0)
			assert_memory_equal(body.data, wanted.data, wanted.size);
		assert_int_equal(rest, wanted_rest);
	}
}

static void assert_bad(struct text raw)
{
	const size_t steps[] = {1, 2, raw.size};
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct buffer body ATTR_BUFFER = {0};
		size_t rest;
		enum http1_chunks_outcome outcome = decode(raw, steps[i], &body, &rest);
		if (outcome != HTTP1_CHUNKS_BAD)
			print_error("taken: %.*s\n", (int)raw.size, raw.data);
		assert_int_equal(outcome, HTTP1_CHUNKS_BAD);
	}
}

static void test_bodies(void **state ATTR_UNUSED)
{
	assert_decoded(TEXT("0\r\n\r\n"), TEXT(""), 0);
	assert_decoded(TEXT("0000\r\n\r\nGET /"), TEXT(""), strlen("GET /"));
	assert_decoded(TEXT("3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n"), TEXT("abc0123456789"),
		       0);
	assert_decoded(TEXT("2\r\n\r\n\r\n0\r\n\r\n"), TEXT("\r\n"), 0);
	assert_decoded(TEXT("1;a=b;c=\"d\"\r\nx\r\n0;last\r\n\r\n"), TEXT("x"), 0);
	assert_decoded(TEXT("1\r\nx\r\n0\r\nA: b\r\nContent-Length: 5\r\n\r\nnext"), TEXT("x"),
		       strlen("next"));
}

static void test_what_is_not_whole(void **state ATTR_UNUSED)
{
	static const struct text raw = TEXT("3\r\nabc\r\n0\r\nA: b\r\n\r\n");
	for (size_t size = 1; size < raw.size; size++) {
		struct buffer body ATTR_BUFFER = {0};
		size_t rest;
		assert_int_equal(decode((struct text){raw.data, size}, size, &body, &rest),
				 HTTP1_CHUNKS_MORE);
		assert_int_equal(rest, 0);
	}
}

static void test_what_is_malformed(void **state ATTR_UNUSED)
{
	static const struct text malformed[] = {
	    TEXT("\r\n"),
	    TEXT(";a\r\n"),
	    TEXT("g\r\n"),
	    TEXT("+1\r\nx\r\n"),
	    TEXT("-1\r\n"),
	    TEXT("0x1\r\nx\r\n"),
	    TEXT(" 1\r\nx\r\n"),
	    TEXT("1 \r\nx\r\n"),
	    TEXT("1\nx\n0\n\n"),
	    TEXT("1\r\nx\n0\r\n\r\n"),
	    TEXT("1\rx"),
	    TEXT("1\r\nxy\r\n"),
	    TEXT("1;a\nb\r\nx\r\n"),
	    TEXT("1;a\0\r\nx\r\n"),
	    TEXT("1;a\rb\r\n"),
	    TEXT("0\r\nA: b\n\r\n"),
	    TEXT("0\r\nA: \0\r\n\r\n"),
	    TEXT("0\r\n\rx"),
	    TEXT("0\r\n\n"),
	    TEXT("10000000000000000\r\n"),
	    TEXT("ffffffffffffffffff\r\n"),
	};
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
		assert_bad(malformed[i]);
}

static void append_many(struct buffer *out, char byte, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buffer_append_byte(out, (uint8_t)byte);
}

static void test_limits(void **state ATTR_UNUSED)
{
	struct buffer zeros ATTR_BUFFER = {0}, extension ATTR_BUFFER = {0},
			    trailer ATTR_BUFFER = {0};
	append_many(&zeros, '0', HTTP1_CHUNK_LINE_MAX + 1);
	assert_bad(buffer_text(&zeros));
	buffer_append_text(&extension, TEXT("1;"));
	append_many(&extension, 'a', HTTP1_CHUNK_LINE_MAX);
	assert_bad(buffer_text(&extension));
	buffer_append_text(&trailer, TEXT("0\r\n"));
	while (trailer.size <= HTTP1_TRAILER_MAX * 2)
		buffer_append_text(&trailer, TEXT("A: b\r\n"));
	assert_bad(buffer_text(&trailer));
}

/* The limit of a line is one line's: a long body of small chunks with extensions passes. */
static void test_limits_begin_anew_with_each_chunk(void **state ATTR_UNUSED)
{
	struct buffer raw ATTR_BUFFER = {0}, body ATTR_BUFFER = {0};
	size_t rest;
	for (int i = 0; i < 100; i++)
		buffer_append_text(&raw, TEXT("1;extension\r\nx\r\n"));
	buffer_append_text(&raw, TEXT("0\r\n\r\n"));
	assert_int_equal(decode(buffer_text(&raw), 7, &body, &rest), HTTP1_CHUNKS_END);
	assert_int_equal(body.size, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bodies),
	    cmocka_unit_test(test_what_is_not_whole),
	    cmocka_unit_test(test_what_is_malformed),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_limits_begin_anew_with_each_chunk),
	};
	return cmocka_run_group_tests_name("http1 chunks", tests, NULL, NULL);
}
