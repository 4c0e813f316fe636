#include "base/clock.h"
#include "base/encode.h"
#include "base/id.h"
#include "base/json.h"
#include "base/unit_test.h"

static void base64_round_trips_with_one_spelling(void **state ATTR_UNUSED)
{
	uint8_t raw[64];
	for (size_t size = 0; size <= sizeof(raw); size++) {
		struct buffer text ATTR_BUFFER = {0}, back ATTR_BUFFER = {0};
		for (size_t i = 0; i < size; i++)
			raw[i] = (uint8_t)(i * 37 + size);
		encode_base64(&text, (struct bytes){raw, size});
		assert_int_equal(decode_base64(&back, buffer_text(&text)), 0);
		assert_int_equal(back.size, size);
		if (size)
			assert_memory_equal(back.data, raw, size);
	}
	static const char *const refused[] = {
	    "A", "AAA", "AA=A", "====", "AB==", "AAB=", "AA\n=", "A===", "AAAA="};
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct buffer back ATTR_BUFFER = {0};
		assert_int_equal(decode_base64(&back, text_of(refused[i])), 1);
	}
}

static void identifiers_sort_and_round_trip(void **state ATTR_UNUSED)
{
	struct uuid previous = uuid_new(1700000000000), parsed;
	assert_true(uuid_time_ms(previous) == 1700000000000);
	for (int i = 0; i < 10000; i++) {
		struct uuid next = uuid_new(1700000000000 - i % 3);
		assert_true(memcmp(previous.b, next.b, sizeof(next.b)) < 0);
		struct id_text text = id_format(ID_OPERATION, next);
		assert_int_equal(id_parse(ID_OPERATION, text_of(text.data), &parsed), 0);
		assert_true(uuid_equal(parsed, next));
		previous = next;
	}
}

static void foreign_identifiers_are_refused(void **state ATTR_UNUSED)
{
	struct uuid parsed;
	static const char *const refused[] = {"",
					      "op_",
					      "op_0123456789abcdefghjkmnpqr",
					      "ws_0123456789abcdefghjkmnpqrs",
					      "op_8123456789abcdefghjkmnpqrs",
					      "op_0123456789ABCDEFGHJKMNPQRS",
					      "op_0123456789abcdefghjkmnpqri",
					      "op_0123456789abcdefghjkmnpqrss"};
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(id_parse(ID_OPERATION, text_of(refused[i]), &parsed), 1);
	assert_int_equal(id_parse(ID_OPERATION, TEXT("op_0123456789abcdefghjkmnpqrs"), &parsed), 0);
}

/* At every place of a text longer than what is looked at at once, every byte is escaped or stands
 * for itself. */
static void json_escapes_each_byte_at_each_place(void **state ATTR_UNUSED)
{
	for (unsigned c = 0; c < 256; c++) {
		for (size_t at = 0; at < 24; at++) {
			char text[24];
			memset(text, 'x', sizeof(text));
			text[at] = (char)c;
			struct buffer out ATTR_BUFFER = {0};
			json_escape(&out, (struct text){text, sizeof(text)});
			bool escaped = c < 0x20 || c == '"' || c == '\\';
			assert_int_equal(out.size > sizeof(text), escaped);
			assert_int_equal(out.data[at], escaped ? '\\' : c);
		}
	}
}

static void json_is_written_with_commas_and_escapes(void **state ATTR_UNUSED)
{
	struct buffer out ATTR_BUFFER = {0};
	struct json json = json_to(&out);
	json_object(&json);
	json_key(&json, "text");
	json_text(&json, TEXT("a\"\\\n\x01\x1f/\xe2\x82\xac"));
	json_key(&json, "list");
	json_array(&json);
	json_u64(&json, UINT64_MAX);
	json_i64(&json, INT64_MIN);
	json_bool(&json, true);
	json_null(&json);
	json_object(&json);
	json_object_end(&json);
	json_array_end(&json);
	json_key(&json, "time");
	json_time(&json, 1700000000123);
	json_object_end(&json);
	assert_int_equal(buffer_check(&out), 0);
	assert_true(text_equal(
	    buffer_text(&out),
	    TEXT("{\"text\":\"a\\\"\\\\\\n\\u0001\\u001f/"
		 "\xe2\x82\xac\",\"list\":[18446744073709551615,"
		 "-9223372036854775808,true,null,{}],\"time\":\"2023-11-14T22:13:20.123Z\"}")));
}

static void a_buffer_fails_once_and_stays_failed(void **state ATTR_UNUSED)
{
	struct buffer out ATTR_BUFFER = {.limit = 10};
	buffer_append(&out, "12345678", 8);
	assert_int_equal(buffer_check(&out), 0);
	buffer_append(&out, "90a", 3);
	assert_true(buffer_check(&out) < 0);
	buffer_append(&out, "9", 1);
	assert_int_equal(out.size, 8);
	buffer_clear(&out);
	buffer_append(&out, "1234567890", 10);
	assert_int_equal(buffer_check(&out), 0);
	buffer_drop_front(&out, 7);
	assert_true(text_equal(buffer_text(&out), TEXT("890")));
}

static void times_round_trip(void **state ATTR_UNUSED)
{
	static const int64_t times[] = {0, 1, 999, 1700000000123, 4102444800000, -1};
	char text[CLOCK_TEXT_SIZE];
	int64_t back;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		clock_format(times[i], text);
		assert_int_equal(clock_parse(text, strlen(text), &back), 0);
		assert_true(back == times[i]);
	}
	struct text offset = TEXT("2024-02-29T12:00:00+02:00");
	assert_int_equal(clock_parse(offset.data, offset.size, &back), 0);
	assert_true(back == 1709200800000);
	static const char *const refused[] = {"",
					      "2024-02-29",
					      "2024-13-01T00:00:00Z",
					      "2024-01-01T24:00:00Z",
					      "2024-01-01T00:00:00",
					      "2024-01-01T00:00:00+2:00",
					      "2024-01-01 00:00:00Z"};
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(clock_parse(refused[i], strlen(refused[i]), &back), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(base64_round_trips_with_one_spelling),
	    cmocka_unit_test(identifiers_sort_and_round_trip),
	    cmocka_unit_test(foreign_identifiers_are_refused),
	    cmocka_unit_test(json_escapes_each_byte_at_each_place),
	    cmocka_unit_test(json_is_written_with_commas_and_escapes),
	    cmocka_unit_test(a_buffer_fails_once_and_stays_failed),
	    cmocka_unit_test(times_round_trip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
